#include "readers/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "corpus/folder.h"
#include "corpus/standardise.h"
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
  Corpus read(const char* source) { return read_all(find_reader(source).open(folder_.path())); }
  std::string error_of(const char* source) {
    try {
      read(source);
    } catch (const Error& problem) {
      return problem.what();
    }
    return "no error";
  }
  // Of the first image: "rule: detail" of its only change, or what it has instead.
  std::string change_of(const char* source) {
    const Corpus corpus = read(source);
    if (corpus.images.empty() || corpus.images[0].changes.size() != 1) return "not one change";
    return corpus.images[0].changes[0].rule + ": " + corpus.images[0].changes[0].detail;
  }
  // Which is the only file left out, and why.
  std::string left_out_of(const char* source) {
    const Corpus corpus = read(source);
    if (corpus.left_out.size() != 1) return std::to_string(corpus.left_out.size()) + " left out";
    const LeftOut& left = corpus.left_out[0];
    return left.source_file + ": " + left.change.rule + ": " + left.change.detail;
  }
  TemporaryFolder folder_;
};

TEST_F(Readers, BccdPartsComeFromItsImageSets) {
  make_bccd(voc_object("WBC", corners("1", 2, 30, 40)) + voc_object("Platelets", corners("50", 2, 60, 12)));
  const Corpus corpus = read("bccd");
  ASSERT_EQ(corpus.images.size(), 2U);
  EXPECT_EQ(corpus.images[1].part, "val");
  const Image& image = corpus.images[0];
  EXPECT_EQ(image.part, "train");
  EXPECT_EQ(image.file, "one.jpg");
  EXPECT_EQ(image.width, 96);
  ASSERT_EQ(image.annotations.size(), 2U);
  EXPECT_EQ(image.annotations[1].label, "Platelets");
  EXPECT_EQ(image.annotations[0].box.y_max, 40);
  EXPECT_EQ(image.sha256, sha256_of_file(image.path));
}

TEST_F(Readers, ABccdBoxWithoutAreaIsDroppedAndNoted) {
  make_bccd(voc_object("RBC", corners("10", 10, 10, 10)) + voc_object("RBC", corners("1", 2, 30, 40)));
  EXPECT_EQ(read("bccd").images[0].annotations.size(), 1U);
  EXPECT_THAT(change_of("bccd"), AllOf(HasSubstr("one.xml: object 1"), HasSubstr("without area")));
}

TEST_F(Readers, BadBccdLabelsAreNotedWithFileAndObject) {
  make_bccd(voc_object("RBC", corners("ten", 2, 30, 40)) + voc_object("RBC", corners("1", 2, 30, 40)));
  EXPECT_EQ(read("bccd").images[0].annotations.size(), 1U);
  EXPECT_THAT(change_of("bccd"),
              AllOf(HasSubstr("label unreadable"), HasSubstr("object 1"), HasSubstr("<xmin> is 'ten'")));
  make_bccd(voc_object("RBC", corners("nan", 2, 30, 40)));
  EXPECT_THAT(change_of("bccd"), HasSubstr("not a number"));
  make_bccd("<object>");
  EXPECT_THAT(left_out_of("bccd"), AllOf(HasSubstr("file unreadable"), HasSubstr("one.xml")));
}

TEST_F(Readers, AMissingOrBrokenImageIsLeftOutWithItsName) {
  make_bccd("");
  write_text(folder_.file("BCCD/JPEGImages/one.jpg"), "not an image");
  EXPECT_THAT(left_out_of("bccd"), AllOf(HasSubstr("one.jpg"), HasSubstr("not an image")));
  std::filesystem::remove(folder_.file("BCCD/JPEGImages/one.jpg"));
  EXPECT_THAT(left_out_of("bccd"), AllOf(HasSubstr("BCCD/JPEGImages/one: file unpaired: no such image"),
                                         HasSubstr("train.txt: line 1")));
  EXPECT_EQ(read("bccd").images.size(), 1U) << "the other image is read";
}

TEST_F(Readers, TxlBoxesAreScaledToPixels) {
  make_txl("0 0.5 0.5 0.25 0.5\n2 0.1 0.1 0.1 0.1\n");
  const Corpus corpus = read("txl");
  ASSERT_EQ(corpus.images.size(), 2U) << "classes.txt is not a label file";
  ASSERT_EQ(corpus.images[0].annotations.size(), 2U);
  const Box& box = corpus.images[0].annotations[0].box;
  EXPECT_DOUBLE_EQ(box.x_min, 36);
  EXPECT_DOUBLE_EQ(box.x_max, 60);
  EXPECT_DOUBLE_EQ(box.y_min, 16);
  EXPECT_DOUBLE_EQ(box.y_max, 48);
  EXPECT_EQ(corpus.images[0].annotations[1].label, "Platelets");
  EXPECT_EQ(corpus.images[1].part, "val");
}

