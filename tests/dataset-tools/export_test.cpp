#include "export/formats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <pugixml.hpp>
#include <sstream>

#include "corpus_files.h"
#include "readers/reader.h"
#include "temporary_folder.h"

namespace smearscope::corpus {
namespace {

using ::testing::HasSubstr;
using testing::smear_record;

std::string text_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

class Export : public ::testing::Test {
 protected:
  Export() {
    corpus_.classes = {{"wbc"}, {"it's an rbc", 0}, {"platelet"}};
    const char* parts[] = {"train", "train", "val", "test"};
    for (unsigned i = 0; i < 4; ++i) {
      corpus_.images.push_back(smear_record(folder_.file("in"), "a b " + std::to_string(i) + ".png", i));
      corpus_.images.back().part = parts[i];
    }
    corpus_.images[1].annotations.clear();
    corpus_.images[0].annotations = {{{0.25, 1.37, 95.99, 63}, 1, "fine, \"label\""}, {{1, 2, 3, 4}, 2, ""}};
    corpus_.images[0].pixel_size_um = 0.0725;
  }
  std::string out(const std::string& name = "") { return folder_.file("out/" + name); }
  // What the reader of the format makes of what was written.
  Corpus round_trip(const std::string& format) {
    export_corpus(corpus_, format, out(), Transfer::copy);
    const DataSet set = find_reader(format).open(out());
    Corpus corpus = read_all(set);
    corpus.classes = set.classes;
    return corpus;
  }
  void expect_same_boxes(const Corpus& read) {
    ASSERT_EQ(read.images.size(), corpus_.images.size());
    EXPECT_TRUE(read.left_out.empty());
    for (const Image& written : corpus_.images) {
      const auto found = std::find_if(read.images.begin(), read.images.end(),
                                      [&](const Image& i) { return i.path.filename() == written.file; });
      ASSERT_NE(found, read.images.end()) << written.file;
      EXPECT_EQ(found->part, written.part);
      EXPECT_EQ(sha256_of_file(found->path), sha256_of_file(written.path));
      ASSERT_EQ(found->annotations.size(), written.annotations.size()) << written.file;
      for (std::size_t i = 0; i < written.annotations.size(); ++i) {
        const Annotation &a = written.annotations[i], &b = found->annotations[i];
        EXPECT_EQ(b.label, corpus_.classes[std::size_t(a.category)].name);
        EXPECT_NEAR(a.box.x_min, b.box.x_min, 1e-5);
        EXPECT_NEAR(a.box.y_min, b.box.y_min, 1e-5);
        EXPECT_NEAR(a.box.x_max, b.box.x_max, 1e-5);
        EXPECT_NEAR(a.box.y_max, b.box.y_max, 1e-5);
      }
    }
  }
  testing::TemporaryFolder folder_;
  Corpus corpus_;
};

TEST_F(Export, VocReadsBackWithTheSameBoxesClassesAndParts) {
  expect_same_boxes(round_trip("voc"));
}

TEST_F(Export, YoloReadsBackWithTheSameBoxesClassesAndParts) {
  expect_same_boxes(round_trip("yolo"));
}

TEST_F(Export, VocHasWholeNumbersWhereTheBoxHas) {
  export_corpus(corpus_, "voc", out(), Transfer::copy);
  const std::string xml = text_of(out("Annotations/a b 0.xml"));
  EXPECT_THAT(xml, HasSubstr("<xmin>0.25</xmin>"));
  EXPECT_THAT(xml, HasSubstr("<ymax>63</ymax>"));
  EXPECT_THAT(xml, HasSubstr("<filename>a b 0.png</filename>"));
  EXPECT_EQ(text_of(out("ImageSets/Main/train.txt")), "a b 0\na b 1\n");
}

TEST_F(Export, YoloHasALabelFileForEveryImageAndSaysItsClasses) {
  export_corpus(corpus_, "yolo", out(), Transfer::copy);
  EXPECT_TRUE(std::filesystem::exists(out("labels/train/a b 1.txt")));
  EXPECT_EQ(text_of(out("labels/train/a b 1.txt")), "");
  EXPECT_TRUE(std::filesystem::exists(out("images/test/a b 3.png")));
  const std::string yaml = text_of(out("data.yaml"));
  EXPECT_THAT(yaml, HasSubstr("train: images/train\nval: images/val\ntest: images/test\n"));
  EXPECT_THAT(yaml, HasSubstr("  1: 'it''s an rbc'\n"));
}

TEST_F(Export, CsvTellsAllOfABox) {
  export_corpus(corpus_, "csv", out(), Transfer::copy);
  EXPECT_THAT(text_of(out("boxes.csv")),
              HasSubstr("1,a b 0.png,2,it's an rbc,\"fine, \"\"label\"\"\",labelled,0.25,1.37,95.99,63\n"));
  EXPECT_THAT(text_of(out("images.csv")), HasSubstr("1,a b 0.png,train,96,64,0.07250,,test,a b 0.png,"));
  EXPECT_THAT(text_of(out("classes.csv")), HasSubstr("2,it's an rbc,wbc\n"));
}

TEST_F(Export, CocoHasOneFileAPart) {
  export_corpus(corpus_, "coco", out(), Transfer::copy);
  for (const char* part : {"train", "val", "test"})
    EXPECT_TRUE(std::filesystem::exists(out("annotations/instances_" + std::string(part) + ".json")));
  EXPECT_TRUE(std::filesystem::exists(out("images/a b 3.png")));
}

TEST_F(Export, TwoImagesOfOneNameButForTheExtensionAreRefusedWhereTheyCollide) {
  corpus_.images[1].file = "a b 0.jpg";
  for (const char* format : {"voc", "yolo"}) {
    try {
      export_corpus(corpus_, format, out(), Transfer::copy);
      FAIL() << "no error";
    } catch (const Error& problem) {
      EXPECT_THAT(problem.what(), HasSubstr("two images are named 'a b 0'"));
    }
    EXPECT_FALSE(std::filesystem::exists(out())) << "nothing half-written stays";
    EXPECT_FALSE(std::filesystem::exists(folder_.file("out.new")));
  }
  export_corpus(corpus_, "csv", out(), Transfer::copy);
}

TEST_F(Export, AnUnknownFormatIsAnErrorThatNamesTheKnown) {
  try {
    export_corpus(corpus_, "excel", out(), Transfer::copy);
    FAIL() << "no error";
  } catch (const Error& problem) {
    EXPECT_THAT(problem.what(), HasSubstr("known are coco, voc, yolo, csv"));
  }
}

}  // namespace
}  // namespace smearscope::corpus
