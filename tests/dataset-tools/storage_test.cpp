// What lies on disk instead of in memory, held to what it would be in memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <limits>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include "corpus/id_runs.h"
#include "corpus/stored_corpus.h"
#include "file_size_limit.h"
#include "storage/file_list.h"
#include "storage/name_table.h"
#include "storage/record_file.h"
#include "storage/spilled_buckets.h"
#include "storage/stored_list.h"
#include "temporary_folder.h"

namespace smearscope::corpus {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::FileSizeLimit;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::TemporaryFolder;

// Sets $TMPDIR.
class TemporaryFilesIn {
 public:
  explicit TemporaryFilesIn(const std::string& folder) {
    const char* before = std::getenv("TMPDIR");
    if (before) before_ = before;
    ::setenv("TMPDIR", folder.c_str(), 1);
  }
  ~TemporaryFilesIn() {
    if (before_) {
      ::setenv("TMPDIR", before_->c_str(), 1);
    } else {
      ::unsetenv("TMPDIR");
    }
  }
  TemporaryFilesIn(const TemporaryFilesIn&) = delete;
  TemporaryFilesIn& operator=(const TemporaryFilesIn&) = delete;

 private:
  std::optional<std::string> before_;
};

std::string random_bytes(std::mt19937& random, std::size_t size) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

TEST(RecordFile, GivesBackWhatWasAppended) {
  std::mt19937 random(1);
  RecordFile file;
  std::vector<std::pair<RecordFile::Place, std::string>> records;
  for (const std::size_t size : {0, 1, 100, 4091, 4092, 4093, 5000, 262144, 1000000, 3}) {
    for (int i = 0; i < 20; ++i) {
      const std::string bytes = random_bytes(random, size);
      records.emplace_back(file.append(bytes), bytes);
    }
  }
  for (const auto& [place, bytes] : records) ASSERT_EQ(file.read(place), bytes) << bytes.size();
}

TEST(RecordFile, ServesSeveralThreadsAtOnce) {
  RecordFile file;
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < 4; ++seed) {
    threads.emplace_back([&file, seed] {
      std::mt19937 random(seed);
      std::vector<std::pair<RecordFile::Place, std::string>> records;
      for (int i = 0; i < 2000; ++i) {
        const std::string bytes = random_bytes(random, random() % 1000);
        records.emplace_back(file.append(bytes), bytes);
        const auto& [place, earlier] = records[random() % records.size()];
        ASSERT_EQ(file.read(place), earlier);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(RecordFile, LeavesNothingBehindEvenIfTheProcessIsKilled) {
  const TemporaryFolder folder;
  const TemporaryFilesIn there(folder.path());
  RecordFile file;
  for (int i = 0; i < 10; ++i) file.append(std::string(100000, 'x'));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(RecordFile, FewBytesNeedNoFile) {
  const TemporaryFilesIn nowhere("/nonexistent");
  RecordFile file;
  EXPECT_EQ(file.read(file.append("few")), "few");
}

std::string failure_of(RecordFile& file) {
  try {
    for (int i = 0; i < 100; ++i) file.append(std::string(10000, 'x'));
  } catch (const StorageFailed& problem) {
    return problem.what();
  }
  return "none";
}

TEST(RecordFile, AFolderThatIsNotThereIsToldOf) {
  const TemporaryFilesIn nowhere("/nonexistent");
  RecordFile file;
  EXPECT_THAT(failure_of(file), AllOf(HasSubstr("/nonexistent: cannot make a temporary file: "),
                                      HasSubstr("TMPDIR"), Not(HasSubstr("\n"))));
}

TEST(RecordFile, AFullDiskIsToldOfInOneLine) {
  const TemporaryFolder folder;
  const TemporaryFilesIn there(folder.path());
  const FileSizeLimit limit(400000);
  RecordFile file;
  EXPECT_THAT(failure_of(file), AllOf(HasSubstr(folder.path() + ": cannot write a temporary file: "),
                                      HasSubstr("TMPDIR"), Not(HasSubstr("\n"))));
}

Image image_of(int number) {
  Image image;
  image.id = number;
  image.file = "f" + std::to_string(number);
  image.width = 10 + number;
  image.height = 20;
  image.source = "source";
  image.source_file = std::string(static_cast<std::size_t>(number % 300), 's');
  image.sha256 = "sum";
  image.part = "val";
  image.group = "group";
  image.pixel_size_um = 0.5 + number;
  for (int i = 0; i < number % 5; ++i)
    image.annotations.push_back({{1, 2, 3, 4.5 + i}, i, "label", BoxOrigin::fallback});
  image.absent = {1, 2};
  image.not_exhaustive = {3};
  image.ignore_regions = {{5, 6, 7, 8}};
  image.regions_complete = true;
  image.changes = {{"rule", "detail"}, {"", "more"}};
  image.path = "/some/where/" + image.file;
  return image;
}

void expect_same(const Image& a, const Image& b) {
  RecordWriter first, second;
  Image one = a, other = b;
  first(one);
  second(other);
  EXPECT_EQ(first.take(), second.take());
}

TEST(StoredList, KeepsAllOfARecord) {
  StoredList<Image> list;
  list.push_back(image_of(4));
  const Image read = list[0], image = image_of(4);
  EXPECT_EQ(read.id, image.id);
  EXPECT_EQ(read.file, image.file);
  EXPECT_EQ(read.width, image.width);
  EXPECT_EQ(read.height, image.height);
  EXPECT_EQ(read.source, image.source);
  EXPECT_EQ(read.source_file, image.source_file);
  EXPECT_EQ(read.sha256, image.sha256);
  EXPECT_EQ(read.part, image.part);
  EXPECT_EQ(read.group, image.group);
  EXPECT_EQ(read.pixel_size_um, image.pixel_size_um);
  ASSERT_EQ(read.annotations.size(), 4U);
  EXPECT_EQ(read.annotations[3].box.y_max, 7.5);
  EXPECT_EQ(read.annotations[3].category, 3);
  EXPECT_EQ(read.annotations[3].label, "label");
  EXPECT_EQ(read.annotations[3].origin, BoxOrigin::fallback);
  EXPECT_EQ(read.absent, image.absent);
  EXPECT_EQ(read.not_exhaustive, image.not_exhaustive);
  ASSERT_EQ(read.ignore_regions.size(), 1U);
  EXPECT_EQ(read.ignore_regions[0].x_max, 7);
  EXPECT_TRUE(read.regions_complete);
  ASSERT_EQ(read.changes.size(), 2U);
  EXPECT_EQ(read.changes[1].detail, "more");
  EXPECT_EQ(read.path, image.path);
}

TEST(StoredList, IsWhatAListInMemoryIs) {
  std::mt19937 random(2);
  std::vector<Image> expected;
  StoredList<Image> list;
  for (int i = 0; i < 3000; ++i) {
    expected.push_back(image_of(i));
    list.push_back(expected.back());
    const std::size_t other = random() % expected.size();
    expected[other].group = "changed " + std::to_string(i);
    list.change(other, [&](Image& image) { image.group = "changed " + std::to_string(i); });
  }
  ASSERT_EQ(list.size(), expected.size());
  std::size_t index = 0;
  for (const Image& image : list) expect_same(image, expected[index++]);
  EXPECT_THROW(list[expected.size()], std::out_of_range);
}

TEST(StoredList, CopiesChangeApart) {
  StoredList<int> list(std::vector<int>{1, 2}), copy = list;
  copy.push_back(3);
  copy.set(0, 10);
  list.push_back(4);
  EXPECT_THAT(std::vector<int>(list.begin(), list.end()), ElementsAre(1, 2, 4));
  EXPECT_THAT(std::vector<int>(copy.begin(), copy.end()), ElementsAre(10, 2, 3));
}

TEST(StoredList, IsAppendedReorderedAndFilledInPlaces) {
  StoredList<int> list, other(std::vector<int>{5, 6});
  list.append(other);
  list.append(other);
  list.append({});
  list.reorder(std::vector<int>{3, 0, 2}, [](int index) { return static_cast<std::size_t>(index); });
  EXPECT_THAT(std::vector<int>(list.begin(), list.end()), ElementsAre(6, 5, 5));
  list.resize(5);
  EXPECT_FALSE(list.has(4));
  list.set(4, 7);
  EXPECT_TRUE(list.has(4));
  EXPECT_EQ(list[4], 7);
}

TEST(NameTable, IsWhatAMapIs) {
  std::mt19937 random(3);
  std::map<std::string, std::size_t> expected;
  NameTable names;
  for (int i = 0; i < 20000; ++i) {
    std::string name = std::to_string(random() % 10000) + std::string(1, '\0');
    if (i % 5000 == 7) name = std::string(300000, static_cast<char>('a' + i / 5000));
    const auto [entry, is_new] = expected.emplace(name, expected.size());
    EXPECT_EQ(names.insert(name), std::make_pair(entry->second, is_new));
  }
  ASSERT_EQ(names.size(), expected.size());
  for (const auto& [name, number] : expected) {
    EXPECT_EQ(names[number], name);
    EXPECT_EQ(names.find(name), number);
  }
  EXPECT_FALSE(names.has("12"));
  EXPECT_FALSE(NameTable().has(""));
}

TEST(FileList, IsInTheOrderOfPaths) {
  std::mt19937 random(4);
  const std::vector<std::string> pieces{"a", "a-b", "a b", "a.b", "b", "\xC3\xA4", "A", "a0"};
  const std::filesystem::path folder = "/data/set";
  std::vector<std::filesystem::path> expected;
  FileList files(folder);
  for (int i = 0; i < 2000; ++i) {
    std::string name = pieces[random() % pieces.size()];
    while (random() % 2) name += "/" + pieces[random() % pieces.size()];
    if (!files.has(name)) expected.push_back(folder / name);
    files.add(name);
  }
  files.sort();
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(std::vector<std::filesystem::path>(files.begin(), files.end()), expected);
  EXPECT_EQ(folder / files.name(1), expected[1]);
}

TEST(SpilledBuckets, HaveWhatWasAddedInItsOrder) {
  std::mt19937 random(5);
  SpilledBuckets<std::uint64_t> buckets(7);
  std::vector<std::vector<std::uint64_t>> expected(7);
  for (int i = 0; i < 2000; ++i) {
    std::vector<std::uint64_t> values(random() % 100);
    for (std::uint64_t& value : values) {
      value = random() % 1000;
      expected[value % 3].push_back(value);  // the others stay empty
    }
    buckets.add(values, [](std::uint64_t value) { return value % 3; });
  }
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(buckets.take(i), expected[i]);
    EXPECT_TRUE(buckets.take(i).empty());
  }
}

TEST(IdRuns, FindWhatAMapFinds) {
  constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min(),
                         highest = std::numeric_limits<std::int64_t>::max();
  std::vector<std::int64_t> ids{highest - 1, highest, lowest, lowest + 1, -1, 0, 1, 7};
  std::mt19937 random(6);
  for (std::int64_t id = 100; id < 5000; id += random() % 5 ? 1 : 3) ids.push_back(id);
  std::shuffle(ids.begin() + 100, ids.end() - 2000, random);
  IdRuns runs;
  std::map<std::int64_t, std::size_t> expected;
  for (const std::int64_t id : ids) {
    runs.add(id);
    expected.emplace(id, expected.size());
  }
  EXPECT_FALSE(runs.find(7)) << "not before all have been added";
  EXPECT_FALSE(runs.seal());
  for (std::int64_t id = -10; id < 5010; ++id) {
    const auto found = expected.find(id);
    ASSERT_EQ(runs.find(id), found == expected.end() ? std::nullopt : std::optional(found->second)) << id;
  }
  for (const std::int64_t id : {lowest, lowest + 1, highest - 1, highest})
    EXPECT_EQ(runs.find(id), expected.at(id));
}

TEST(IdRuns, TellOfAnIdThatIsThereTwice) {
  for (const std::int64_t again : {5, 6, 7, 20}) {
    IdRuns runs;
    for (const std::int64_t id : {5, 6, 7, 20, 9, 10}) runs.add(id);
    runs.add(again);
    EXPECT_EQ(runs.seal(), again);
  }
}

}  // namespace
}  // namespace smearscope::corpus
