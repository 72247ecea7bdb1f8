// Files of torch.save in both formats: what is in them, and all the ways in which they may be wrong.
#include "import/checkpoint_file.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "checkpoint_bytes.h"
#include "expect_error.h"
#include "model_files.h"
#include "temporary_folder.h"

namespace smearscope::checkpoint {
namespace {

using testing::expect_error;
using testing::little_endian;
using testing::PickleWriter;
using testing::StoredNumbers;
using testing::ZipEntry;

using Floats = std::vector<float>;
using Shape = std::vector<std::int64_t>;

std::vector<char> chars(const std::string& bytes) {
  return {bytes.begin(), bytes.end()};
}

template <typename Number>
StoredNumbers stored(const std::string& key, const std::vector<Number>& numbers) {
  std::string bytes(numbers.size() * sizeof(Number), '\0');
  std::memcpy(bytes.data(), numbers.data(), bytes.size());
  return {key, bytes, numbers.size()};
}

// The numbers of the tensor that is the whole pickle.
Floats tensor_in(const std::string& file) {
  CheckpointFile checkpoint(chars(file));
  EXPECT_EQ(checkpoint.root().kind, Kind::tensor);
  return checkpoint.values(checkpoint.pickle().tensors.at(0));
}

void expect_refused(const std::string& file, const std::string& part) {
  expect_error([&] { tensor_in(file); }, part);
}

std::string pickle_of(const std::string& type, std::int64_t elements, std::int64_t offset, const Shape& shape,
                      const Shape& strides) {
  return PickleWriter().tensor("0", type, elements, offset, shape, strides).end();
}

const Floats counted{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};

TEST(CheckpointFile, BothFormatsGiveTheSameNumbers) {
  const std::string pickle = pickle_of("FloatStorage", 12, 0, {3, 4}, {4, 1});
  EXPECT_EQ(tensor_in(testing::checkpoint(pickle, {stored("0", counted)})), counted);
  EXPECT_EQ(tensor_in(testing::legacy_checkpoint(pickle, {stored("0", counted)})), counted);
}

TEST(CheckpointFile, StridesAreFollowed) {
  const auto read = [](std::int64_t offset, const Shape& shape, const Shape& strides) {
    return tensor_in(
        testing::checkpoint(pickle_of("FloatStorage", 12, offset, shape, strides), {stored("0", counted)}));
  };
  EXPECT_EQ(read(0, {4, 3}, {1, 4}), (Floats{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11}));  // transposed
  EXPECT_EQ(read(5, {2, 2}, {4, 1}), (Floats{5, 6, 9, 10}));                           // a slice
  EXPECT_EQ(read(1, {2, 3}, {0, 4}), (Floats{1, 5, 9, 1, 5, 9}));                      // expanded
  EXPECT_EQ(read(0, {2, 2, 3}, {6, 1, 2}), (Floats{0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11}));
  EXPECT_EQ(read(7, {}, {}), (Floats{7}));
  EXPECT_EQ(read(0, {0, 3}, {3, 1}), Floats{});
  EXPECT_EQ(read(2, {1, 3}, {99, 1}), (Floats{2, 3, 4}));
}

TEST(CheckpointFile, OtherFloatsBecomeF32) {
  const std::vector<double> doubles{0.1, -1e-50, 1e30, 16777217.0};
  const std::string f64 =
      testing::checkpoint(pickle_of("DoubleStorage", 4, 0, {4}, {1}), {stored("0", doubles)});
  EXPECT_EQ(tensor_in(f64), (Floats{0.1F, -0.0F, 1e30F, 16777216.0F}));
  const std::vector<std::uint16_t> halves{0x3C00, 0xC000, 0x0001, 0x7BFF};
  const std::string f16 =
      testing::checkpoint(pickle_of("HalfStorage", 4, 0, {4}, {1}), {stored("0", halves)});
  EXPECT_EQ(tensor_in(f16), (Floats{1, -2, 0x1p-24F, 65504}));
  const std::vector<std::uint16_t> brains{0x3F80, 0xC000};
  const std::string bf16 =
      testing::checkpoint(pickle_of("BFloat16Storage", 2, 0, {2}, {1}), {stored("0", brains)});
  EXPECT_EQ(tensor_in(bf16), (Floats{1, -2}));
  const double most = 3.4028234663852886e38, half_step = 0x1p103;
  const std::vector<double> large{most, std::nextafter(most + half_step, 0), most + half_step, -1e300, NAN};
  const Floats read =
      tensor_in(testing::checkpoint(pickle_of("DoubleStorage", 5, 0, {5}, {1}), {stored("0", large)}));
  EXPECT_EQ(read[0], static_cast<float>(most));
  EXPECT_EQ(read[1], static_cast<float>(most));
  EXPECT_EQ(read[2], INFINITY);
  EXPECT_EQ(read[3], -INFINITY);
  EXPECT_TRUE(std::isnan(read[4]));
}

TEST(CheckpointFile, OtherNumbersAreRefusedByTheirDtype) {
  const std::vector<std::int64_t> counts{7, 8};
  expect_refused(testing::checkpoint(pickle_of("LongStorage", 2, 0, {2}, {1}), {stored("0", counts)}),
                 "holds int64");
  expect_refused(testing::checkpoint(pickle_of("ByteStorage", 2, 0, {2}, {1}), {{"0", "ab", 2}}),
                 "holds uint8");
}

TEST(CheckpointFile, BigEndianArchivesAreTurned) {
  std::string bytes = stored("0", counted).bytes;
  for (std::size_t i = 0; i < bytes.size(); i += 4) std::reverse(bytes.begin() + i, bytes.begin() + i + 4);
  const std::string pickle = pickle_of("FloatStorage", 12, 0, {3, 4}, {4, 1});
  EXPECT_EQ(tensor_in(testing::checkpoint(pickle, {{"0", bytes, 12}}, "big")), counted);
  expect_refused(testing::checkpoint(pickle, {{"0", bytes, 12}}, "middle"), "unknown byte order 'middle'");
}

TEST(CheckpointFile, WhatIsNoCheckpointIsSaid) {
  expect_refused("", "no PyTorch checkpoint");
  expect_refused("nothing", "no PyTorch checkpoint");
  expect_refused("\x89HDF\r\n\x1a\n" + std::string(100, 'x'), "no PyTorch checkpoint");
  std::string tar(1024, '\0');
  tar.replace(257, 5, "ustar");
  expect_refused(tar, "tar archive");
  expect_refused(PickleWriter().whole(5).end(), "a pickle, but no PyTorch checkpoint");
  expect_refused(PickleWriter()
                     .raw("\x8a\x0a"
                          "0123456789")
                     .end(),
                 "a pickle, but no PyTorch checkpoint");
  std::string version = testing::legacy_checkpoint(PickleWriter().raw("}").end());
  version[version.find('\xe9')] = '\x70';  // 1001 becomes another number
  expect_refused(version, "unknown version");
  expect_refused(testing::zip_archive({{"a/b.txt", "text"}}), "a zip archive, but no PyTorch checkpoint");
  expect_refused(testing::zip_archive({{"data.pkl", "N."}}), "a zip archive, but no PyTorch checkpoint");
  expect_refused(testing::zip_archive({{"a/data.pkl", "N."}, {"a/constants.pkl", "N."}}), "TorchScript");
}

TEST(CheckpointFile, FilesThatCannotBeReadAreErrors) {
  testing::TemporaryFolder folder;
  expect_error([&] { read_whole_file(folder.path()); }, "is a folder");
  expect_error([&] { read_whole_file(folder.file("none")); }, "cannot open");
  expect_error([&] { read_whole_file("/dev/zero"); }, "not a regular file");
  testing::write_bytes(folder.file("huge"), "x");
  std::filesystem::resize_file(folder.file("huge"), std::uint64_t{5} << 30U);
  expect_error([&] { read_whole_file(folder.file("huge")); }, "checkpoints of up to");
}

// One tensor of twelve numbers in an archive whose entry of numbers is changed.
std::string archive_with(const std::function<void(std::vector<ZipEntry>&)>& change,
                         testing::ZipStyle style = testing::ZipStyle::torch) {
  std::vector<ZipEntry> entries{{"n/data.pkl", pickle_of("FloatStorage", 12, 0, {12}, {1})},
                                {"n/data/0", stored("0", counted).bytes},
                                {"n/version", "3\n"}};
  change(entries);
  return testing::zip_archive(entries, style);
}

TEST(CheckpointFile, PlainArchivesAndThoseWithoutChecksumsAreRead) {
  const auto nothing = [](std::vector<ZipEntry>&) {};
  EXPECT_EQ(tensor_in(archive_with(nothing, testing::ZipStyle::plain)), counted);
  const auto no_checksums = [](std::vector<ZipEntry>& entries) {
    for (ZipEntry& entry : entries) entry.checksum = 0;
  };
  EXPECT_EQ(tensor_in(archive_with(no_checksums)), counted);
  std::string with_comment = archive_with(nothing);
  with_comment.replace(with_comment.size() - 2, 2, little_endian(5, 2) + "hello");
  EXPECT_EQ(tensor_in(with_comment), counted);
}

TEST(CheckpointFile, DamagedArchivesAreRefused) {
  using Entries = std::vector<ZipEntry>;
  const auto refuse = [](const std::function<void(Entries&)>& change, const std::string& part) {
    expect_refused(archive_with(change), part);
    expect_refused(archive_with(change, testing::ZipStyle::plain), part);
  };
  refuse([](Entries& e) { e[1].method = 8; }, "'n/data/0' is compressed");
  refuse([](Entries& e) { e[1].flags = 1; }, "encrypted");
  refuse([](Entries& e) { e[1].checksum = 1; }, "checksum of the entry 'n/data/0'");
  refuse([](Entries& e) { e[1].size = 47; }, "two sizes");
  refuse([](Entries& e) { e[1].size = e[1].packed = 1 << 20; }, "ends outside");
  refuse([](Entries& e) { e[1].size = e[1].packed = INT64_MAX; }, "ends outside");
  refuse([](Entries& e) { e[1].size = e[1].packed = 44, e[1].checksum = 0x7d4e5e8b; }, "checksum");
  refuse([](Entries& e) { e[1].header = 3; }, "not where it should be");
  refuse([](Entries& e) { e[1].header = INT64_MAX; }, "not where it should be");
  refuse([](Entries& e) { e[1].header = 0; }, "another name at its place");
  refuse([](Entries& e) { e.push_back(e[1]); }, "comes twice");
  refuse([](Entries& e) { e.erase(e.begin() + 1); }, "no entry 'n/data/0'");
  refuse([](Entries& e) { e[1].bytes.pop_back(); }, "has 47 bytes, not 12 times 4");
  refuse([](Entries& e) { e.clear(); }, "no PyTorch checkpoint");
}

TEST(CheckpointFile, OverlappingEntriesAreRefused) {
  // The first entry's bytes hold a whole second entry.
  const std::string inner =
      "PK\x03\x04" + std::string(22, '\0') + little_endian(1, 2) + little_endian(0, 2) + "bX";
  std::vector<ZipEntry> entries{{"n/data.pkl", "N."}, {"a", inner}, {"b", "X"}};
  entries[2].header = static_cast<std::int64_t>(
                          testing::zip_archive({entries[0]}, testing::ZipStyle::plain).find("PK\x01\x02")) +
                      31;
  expect_refused(testing::zip_archive(entries, testing::ZipStyle::plain), "overlap");
}

TEST(CheckpointFile, LegacyStoragesMustBeWhole) {
  const std::string pickle = pickle_of("FloatStorage", 12, 0, {12}, {1});
  StoredNumbers numbers = stored("0", counted);
  numbers.elements = 13;
  expect_refused(testing::legacy_checkpoint(pickle, {numbers}), "'0' is not whole");
  numbers.elements = UINT64_MAX;
  expect_refused(testing::legacy_checkpoint(pickle, {numbers}), "'0' is not whole");
  expect_refused(testing::legacy_checkpoint(pickle, {{"0", "short", 12}}), "'0' is not whole");
  expect_refused(testing::legacy_checkpoint(pickle), "has no storage '0'");
  expect_refused(testing::legacy_checkpoint(pickle, {stored("1", counted)}),
                 "nothing is said of the storage '1'");
  expect_refused(testing::legacy_checkpoint(pickle, {stored("0", counted), stored("0", counted)}),
                 "'0' comes twice");
  const std::string two = PickleWriter()
                              .raw("(")
                              .tensor("0", "FloatStorage", 12, 0, {1}, {1})
                              .tensor("0", "DoubleStorage", 12, 0, {1}, {1})
                              .raw("t")
                              .end();
  expect_refused(testing::legacy_checkpoint(two, {stored("0", counted)}), "has two sizes");
}

// Both formats, cut off anywhere or with any bit flipped: read, or refused with one line.
TEST(CheckpointFile, DamageIsAnErrorOrHarmless) {
  const std::string pickle =
      PickleWriter().raw("}(").text("w").tensor("0", "FloatStorage", 12, 0, {3, 4}, {4, 1}).raw("u").end();
  for (const std::string& whole : {testing::checkpoint(pickle, {stored("0", counted)}),
                                   testing::legacy_checkpoint(pickle, {stored("0", counted)})}) {
    const bool is_zip = whole[0] == 'P';
    const auto read = [](const std::string& bytes) {
      try {
        CheckpointFile file(chars(bytes));
        for (const Tensor& tensor : file.pickle().tensors) file.values(tensor);
        return true;
      } catch (const Error& problem) {
        EXPECT_EQ(std::string(problem.what()).find('\n'), std::string::npos) << problem.what();
        return false;
      }
    };
    EXPECT_TRUE(read(whole));
    for (std::size_t length = 0; length < whole.size(); ++length)
      EXPECT_FALSE(read(whole.substr(0, length))) << length;
    std::size_t accepted = 0;
    for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
      std::string damaged = whole;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
      accepted += read(damaged) ? 1 : 0;
    }
    // Of an archive, only what nothing is read from: padding, dates, the entry `version`. A legacy file has
    // no checksum.
    EXPECT_LT(accepted, 8 * whole.size() * (is_zip ? 7 : 9) / 10);
  }
}

// Seeded noise in the bytes that matter: many changes at once.
TEST(CheckpointFile, NoiseIsAnErrorOrHarmless) {
  const std::string pickle =
      PickleWriter().raw("}(").text("w").tensor("0", "FloatStorage", 12, 0, {3, 4}, {4, 1}).raw("u").end();
  const std::string whole = testing::legacy_checkpoint(pickle, {stored("0", counted)});
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    std::string damaged = whole;
    for (int i = 0; i < 1 + round % 8; ++i)
      damaged[15 + random() % (damaged.size() - 15)] = static_cast<char>(random());
    try {
      CheckpointFile file(chars(damaged));
      for (const Tensor& tensor : file.pickle().tensors) file.values(tensor);
    } catch (const Error&) {
    }
  }
}

}  // namespace
}  // namespace smearscope::checkpoint