TEST_F(Readers, ARepeatedTxlLabelIsDroppedAndNoted) {
  make_txl("1 0.5 0.5 0.25 0.5\n1 0.5 0.5 0.25 0.5\n");
  EXPECT_EQ(read("txl").images[0].annotations.size(), 1U);
  EXPECT_THAT(change_of("txl"), AllOf(HasSubstr("one.txt: line 2"), HasSubstr("doubled")));
}

TEST_F(Readers, OfACellWithTwoClassesNeitherIsBelieved) {
  make_txl("0 0.5 0.5 0.25 0.5\n1 0.5 0.5 0.25 0.5\n1 0.1 0.1 0.1 0.1\n");
  const StoredCorpus corpus = standardise(find_reader("txl").open(folder_.path()), "txl",
                                          load_taxonomy("cells"), folder_.file("out"), {});
  const Image& image = corpus.images[0];
  ASSERT_EQ(image.annotations.size(), 1U);
  EXPECT_EQ(image.annotations[0].label, "RBC");
  EXPECT_GE(image.ignore_regions.size(), 2U);
  ASSERT_EQ(image.changes.size(), 2U);
  EXPECT_EQ(image.changes[0].rule, std::string("labels contradict"));
  EXPECT_THAT(image.changes[0].detail, HasSubstr("box 1 says wbc, box 2 of the same cell rbc"));
}

TEST_F(Readers, BadTxlLabelsAreNotedWithFileAndLine) {
  make_txl("1 0.5 0.5 0.25 0.5\n1 0.5 0.5\n");
  EXPECT_THAT(change_of("txl"), AllOf(HasSubstr("label unreadable"), HasSubstr("one.txt: line 2")));
  make_txl("3 0.5 0.5 0.25 0.5\n");
  EXPECT_THAT(change_of("txl"), HasSubstr("unknown class number 3"));
  make_txl("1 0.9 0.5 0.5 0.5\n");
  EXPECT_THAT(change_of("txl"), HasSubstr("outside the image"));
  make_txl("1 nan 0.5 0.5 0.5\n");
  EXPECT_THAT(change_of("txl"), HasSubstr("one.txt: line 1"));
  make_txl("");
  std::filesystem::remove(folder_.file("TXL_PBC/labels/train/one.txt"));
  EXPECT_THAT(left_out_of("txl"),
              HasSubstr("file unpaired: no labels: there is no TXL_PBC/labels/train/one.txt"));
}

TEST_F(Readers, AFolderOfAnotherLayoutIsAnError) {
  EXPECT_THAT(error_of("txl"), HasSubstr("no TXL-PBC: expected folders images/train"));
  EXPECT_THAT(error_of("bccd"), HasSubstr("no BCCD: expected JPEGImages"));
  EXPECT_THAT(error_of("voc"), HasSubstr("no Pascal VOC: expected folders JPEGImages"));
  EXPECT_THAT(error_of("yolo"), HasSubstr("no YOLO: expected images below images/"));
  EXPECT_THAT(error_of("coco"), HasSubstr("not a corpus"));
  EXPECT_THROW(find_reader("imagenet"), Error);
}

// Counts made independently of the reader (Python, xml.etree and line counts).
TEST_F(Readers, TheRealSetsHaveTheirKnownCounts) {
  const char* shared = std::getenv("SMEARSCOPE_SHARED_DATA");
  if (!shared || !std::filesystem::is_directory(std::filesystem::path(shared) / "bccd")) {
    GTEST_SKIP() << "needs the real data sets in $SMEARSCOPE_SHARED_DATA";
  }
  const auto cells = [](const Corpus& corpus, const std::string& part) {
    std::size_t count = 0;
    for (const Image& image : corpus.images) count += image.part == part ? image.annotations.size() : 0;
    return count;
  };
  const Corpus bccd = read_all(find_reader("bccd").open(std::filesystem::path(shared) / "bccd"));
  EXPECT_EQ(count_of_part(bccd, "train"), 205U);
  EXPECT_EQ(count_of_part(bccd, "val"), 87U);
  EXPECT_EQ(cells(bccd, "train") + cells(bccd, "val"), 3350U + 301U + 292U - 2U);
  EXPECT_TRUE(bccd.left_out.empty());
  const Corpus txl = read_all(find_reader("txl").open(std::filesystem::path(shared) / "txl-pbc"));
  EXPECT_EQ(count_of_part(txl, "train"), 974U);
  EXPECT_EQ(count_of_part(txl, "val"), 275U);
  EXPECT_EQ(cells(txl, "train"), 16188U + 1019U + 564U - 2U);
  EXPECT_EQ(cells(txl, "val"), 4552U + 292U + 166U);
}

}  // namespace
}  // namespace smearscope::corpus
