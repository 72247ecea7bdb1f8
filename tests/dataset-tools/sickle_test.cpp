// Rectangles found in the labelled copies of smears, and the reader of the data set that has its labels so.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "corpus/completeness.h"
#include "corpus/folder.h"
#include "corpus/standardise.h"
#include "corpus_files.h"
#include "drawn_smears.h"
#include "painted_smear.h"
#include "readers/reader.h"
#include "readers/source_folder.h"
#include "segmentation/drawn_rectangles.h"
#include "temporary_folder.h"

namespace smearscope::corpus {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using testing::draw_into;
using testing::DrawnSmear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::match;
using ::testing::Not;

// Red cells at places that follow from `seed`.
cv::Mat smear(unsigned seed, cv::Size size = {480, 360}) {
  cv::Mat1b mask = cv::Mat1b::zeros(size);
  cv::RNG random(seed);
  for (int i = 0; i < 60; ++i)
    cv::circle(mask, {random.uniform(0, size.width), random.uniform(0, size.height)}, random.uniform(14, 18),
               255, cv::FILLED);
  return testing::paint_smear(mask);
}

struct Tally {
  int drawn = 0, found = 0, wrong = 0;

  void add(const DrawnSmear& smear) {
    const std::vector<Box> boxes = find_drawn_rectangles(smear.labelled, smear.unlabelled);
    const std::vector<int> partner = match(smear.rectangles, boxes);
    const auto right = std::count_if(partner.begin(), partner.end(), [](int k) { return k >= 0; });
    drawn += int(partner.size());
    found += int(right);
    wrong += int(boxes.size()) - int(right);
  }
  void expect_good() const {
    EXPECT_GE(found, 0.98 * drawn);
    EXPECT_LE(wrong, 0.01 * (found + wrong));
  }
};

std::string error_of(const cv::Mat& labelled, const cv::Mat& unlabelled) {
  try {
    find_drawn_rectangles(labelled, unlabelled);
    return "no error";
  } catch (const Error& problem) {
    return problem.what();
  }
}

TEST(DrawnRectangles, AreFoundWhateverThePenAndTheQuality) {
  Tally tally;
  for (unsigned i = 0; i < 72; ++i)
    tally.add(draw_into(smear(i), i, 1 + int(i % 6), 70 + 5 * int(i / 6 % 6)));
  EXPECT_GT(tally.drawn, 100);
  tally.expect_good();
}

TEST(DrawnRectangles, AreFoundInRealSmears) {
  const char* shared = std::getenv("SMEARSCOPE_SHARED_DATA");
  const std::filesystem::path folder = std::filesystem::path(shared ? shared : "") / "bccd/BCCD/JPEGImages";
  if (!std::filesystem::is_directory(folder)) GTEST_SKIP() << "needs BCCD in $SMEARSCOPE_SHARED_DATA";
  const FileList files = SourceFolder(folder, "bccd").files(folder);
  Tally tally;
  for (unsigned i = 0; i < 144; ++i)
    tally.add(draw_into(read_image(files.path(i * files.size() / 144)), i, 1 + int(i % 6),
                        70 + 5 * int(i / 6 % 6)));
  EXPECT_GT(tally.drawn, 500);
  tally.expect_good();
}

TEST(DrawnRectangles, AnIdenticalPairHasNone) {
  EXPECT_TRUE(find_drawn_rectangles(smear(1), smear(1)).empty());
}

TEST(DrawnRectangles, CompressionAloneDrawsNone) {
  const cv::Mat picture = smear(1);
  for (const int quality : {30, 70, 95}) {
    std::vector<std::uint8_t> bytes;
    cv::imencode(".jpg", picture, bytes, {cv::IMWRITE_JPEG_QUALITY, quality});
    EXPECT_TRUE(find_drawn_rectangles(cv::imdecode(bytes, cv::IMREAD_COLOR), picture).empty()) << quality;
  }
}

TEST(DrawnRectangles, AreInPixelsOfTheUnlabelledPictureIfTheCopyIsCropped) {
  const DrawnSmear drawn = draw_into(smear(2), 6, 3, 90);
  const cv::Point cut(9, 5);
  const cv::Mat cropped = drawn.labelled(cv::Rect(cut, drawn.labelled.size() - cv::Size(9, 5))).clone();
  const std::vector<Box> boxes = find_drawn_rectangles(cropped, drawn.unlabelled);
  const std::vector<int> partner = match(drawn.rectangles, boxes);
  ASSERT_FALSE(partner.empty());
  EXPECT_THAT(partner, Not(Contains(-1)));
}

TEST(DrawnRectangles, AreInPixelsOfTheUnlabelledPictureIfTheCopyIsScaled) {
  const DrawnSmear drawn = draw_into(smear(2), 6, 3, 90);
  cv::Mat enlarged;
  cv::resize(drawn.labelled, enlarged, {}, 1.5, 1.5, cv::INTER_LINEAR);
  const std::vector<int> partner = match(drawn.rectangles, find_drawn_rectangles(enlarged, drawn.unlabelled));
  ASSERT_FALSE(partner.empty());
  EXPECT_THAT(partner, Not(Contains(-1)));
}

TEST(DrawnRectangles, AnotherPictureIsNoCopy) {
  EXPECT_THAT(error_of(draw_into(smear(2), 2, 3, 90).labelled, smear(3)), HasSubstr("show different things"));
}

TEST(DrawnRectangles, ADarkerPictureIsNoCopyOfABrightOne) {
  EXPECT_THAT(error_of(smear(2) * 0.6, smear(3)), HasSubstr("show different things"));
}

TEST(DrawnRectangles, APictureOfAnotherShapeIsNoCopy) {
  EXPECT_THAT(error_of(smear(2), smear(2, {360, 480})),
              AllOf(HasSubstr("480x360 and 360x480"), HasSubstr("different shapes")));
}

class Sickle : public ::testing::Test {
 protected:
  void write(const std::string& name, const cv::Mat& rgb) {
    const std::filesystem::path file = folder_.file(name);
    std::filesystem::create_directories(file.parent_path());
    cv::Mat bgr;
    cv::cvtColor(rgb, bgr, cv::COLOR_RGB2BGR);
    ASSERT_TRUE(cv::imwrite(file.string(), bgr));
  }
  // Positive image `number`; PNG, so that its pixels are those of the result.
  DrawnSmear make_pair(int number) {
    DrawnSmear drawn = draw_into(smear(unsigned(number)), unsigned(number), 2, 90);
    write("Positive/Unlabelled/" + std::to_string(number) + ".png", drawn.unlabelled);
    write("Positive/Labelled/" + std::to_string(number) + ".png", drawn.labelled);
    return drawn;
  }
  void make_negative(int number) {
    write("Negative/Clear/" + std::to_string(number) + ".png", smear(unsigned(100 + number)));
  }
  Corpus read() { return read_all(find_reader("sickle").open(folder_.path())); }
  Corpus standardised(const std::string& output, unsigned threads = 0) {
    StandardiseOptions options;
    options.threads = threads;
    return in_memory(standardise(find_reader("sickle").open(folder_.path()), "sickle", taxonomy_,
                                 folder_.file(output), options));
  }
  std::string open_error() {
    try {
      read();
      return "no error";
    } catch (const Error& problem) {
      return problem.what();
    }
  }
  // "file: rule: detail" of what is left out.
  std::vector<std::string> left_out() {
    std::vector<std::string> lines;
    for (const LeftOut& one : read().left_out)
      lines.push_back(one.source_file + ": " + one.change.rule + ": " + one.change.detail);
    return lines;
  }
  int class_of(const std::string& name) const { return taxonomy_.class_of_name.at(name); }

