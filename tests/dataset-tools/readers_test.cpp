#include "readers/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "corpus_files.h"
#include "temporary_folder.h"

namespace smearscope::corpus {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::TemporaryFolder;
using testing::write_smear;
using testing::write_text;

std::string voc_object(const std::string& name, const std::string& box) {
  return "<object><name>" + name + "</name><bndbox>" + box + "</bndbox></object>";
}

std::string corners(const std::string& x_min, int y_min, int x_max, int y_max) {
  return "<xmin>" + x_min + "</xmin><ymin>" + std::to_string(y_min) + "</ymin><xmax>" +
         std::to_string(x_max) + "</xmax><ymax>" + std::to_string(y_max) + "</ymax>";
}

class Readers : public ::testing::Test {
 protected:
  void make_bccd(const std::string& objects) {
    write_smear(folder_.file("BCCD/JPEGImages/one.jpg"), 1);
    write_smear(folder_.file("BCCD/JPEGImages/two.jpg"), 2);
    write_text(folder_.file("BCCD/Annotations/one.xml"), "<annotation>" + objects + "</annotation>");
    write_text(folder_.file("BCCD/Annotations/two.xml"), "<annotation/>");
    write_text(folder_.file("BCCD/ImageSets/Main/train.txt"), "one\n");
    write_text(folder_.file("BCCD/ImageSets/Main/val.txt"), "two\r\n");
  }
  void make_txl(const std::string& labels) {
    write_smear(folder_.file("TXL_PBC/images/train/one.jpg"), 1);
    write_smear(folder_.file("TXL_PBC/images/val/two.jpg"), 2);
    write_text(folder_.file("TXL_PBC/labels/train/classes.txt"), "WBC\nRBC\nPC\n");
    write_text(folder_.file("TXL_PBC/labels/train/one.txt"), labels);
    write_text(folder_.file("TXL_PBC/labels/val/two.txt"), "");
  }
  Corpus read(const char* source) { return find_reader(source).read(folder_.path(), notes_); }
  std::string error_of(const char* source) {
    try {
      read(source);
    } catch (const Error& problem) {
      return problem.what();
    }
    return "no error";
  }
  TemporaryFolder folder_;
  Notes notes_;
};

TEST_F(Readers, BccdPartsComeFromItsImageSetsAndNamesAreMapped) {
  make_bccd(voc_object("WBC", corners("1", 2, 30, 40)) + voc_object("Platelets", corners("50", 2, 60, 12)));
  const Corpus corpus = read("bccd");
  ASSERT_EQ(corpus.train.size(), 1U);
  ASSERT_EQ(corpus.val.size(), 1U);
  EXPECT_EQ(corpus.train[0].file, "one.jpg");
  EXPECT_EQ(corpus.train[0].width, 96);
  ASSERT_EQ(corpus.train[0].annotations.size(), 2U);
  EXPECT_EQ(corpus.train[0].annotations[1].category, 2);
  EXPECT_EQ(corpus.train[0].annotations[0].box.y_max, 40);
}

TEST_F(Readers, ABccdBoxWithoutAreaIsDroppedAndNoted) {
  make_bccd(voc_object("RBC", corners("10", 10, 10, 10)) + voc_object("RBC", corners("1", 2, 30, 40)));
  EXPECT_EQ(read("bccd").train[0].annotations.size(), 1U);
  ASSERT_EQ(notes_.size(), 1U);
  EXPECT_THAT(notes_[0], AllOf(HasSubstr("one.xml: object 1"), HasSubstr("without area")));
}

TEST_F(Readers, BadBccdLabelsAreErrorsWithFileAndObject) {
  make_bccd(voc_object("Blast", corners("1", 2, 30, 40)));
  EXPECT_THAT(error_of("bccd"), AllOf(HasSubstr("one.xml: object 1"), HasSubstr("unknown class 'Blast'")));
  make_bccd(voc_object("RBC", corners("ten", 2, 30, 40)));
  EXPECT_THAT(error_of("bccd"), AllOf(HasSubstr("object 1"), HasSubstr("<xmin> is 'ten'")));
  make_bccd(voc_object("RBC", corners("nan", 2, 30, 40)));
  EXPECT_THAT(error_of("bccd"), HasSubstr("not a number"));
  make_bccd("<object>");
  EXPECT_THAT(error_of("bccd"), HasSubstr("one.xml"));
}

TEST_F(Readers, AMissingOrBrokenImageIsAnErrorWithItsName) {
  make_bccd("");
  write_text(folder_.file("BCCD/JPEGImages/one.jpg"), "not an image");
  EXPECT_THAT(error_of("bccd"), AllOf(HasSubstr("one.jpg"), HasSubstr("not an image")));
  std::filesystem::remove(folder_.file("BCCD/JPEGImages/one.jpg"));
  EXPECT_THAT(error_of("bccd"), AllOf(HasSubstr("one.jpg"), HasSubstr("no such image")));
}

TEST_F(Readers, TxlBoxesAreScaledToPixels) {
  make_txl("0 0.5 0.5 0.25 0.5\n2 0.1 0.1 0.1 0.1\n");
  const Corpus corpus = read("txl");
  ASSERT_EQ(corpus.train[0].annotations.size(), 2U);
  const Box& box = corpus.train[0].annotations[0].box;
  EXPECT_DOUBLE_EQ(box.x_min, 36);
  EXPECT_DOUBLE_EQ(box.x_max, 60);
  EXPECT_DOUBLE_EQ(box.y_min, 16);
  EXPECT_DOUBLE_EQ(box.y_max, 48);
  EXPECT_EQ(corpus.train[0].annotations[1].category, 2);
  EXPECT_EQ(corpus.val.size(), 1U) << "classes.txt is not a label file";
}

TEST_F(Readers, ARepeatedTxlLabelIsDroppedAndNoted) {
  make_txl("1 0.5 0.5 0.25 0.5\n1 0.5 0.5 0.25 0.5\n");
  EXPECT_EQ(read("txl").train[0].annotations.size(), 1U);
  ASSERT_EQ(notes_.size(), 1U);
  EXPECT_THAT(notes_[0], AllOf(HasSubstr("one.txt: line 2"), HasSubstr("repeated")));
}

TEST_F(Readers, BadTxlLabelsAreErrorsWithFileAndLine) {
  make_txl("1 0.5 0.5 0.25 0.5\n1 0.5 0.5\n");
  EXPECT_THAT(error_of("txl"), HasSubstr("one.txt: line 2"));
  make_txl("3 0.5 0.5 0.25 0.5\n");
  EXPECT_THAT(error_of("txl"), HasSubstr("unknown class number 3"));
  make_txl("1 0.9 0.5 0.5 0.5\n");
  EXPECT_THAT(error_of("txl"), HasSubstr("outside the image"));
  make_txl("1 nan 0.5 0.5 0.5\n");
  EXPECT_THAT(error_of("txl"), HasSubstr("one.txt: line 1"));
  make_txl("");
  std::filesystem::remove(folder_.file("TXL_PBC/labels/train/one.txt"));
  EXPECT_THAT(error_of("txl"), AllOf(HasSubstr("one.txt"), HasSubstr("cannot read")));
}

TEST_F(Readers, AFolderOfAnotherLayoutIsAnError) {
  EXPECT_THAT(error_of("txl"), HasSubstr("is it TXL-PBC?"));
  EXPECT_THAT(error_of("bccd"), HasSubstr("train.txt"));
  EXPECT_THAT(error_of("coco"), HasSubstr("not a corpus"));
  EXPECT_THROW(find_reader("imagenet"), Error);
}

// Counts made independently of the reader (Python, xml.etree and line counts).
TEST_F(Readers, TheRealSetsHaveTheirKnownCounts) {
  const char* shared = std::getenv("SMEARSCOPE_SHARED_DATA");
  if (!shared || !std::filesystem::is_directory(std::filesystem::path(shared) / "bccd")) {
    GTEST_SKIP() << "needs the real data sets in $SMEARSCOPE_SHARED_DATA";
  }
  const auto cells = [](const std::vector<Image>& part) {
    std::size_t count = 0;
    for (const Image& image : part) count += image.annotations.size();
    return count;
  };
  const Corpus bccd = find_reader("bccd").read(std::filesystem::path(shared) / "bccd", notes_);
  EXPECT_EQ(bccd.train.size(), 205U);
  EXPECT_EQ(bccd.val.size(), 87U);
  EXPECT_EQ(cells(bccd.train) + cells(bccd.val), 3350U + 301U + 292U - 2U);
  EXPECT_EQ(notes_.size(), 2U);
  notes_.clear();
  const Corpus txl = find_reader("txl").read(std::filesystem::path(shared) / "txl-pbc", notes_);
  EXPECT_EQ(txl.train.size(), 974U);
  EXPECT_EQ(txl.val.size(), 275U);
  EXPECT_EQ(cells(txl.train), 16188U + 1019U + 564U - 2U);
  EXPECT_EQ(cells(txl.val), 4552U + 292U + 166U);
}

}  // namespace
}  // namespace smearscope::corpus
