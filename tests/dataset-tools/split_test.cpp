#include "corpus/split.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "corpus/groups.h"
#include "corpus_files.h"
#include "temporary_folder.h"

namespace smearscope::corpus {
namespace {

using ::testing::HasSubstr;

void split(Corpus& corpus, const std::vector<std::pair<std::size_t, std::size_t>>& pairs,
           const SplitOptions& options) {
  StoredCorpus stored = corpus;
  split(stored, pairs, options);
  corpus = in_memory(stored);
}

// `count` images of `source`, each with one cell of `category`.
void add_images(Corpus& corpus, const std::string& source, int category, int count) {
  for (int i = 0; i < count; ++i) {
    Image image;
    image.source = source;
    image.source_file = std::to_string(corpus.images.size()) + ".jpg";
    image.file = source + image.source_file;
    image.annotations.push_back({{0, 0, 5, 5}, category});
    corpus.images.push_back(std::move(image));
  }
}

Corpus three_classes() {
  Corpus corpus;
  corpus.classes = testing::cell_classes();
  add_images(corpus, "one", 0, 500);
  add_images(corpus, "one", 1, 60);
  add_images(corpus, "two", 1, 300);
  add_images(corpus, "two", 2, 20);
  return corpus;
}

std::map<std::string, std::size_t> parts_of(const Corpus& corpus, int category, const std::string& source) {
  std::map<std::string, std::size_t> parts;
  for (const Image& image : corpus.images) {
    if (image.annotations.front().category == category && image.source == source) ++parts[image.part];
  }
  return parts;
}

TEST(Split, EachClassAndSourceHasItsShareInEachPart) {
  Corpus corpus = three_classes();
  split(corpus, {}, {0.1, 0.2});
  EXPECT_NEAR(double(parts_of(corpus, 0, "one")["val"]), 50, 1);
  EXPECT_NEAR(double(parts_of(corpus, 0, "one")["test"]), 100, 1);
  EXPECT_EQ(parts_of(corpus, 2, "two")["val"], 2U);
  EXPECT_EQ(parts_of(corpus, 2, "two")["test"], 4U);
  const std::size_t of_class = parts_of(corpus, 1, "one")["val"] + parts_of(corpus, 1, "two")["val"];
  EXPECT_NEAR(double(of_class), 36, 1);
  const std::size_t of_source = parts_of(corpus, 1, "two")["val"] + parts_of(corpus, 2, "two")["val"];
  EXPECT_NEAR(double(of_source), 32, 3);
  EXPECT_EQ(count_of_part(corpus, ""), 0U);
}

TEST(Split, PartsDependOnImagesAndSeedNotOnTheirOrder) {
  Corpus corpus = three_classes(), same = corpus, other = corpus;
  std::reverse(same.images.begin(), same.images.end());
  SplitOptions options;
  split(corpus, {}, options);
  split(same, {}, options);
  options.seed = 2;
  split(other, {}, options);
  std::size_t differ = 0;
  for (std::size_t i = 0; i < corpus.images.size(); ++i) {
    EXPECT_EQ(corpus.images[i].part, same.images[corpus.images.size() - 1 - i].part);
    differ += corpus.images[i].part != other.images[i].part;
  }
  EXPECT_GT(differ, 50U);
}

TEST(Split, ImagesThatBelongTogetherGetOnePart) {
  Corpus corpus = three_classes();
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  for (std::size_t i = 0; i + 1 < 600; i += 2) pairs.emplace_back(i, i + 1);  // joined to groups below
  for (std::size_t i = 0; i < corpus.images.size(); i += 3)
    corpus.images[i].group = "slide " + std::to_string(i % 60);
  split(corpus, pairs, {0.2, 0.2});
  const std::vector<std::uint32_t> first = together_with(corpus.images, pairs);
  std::set<std::string> parts;
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(corpus.images[i].part, corpus.images[first[i]].part);
    parts.insert(corpus.images[i].part);
  }
  EXPECT_EQ(parts.size(), 3U);
}

TEST(Split, ImagesWithoutCellsAreDealtOutBySource) {
  Corpus corpus;
  corpus.classes = testing::cell_classes();
  add_images(corpus, "negatives", 0, 50);
  for (Image& image : corpus.images) image.annotations.clear();
  split(corpus, {}, {0.1, 0});
  EXPECT_EQ(count_of_part(corpus, "val"), 5U);
}

TEST(Split, PartsThatAreKeptCountInTheShares) {
  Corpus corpus = three_classes();
  for (std::size_t i = 0; i < 50; ++i) corpus.images[i].part = "val";
  SplitOptions options;
  options.keep_parts = true;
  split(corpus, {}, options);
  for (std::size_t i = 0; i < 50; ++i) EXPECT_EQ(corpus.images[i].part, "val");
  EXPECT_NEAR(double(parts_of(corpus, 0, "one")["val"]), 50, 1);
  options.keep_parts = false;
  split(corpus, {}, options);
  std::size_t still = 0;
  for (std::size_t i = 0; i < 50; ++i) still += corpus.images[i].part == "val";
  EXPECT_LT(still, 20U);
}

TEST(Split, KeptPartsThatTearAGroupAreAnError) {
  Corpus corpus = three_classes();
  corpus.images[3].part = "train";
  corpus.images[5].part = "val";
  SplitOptions options;
  options.keep_parts = true;
  try {
    split(corpus, {{3, 4}, {4, 5}}, options);
    FAIL() << "no error";
  } catch (const Error& problem) {
    EXPECT_THAT(problem.what(), HasSubstr("'one3.jpg' is in train and 'one5.jpg'"));
  }
}

TEST(Split, SharesMustLeaveSomethingToTrainOn) {
  Corpus corpus = three_classes();
  EXPECT_THROW(split(corpus, {}, {0.5, 0.5}), Error);
  EXPECT_THROW(split(corpus, {}, {-0.1, 0}), Error);
}

TEST(Groups, AreDeclaredInATable) {
  const testing::TemporaryFolder folder;
  StoredCorpus corpus = three_classes();
  const auto declare = [&](const std::string& text) {
    testing::write_text(folder.file("groups.csv"), text);
    declare_groups(folder.file("groups.csv"), corpus.images);
  };
  declare("file,group\n0.jpg,\"patient, 1\"\none1.jpg,patient 2\n");
  EXPECT_EQ(corpus.images[0].group, "patient, 1");
  EXPECT_EQ(corpus.images[1].group, "patient 2");
  const auto error_of = [&](const std::string& text) -> std::string {
    try {
      declare(text);
    } catch (const Error& problem) {
      return problem.what();
    }
    return "no error";
  };
  EXPECT_THAT(error_of("name,group\n"), HasSubstr("line 1: is not 'file,group'"));
  EXPECT_THAT(error_of("file,group\n0.jpg\n"), HasSubstr("line 2: has 1 columns instead of 2"));
  EXPECT_THAT(error_of("file,group\n0.jpg,a\nnowhere.jpg,b\n"), HasSubstr("line 3: there is no image"));
  EXPECT_THAT(error_of("file,group\n\"0.jpg" + std::string(2 << 20, 'x')), HasSubstr("line 2: is longer"));
}

}  // namespace
}  // namespace smearscope::corpus
