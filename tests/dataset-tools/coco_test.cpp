#include "corpus/coco.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "corpus/folder.h"
#include "corpus_files.h"
#include "temporary_folder.h"

namespace smearscope::corpus {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::TemporaryFolder;
using testing::write_text;

std::string document(const std::string& annotation,
                     const std::string& image = R"({"id": 7, "file_name": "a.png",
    "width": 96, "height": 64, "licence_url": "unknown field"})") {
  return R"({"info": 3, "categories": [{"id": 5, "name": "rbc"}, {"id": 2, "name": "wbc"}], "images": [)" +
         image + R"(], "annotations": [)" + annotation + "]}";
}

std::string annotation(const std::string& bbox, int image = 7, int category = 5) {
  return R"({"id": 17, "image_id": )" + std::to_string(image) + R"(, "category_id": )" +
         std::to_string(category) + R"(, "bbox": )" + bbox + R"(, "score": "x"})";
}

class Coco : public ::testing::Test {
 protected:
  CocoPart read(const std::string& text) {
    write_text(folder_.file("val.json"), text);
    return read_coco(folder_.file("val.json"), folder_.path());
  }
  std::string error_of(const std::string& text) {
    try {
      read(text);
    } catch (const Error& problem) {
      EXPECT_EQ(std::string(problem.what()).find('\n'), std::string::npos) << "more than one line";
      EXPECT_THAT(problem.what(), HasSubstr("val.json"));
      return problem.what();
    }
    return "no error";
  }
  TemporaryFolder folder_;
};

// A class is no kind of itself, by whatever way; its own name as supercategory says nothing.
TEST_F(Coco, SupercategoriesInACircleAreRefused) {
  const auto with = [](const std::string& a, const std::string& b, const std::string& c) {
    return R"({"images": [], "annotations": [], "categories": [{"id": 1, "name": "a", "supercategory": ")" +
           a + R"("}, {"id": 2, "name": "b", "supercategory": ")" + b +
           R"("}, {"id": 3, "name": "c", "supercategory": ")" + c + R"("}]})";
  };
  EXPECT_EQ(read(with("b", "c", "cell")).classes.at(0).parent, 1);
  EXPECT_EQ(read(with("a", "a", "b")).classes.at(0).parent, -1);
  EXPECT_THAT(error_of(with("b", "c", "a")), ::testing::HasSubstr("'a' go round in a circle"));
  EXPECT_THAT(error_of(with("x", "c", "b")), ::testing::HasSubstr("'b' go round in a circle"));
}

TEST_F(Coco, ClassesAreInTheOrderOfTheirIdsAndUnknownFieldsAreIgnored) {
  const CocoPart part = read(document(annotation("[10, 20, 30, 40]")));
  ASSERT_EQ(part.classes.size(), 2U);
  EXPECT_EQ(part.classes[0].name, "wbc");
  EXPECT_EQ(part.classes[1].name, "rbc");
  ASSERT_EQ(part.images.size(), 1U);
  ASSERT_EQ(part.images[0].annotations.size(), 1U);
  const Annotation cell = part.images[0].annotations[0];
  EXPECT_EQ(cell.category, 1);
  EXPECT_EQ(cell.box.x_min, 10);
  EXPECT_EQ(cell.box.y_max, 60);
  EXPECT_EQ(part.images[0].path, std::filesystem::path(folder_.path()) / "a.png");
}

TEST_F(Coco, ABoxThatRoundingPutOverTheEdgeIsClipped) {
  const CocoPart part = read(document(annotation("[-0.3, 0, 96.5, 64.2]")));
  const Box box = part.images[0].annotations[0].box;
  EXPECT_EQ(box.x_min, 0);
  EXPECT_EQ(box.x_max, 96);
  EXPECT_EQ(box.y_max, 64);
}

TEST_F(Coco, ABoxThatComesBeforeItsImageIsClippedToo) {
  const auto box_first = [&](const std::string& bbox) {
    return R"({"categories": [{"id": 5, "name": "rbc"}], "annotations": [)" + annotation(bbox) +
           R"(], "images": [{"id": 7, "file_name": "a.png", "width": 96, "height": 64}]})";
  };
  EXPECT_EQ(read(box_first("[90, 10, 6.4, 5]")).images[0].annotations.at(0).box.x_max, 96);
  EXPECT_THAT(error_of(box_first("[96, 10, 0.4, 5]")), HasSubstr("annotation 17: box has no area inside"));
  EXPECT_THAT(error_of(box_first("[90, 10, 16, 5]")),
              HasSubstr("annotation 17: box reaches outside its image"));
}