  testing::TemporaryFolder folder_;
  Taxonomy taxonomy_ = load_taxonomy("paper");
};

TEST_F(Sickle, BoxesAreThoseDrawnIntoTheCopy) {
  const DrawnSmear drawn = make_pair(6);
  make_negative(1);
  const Corpus corpus = read();
  ASSERT_EQ(corpus.images.size(), 2U);
  EXPECT_TRUE(corpus.left_out.empty());
  const Image& image = corpus.images[0];
  std::vector<Box> boxes;
  for (const Annotation& a : image.annotations) {
    EXPECT_EQ(a.label, "sickle_cell");
    EXPECT_EQ(a.origin, BoxOrigin::labelled);
    boxes.push_back(a.box);
  }
  ASSERT_FALSE(boxes.empty());
  EXPECT_EQ(boxes.size(), drawn.rectangles.size());
  EXPECT_THAT(match(drawn.rectangles, boxes), Not(Contains(-1)));
}

TEST_F(Sickle, TheCorpusHasTheUnlabelledPixels) {
  make_pair(6);
  make_negative(1);
  const Corpus corpus = standardised("out");
  ASSERT_EQ(corpus.images.size(), 2U);
  EXPECT_EQ(corpus.images[0].source_file, "Positive/Unlabelled/6.png");
  EXPECT_EQ(sha256_of_file(folder_.file("out/images/" + corpus.images[0].file)),
            sha256_of_file(folder_.file("Positive/Unlabelled/6.png")));
  EXPECT_EQ(corpus.images[1].source_file, "Negative/Clear/1.png");
}

TEST_F(Sickle, SickleCellsAreAllLabelledAndOthersAreNot) {
  make_pair(6);
  const Corpus corpus = standardised("out");
  const Image& image = corpus.images.at(0);
  ASSERT_FALSE(image.annotations.empty());
  EXPECT_EQ(image.annotations[0].category, class_of("sickle_cell"));
  EXPECT_THAT(image.not_exhaustive, AllOf(Contains(class_of("rbc")), Contains(class_of("normal_rbc")),
                                          Contains(class_of("wbc")), Not(Contains(class_of("sickle_cell")))));
  EXPECT_THAT(image.absent, Not(Contains(class_of("sickle_cell"))));
  EXPECT_FALSE(image.ignore_regions.empty()) << "around the other red cells";
}

TEST_F(Sickle, ANegativeImageHasNoSickleCells) {
  make_pair(6);
  make_negative(1);
  const Corpus corpus = standardised("out");
  const Image& image = corpus.images.at(1);
  EXPECT_TRUE(image.annotations.empty());
  EXPECT_THAT(image.absent, ElementsAre(class_of("sickle_cell")));
  EXPECT_THAT(image.not_exhaustive, Contains(class_of("rbc")));
  EXPECT_TRUE(image.changes.empty());
}

TEST_F(Sickle, APositiveImageWithoutRectanglesDoesNotSayThatItHasNoSickleCells) {
  write("Positive/Unlabelled/1.png", smear(1));
  write("Positive/Labelled/1.png", smear(1));
  const Corpus corpus = standardised("out");
  const Image& image = corpus.images.at(0);
  ASSERT_EQ(image.changes.size(), 1U);
  EXPECT_EQ(image.changes[0].rule, rules::label_unreadable);
  EXPECT_THAT(image.changes[0].detail, HasSubstr("no rectangle is drawn"));
  EXPECT_TRUE(image.absent.empty());
  EXPECT_THAT(image.not_exhaustive, Contains(class_of("sickle_cell")));
}

TEST_F(Sickle, ACopyOfAnotherImageIsReportedAndLeftOut) {
  make_pair(6);
  make_negative(1);
  write("Positive/Labelled/6.png", draw_into(smear(9), 9, 2, 90).labelled);
  EXPECT_EQ(read().images.size(), 1U);
  EXPECT_THAT(left_out(),
              ElementsAre(AllOf(HasSubstr("Positive/Unlabelled/6.png"), HasSubstr("Positive/Labelled/6.png"),
                                HasSubstr("show different things"))));
}

TEST_F(Sickle, ImagesWithoutTheirCounterpartAreReported) {
  make_pair(6);
  make_negative(1);
  write("Positive/Unlabelled/7.png", smear(7));
  write("Positive/Labelled/8.png", smear(8));
  EXPECT_THAT(left_out(),
              ElementsAre("Positive/Unlabelled/7.png: file unpaired: no labels: there is no image 7 in "
                          "Positive/Labelled",
                          "Positive/Labelled/8.png: file unpaired: there is no image 8 in "
                          "Positive/Unlabelled"));
  EXPECT_EQ(read().images.size(), 2U);
}

TEST_F(Sickle, ANumberThatTwoImagesHaveIsReported) {
  make_pair(6);
  make_negative(1);
  write("Positive/Unlabelled/06.png", smear(8));
  EXPECT_THAT(left_out(), Contains("Positive/Unlabelled/06.png: file unpaired: 2 images there are called 6"));
  EXPECT_EQ(read().images.size(), 1U);
}

TEST_F(Sickle, ImagesThatCanNotBeReadAreReported) {
  make_pair(6);
  make_pair(7);
  make_negative(1);
  testing::write_text(folder_.file("Positive/Labelled/6.png"), "no image");
  std::filesystem::resize_file(folder_.file("Positive/Unlabelled/7.png"), 20);
  std::filesystem::resize_file(folder_.file("Negative/Clear/1.png"), 0);
  EXPECT_THAT(left_out(),
              ElementsAre(HasSubstr("Positive/Labelled/6.png"), HasSubstr("Positive/Unlabelled/7.png"),
                          HasSubstr("Negative/Clear/1.png")));
  EXPECT_TRUE(read().images.empty());
}

TEST_F(Sickle, NamesMayBeSpeltAndNumberedInOtherWays) {
  const DrawnSmear drawn = draw_into(smear(6), 6, 2, 90);
  write("data/POSITIVES/Un labeled/007.png", drawn.unlabelled);
  write("data/POSITIVES/labeled/7.PNG", drawn.labelled);
  write("data/negatives/1.png", smear(1));
  write("data/negatives/Clear/1.png", smear(2));
  const Corpus corpus = read();
  ASSERT_EQ(corpus.images.size(), 2U);
  EXPECT_EQ(corpus.images[0].annotations.size(), drawn.rectangles.size());
  EXPECT_EQ(corpus.images[1].source_file, "negatives/1.png");
  ASSERT_EQ(corpus.left_out.size(), 1U);
  EXPECT_THAT(corpus.left_out[0].change.detail, HasSubstr("same name"));
}

TEST_F(Sickle, AFolderOfAnotherLayoutIsAnErrorThatSaysWhatWasExpected) {
  std::filesystem::create_directories(folder_.file("cats"));
  EXPECT_THAT(open_error(), HasSubstr("expected Positive/Unlabelled and Positive/Labelled"));
  write("Positive/Labelled/1.png", smear(1));
  EXPECT_THAT(open_error(),
              AllOf(HasSubstr("Positive: a folder is missing"), HasSubstr("expected Positive/Unlabelled")));
}

TEST_F(Sickle, AMissingNegativeFolderIsReported) {
  make_pair(6);
  EXPECT_THAT(left_out(), ElementsAre(HasSubstr("Negative: file unpaired: no such folder")));
  EXPECT_EQ(read().images.size(), 1U);
}

TEST_F(Sickle, TheSameOnAnyNumberOfThreads) {
  for (int number = 1; number <= 5; ++number) make_pair(number);
  make_negative(1);
  write("Positive/Labelled/3.png", smear(9));
  std::vector<std::string> digests;
  for (const unsigned threads : {1U, 2U}) {
    const std::string output = "out" + std::to_string(threads);
    standardised(output, threads);
    digests.push_back(digest_of(read_corpus(folder_.file(output))) +
                      sha256_of_file(folder_.file(output + "/provenance.csv")) +
                      sha256_of_file(folder_.file(output + "/annotations/all.json")));
  }
  EXPECT_EQ(digests[0], digests[1]);
}

}  // namespace
}  // namespace smearscope::corpus
