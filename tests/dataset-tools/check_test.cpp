#include "corpus/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <opencv2/imgcodecs.hpp>

#include "corpus/folder.h"
#include "corpus_files.h"
#include "temporary_folder.h"

namespace smearscope::corpus {
namespace {

using ::testing::HasSubstr;
using testing::smear_record;

class Check : public ::testing::Test {
 protected:
  Check() {
    corpus_.classes = {{"wbc"}, {"lymphocyte", 0}, {"rbc"}};
    for (unsigned i = 0; i < 4; ++i) {
      corpus_.images.push_back(smear_record(folder_.file("in"), std::to_string(i) + ".png", i));
      Image& image = corpus_.images.back();
      image.annotations = {{{1, 1, 20, 20}, 0}, {{30, 30, 50, 50}, 2}};
      image.sha256 = sha256_of_file(image.path);
    }
    corpus_.images[3].part = "val";
  }
  // "error: ..." and "note: ..." lines.
  std::string findings() {
    std::filesystem::remove_all(folder_.file("corpus"));
    write_corpus(folder_.file("corpus"), corpus_);
    return findings_as_it_is();
  }
  std::string findings_as_it_is() {
    std::string lines;
    check(open_corpus(folder_.file("corpus")), folder_.file("corpus"), 2,
          [&](const Finding& f) { lines += (f.is_error ? "error: " : "note: ") + f.text + "\n"; });
    return lines;
  }
  testing::TemporaryFolder folder_;
  Corpus corpus_;
};

TEST_F(Check, AGoodCorpusHasNoFindings) {
  EXPECT_EQ(findings(), "");
}

TEST_F(Check, FilesThatAreNotTheRecordedOnesAreErrors) {
  findings();
  testing::write_smear(folder_.file("corpus/images/0.png"), 9);
  cv::imwrite(folder_.file("corpus/images/1.png"), cv::Mat(10, 20, CV_8UC3, cv::Scalar(1, 2, 3)));
  testing::write_text(folder_.file("corpus/images/2.png"), "no image");
  testing::write_text(folder_.file("corpus/images/more/5.png"), "");
  const std::string found = findings_as_it_is();
  EXPECT_THAT(found, HasSubstr("error: 0.png: is not the file that provenance.csv tells of"));
  EXPECT_THAT(found, HasSubstr("error: 1.png: has 20x10 pixels, but its record says 96x64"));
  EXPECT_THAT(found, HasSubstr("2.png: not an image"));
  EXPECT_THAT(found, HasSubstr("note: images/more/5.png: no annotation file names it"));
}

TEST_F(Check, TwoBoxesOnOneCellAreANoteOfOneClassAndAnErrorOfTwo) {
  corpus_.images[0].annotations.push_back({{1, 1, 20, 20.5}, 1});
  corpus_.images[1].annotations.push_back({{1, 1, 20, 20.5}, 2});
  const std::string found = findings();
  EXPECT_THAT(found, HasSubstr("note: 0.png: boxes 1 and 3 are on one cell: wbc, lymphocyte"));
  EXPECT_THAT(found, HasSubstr("error: 1.png: boxes 1 and 3 are on one cell: wbc, rbc"));
}

TEST_F(Check, AClassThatIsSaidToBeAbsentHasNoBoxes) {
  corpus_.images[0].absent = {2};
  corpus_.images[1].annotations = {{{1, 1, 20, 20}, 1}};
  corpus_.images[1].absent = {0};
  const std::string found = findings();
  EXPECT_THAT(found, HasSubstr("error: 0.png: has a box of rbc, and is said to have no rbc"));
  EXPECT_THAT(found, HasSubstr("error: 1.png: has a box of lymphocyte, and is said to have no wbc"));
}

TEST_F(Check, APictureInTwoPartsIsAnErrorAndInOneANote) {
  const auto copy = [&](std::size_t index, const char* part) {
    Image image = corpus_.images[index];
    image.file = "copy-" + std::string(part) + ".png";
    image.part = part;
    corpus_.images.push_back(image);
  };
  copy(0, "train");
  copy(1, "val");
  const std::string found = findings();
  EXPECT_THAT(found, HasSubstr("note: 0.png and copy-train.png are the same file\n"));
  EXPECT_THAT(found, HasSubstr("error: 1.png and copy-val.png are the same file, in different parts\n"));
}

TEST_F(Check, AGroupInTwoPartsIsAnError) {
  corpus_.images[0].group = corpus_.images[1].group = "a";
  corpus_.images[2].group = corpus_.images[3].group = "b";
  EXPECT_THAT(findings(), HasSubstr("error: group 'b' is in several parts: 2.png, 3.png"));
}

}  // namespace
}  // namespace smearscope::corpus