TEST_F(Coco, ABoxOutsideItsImageIsAnErrorWithFileAndId) {
  EXPECT_THAT(error_of(document(annotation("[90, 10, 10, 10]"))),
              AllOf(HasSubstr("annotation 17"), HasSubstr("outside its image 'a.png' (96x64)")));
  EXPECT_THAT(error_of(document(annotation("[-0.4, 10, 0.3, 10]"))), HasSubstr("no area inside"));
}

TEST_F(Coco, ABoxWithoutAreaIsAnErrorWithFileAndId) {
  for (const char* bbox : {"[10, 10, 0, 10]", "[10, 10, 5, -3]"}) {
    EXPECT_THAT(error_of(document(annotation(bbox))), AllOf(HasSubstr("annotation 17"), HasSubstr("no area")))
        << bbox;
  }
}

TEST_F(Coco, ABoxThatIsNotFourNumbersIsAnError) {
  for (const char* bbox : {"[1, 2, 3]", "[1, 2, 3, \"4\"]", "null", "{}", "[1, 2, 3, null]"}) {
    EXPECT_THAT(error_of(document(annotation(bbox))), HasSubstr("not four numbers")) << bbox;
  }
  EXPECT_THAT(error_of(document(annotation("[1e999, 2, 3, 4]"))), HasSubstr("not JSON"));
}

TEST_F(Coco, UnknownImageAndCategoryIdsAreErrors) {
  EXPECT_THAT(error_of(document(annotation("[1, 2, 3, 4]", 8))),
              HasSubstr("annotation 17: names an image id"));
  EXPECT_THAT(error_of(document(annotation("[1, 2, 3, 4]", 7, 1))),
              HasSubstr("annotation 17: names a category id"));
}

TEST_F(Coco, RepeatedIdsAndNamesAreErrors) {
  const std::string a = R"({"id": 1, "file_name": "a.png", "width": 9, "height": 9})";
  const std::string b = R"({"id": 1, "file_name": "b.png", "width": 9, "height": 9})";
  const std::string c = R"({"id": 2, "file_name": "a.png", "width": 9, "height": 9})";
  EXPECT_THAT(error_of(document("", a + "," + b)), HasSubstr("image 1: the id is used twice"));
  EXPECT_THAT(error_of(document("", a + "," + c)), HasSubstr("image 2: file name 'a.png' is used twice"));
  EXPECT_THAT(error_of(document(annotation("[1, 2, 3, 4]") + "," + annotation("[1, 2, 3, 4]"))),
              HasSubstr("annotation 17: the id is used twice"));
}

TEST_F(Coco, AFileNameThatLeavesTheFolderIsAnError) {
  for (const char* name : {"../../etc/passwd", "/etc/passwd", "a/../../b.png"}) {
    const std::string image =
        R"({"id": 1, "width": 9, "height": 9, "file_name": ")" + std::string(name) + "\"}";
    EXPECT_THAT(error_of(document("", image)), HasSubstr("leaves the folder")) << name;
  }
}

TEST_F(Coco, SizesThatNoImageHasAreErrors) {
  for (const char* size : {"0", "-5", "2000000000", "1.5", "\"9\""}) {
    const std::string image =
        R"({"id": 1, "file_name": "a.png", "height": 9, "width": )" + std::string(size) + "}";
    EXPECT_THAT(error_of(document("", image)), HasSubstr("image 1: \"width\"")) << size;
  }
}

TEST_F(Coco, WhatIsNotCocoJsonIsAnError) {
  EXPECT_THAT(error_of(""), HasSubstr("not JSON"));
  EXPECT_THAT(error_of("{\"images\": ["), HasSubstr("not JSON"));
  EXPECT_THAT(error_of("[]"), HasSubstr("has no list \"categories\""));
  EXPECT_THAT(error_of(R"({"categories": {}, "images": [], "annotations": []})"),
              HasSubstr("no list \"categories\""));
  EXPECT_THAT(error_of(R"({"categories": [], "images": [3], "annotations": []})"),
              HasSubstr("image number 1: is not an object"));
  EXPECT_THAT(error_of(document(R"({"id": 1})")), HasSubstr("annotation 1: has no \"image_id\""));
  EXPECT_THAT(error_of(std::string(100000, '[')), HasSubstr("not JSON"));
  EXPECT_THROW(read_coco(folder_.file("missing.json"), folder_.path()), Error);
}

