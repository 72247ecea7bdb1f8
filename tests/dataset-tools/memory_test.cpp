// Memory must not grow with the number of images: each kind of work is done in processes of their own for
// fewer and for more images, and their peaks are compared.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <functional>
#include <opencv2/imgcodecs.hpp>
#include <random>
#include <string>

#include "corpus/check.h"
#include "corpus/folder.h"
#include "corpus/merge.h"
#include "corpus/split.h"
#include "corpus/standardise.h"
#include "corpus_files.h"
#include "duplicates/candidates.h"
#include "export/formats.h"
#include "readers/reader.h"
#include "report/statistics.h"
#include "temporary_folder.h"

namespace smearscope::corpus {
namespace {

using testing::TemporaryFolder;

// Bytes an image. Some 60 are meant to be in memory; peaks of the same work differ by up to a MiB. With all
// records in memory it is over 10,000.
constexpr long bound = 2000;

// VmHWM of this process, bytes.
long peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    long kib = 0;
    if (word == "VmHWM:" && status >> kib) return kib * 1024;
  }
  return -1;
}

// The peak of a process that does `work`.
long peak_of(const std::function<void()>& work) {
  int ends[2];
  if (::pipe(ends) != 0) return -1;
  const pid_t child = ::fork();
  if (child == 0) {
    long peak = -1;
    try {
      work();
      peak = peak_memory();
    } catch (const std::exception& problem) {
      std::fprintf(stderr, "%s\n", problem.what());
    }
    const ::ssize_t written = ::write(ends[1], &peak, sizeof peak);
    ::_exit(written == sizeof peak ? 0 : 1);
  }
  ::close(ends[1]);
  long peak = -1;
  if (::read(ends[0], &peak, sizeof peak) != sizeof peak) peak = -1;
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  return peak;
}

void expect_flat(int fewer, int more, const std::function<void(int)>& work) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "a sanitizer's own memory grows";
#endif
  const long first = peak_of([&] { work(fewer); }), second = peak_of([&] { work(more); });
  ASSERT_GT(first, 0);
  ASSERT_GT(second, 0);
  const long of_image = (second - first) / (more - fewer);
  std::printf("peaks of %ld and %ld KiB: %ld bytes an image\n", first / 1024, second / 1024, of_image);
  EXPECT_LT(of_image, bound);
}

// Plain little pictures, no two of one colour, with many boxes.
void make_corpus(const TemporaryFolder& folder, int count) {
  const std::filesystem::path pictures = folder.file("pictures");
  std::filesystem::create_directories(pictures);
  StoredCorpus corpus;
  corpus.classes = testing::cell_classes();
  for (int i = 0; i < count; ++i) {
    Image image;
    image.file = "picture-" + std::to_string(i) + ".png";
    image.source = "made";
    image.source_file = "some/folder/" + image.file;
    image.width = image.height = 32;
    image.path = pictures / image.file;
    image.absent = {2};
    cv::imwrite(image.path.string(), cv::Mat(32, 32, CV_8UC3, cv::Scalar(200, i % 256, 128 + i / 256)));
    for (int k = 0; k < 60; ++k)
      image.annotations.push_back({{k / 10 * 1.5, k % 10 * 1.5, 20, 20}, k % 2, "A LABEL OF SOME LENGTH"});
    corpus.images.push_back(image);
  }
  write_corpus(folder.file(std::to_string(count)), corpus, Transfer::link);
}

TEST(Memory, DoesNotGrowWithTheRecordsOfACorpus) {
  const TemporaryFolder folder;
  const int fewer = 300, more = 1100;
  make_corpus(folder, fewer);
  make_corpus(folder, more);
  expect_flat(fewer, more, [&](int count) {
    const std::string input = folder.file(std::to_string(count)), output = input + ".out";
    StandardiseOptions standard;
    standard.threads = 1;
    MergeOptions merging;
    merging.threads = 1;
    standardise(find_reader("coco").open(input), "coco", load_taxonomy("cells"), output + "/standard",
                standard);
    StoredCorpus merged = merge({open_corpus(output + "/standard")}, merging).corpus;
    split(merged, {}, {0.1, 0.1});
    write_corpus(output + "/split", merged, Transfer::link);
    const StoredCorpus corpus = open_corpus(output + "/split");
    check(corpus, output + "/split", 1, [](const Finding&) {});
    digest_of(corpus);
    export_corpus(corpus, "csv", output + "/csv", Transfer::link);
  });
}

TEST(Memory, DoesNotGrowWithThePatchesOfPictures) {
  expect_flat(2000, 8000, [](int count) {
    std::mt19937 random(1);
    StoredList<Miniature> miniatures;
    PatchIndex index;
    for (int i = 0; i < count; ++i) {
      Miniature miniature;
      for (std::int8_t& pixel : miniature.pixels) pixel = static_cast<std::int8_t>(random() % 64);
      miniatures.push_back(miniature);
      std::vector<Patch> patches(150);
      for (Patch& patch : patches) {
        patch.code = static_cast<std::uint32_t>(random());
        patch.width = patch.height = 100;
      }
      index.add(std::size_t(i), patches);
    }
    const std::vector<bool> all(std::size_t(count), true);
    find_candidates(miniatures, index, all, all.size(), 1, [](const std::vector<Candidate>&) {});
  });
}

}  // namespace
}  // namespace smearscope::corpus