TEST_F(Coco, CrowdRegionsAreLeftOut) {
  const std::string crowd =
      R"({"id": 3, "image_id": 7, "category_id": 5, "iscrowd": 1, "bbox": [0, 0, 5, 5]})";
  EXPECT_TRUE(read(document(crowd)).images[0].annotations.empty());
}

TEST_F(Coco, AWrittenCorpusReadsBackTheSame) {
  Corpus corpus;
  corpus.classes = testing::cell_classes();
  const std::filesystem::path source = folder_.file("source");
  for (unsigned i = 0; i < 3; ++i) {
    corpus.images.push_back(testing::smear_record(source, "t" + std::to_string(i) + ".png", i));
  }
  corpus.images.push_back(testing::smear_record(source, "v.png", 9, "other \"set\""));
  corpus.images[3].part = "val";
  write_corpus(folder_.file("corpus"), corpus);
  const Corpus read = read_corpus(folder_.file("corpus"));
  EXPECT_EQ(read.classes, corpus.classes);
  ASSERT_EQ(read.images.size(), 4U);
  EXPECT_EQ(count_of_part(read, "train"), 3U);
  EXPECT_EQ(read.images[3].source, "other \"set\"");
  EXPECT_EQ(read.images[3].annotations.size(), corpus.images[3].annotations.size());
  EXPECT_EQ(read.images[2].annotations[1].box.x_max, corpus.images[2].annotations[1].box.x_max);
  EXPECT_EQ(sha256_of_file(read.images[3].path), sha256_of_file(corpus.images[3].path))
      << "images are copied byte for byte";
  EXPECT_EQ(digest_of(read), digest_of(corpus)) << "the digest doesn't depend on where the corpus is";
}

TEST_F(Coco, TheDigestChangesWithAnyBoxAndAnyPixel) {
  Corpus corpus;
  corpus.classes = testing::cell_classes();
  corpus.images.push_back(testing::smear_record(folder_.path(), "a.png", 1));
  const std::string before = digest_of(corpus);
  corpus.images[0].annotations[0].box.x_min += 1;
  const std::string moved = digest_of(corpus);
  EXPECT_NE(before, moved);
  testing::write_smear(corpus.images[0].path, 2);
  EXPECT_NE(digest_of(corpus), moved);
}

TEST_F(Coco, AnExistingFolderIsNotOverwritten) {
  Corpus corpus;
  corpus.classes = testing::cell_classes();
  corpus.images.push_back(testing::smear_record(folder_.path(), "a.png", 1));
  write_text(folder_.file("corpus/precious.txt"), "x");
  EXPECT_THROW(write_corpus(folder_.file("corpus"), corpus), Error);
  EXPECT_TRUE(std::filesystem::exists(folder_.file("corpus/precious.txt")));
}

TEST_F(Coco, AFailedWriteLeavesNothingBehind) {
  Corpus corpus;
  corpus.classes = testing::cell_classes();
  corpus.images.push_back(testing::smear_record(folder_.file("source"), "a.png", 1));
  corpus.images.push_back(corpus.images[0]);
  corpus.images[1].file = "b.png";
  corpus.images[1].path = folder_.file("missing.png");
  EXPECT_THROW(write_corpus(folder_.file("corpus"), corpus), Error);
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    EXPECT_EQ(entry.path().filename(), "source");
  }
}

TEST_F(Coco, AMissingImageFileIsAnErrorWithItsName) {
  write_text(folder_.file("corpus/annotations/train.json"), document(annotation("[1, 2, 3, 4]")));
  try {
    read_corpus(folder_.file("corpus"));
    FAIL() << "no error";
  } catch (const Error& problem) {
    EXPECT_THAT(problem.what(), AllOf(HasSubstr("train.json"), HasSubstr("'a.png' is missing")));
  }
}

}  // namespace
}  // namespace smearscope::corpus
