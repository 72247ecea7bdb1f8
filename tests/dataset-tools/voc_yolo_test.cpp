// The layouts in which Pascal VOC and YOLO data sets come.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "corpus_files.h"
#include "readers/data_yaml.h"
#include "readers/reader.h"
#include "temporary_folder.h"

namespace smearscope::corpus {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::write_smear;
using testing::write_text;

std::string object(const std::string& name) {
  return "<object><name>" + name +
         "</name><bndbox><xmin>10</xmin><ymin>12</ymin><xmax>30</xmax><ymax>40</ymax>"
         "</bndbox><part><name>nucleus</name><bndbox><xmin>1</xmin></bndbox></part></object>";
}

class Layouts : public ::testing::Test {
 protected:
  void voc_image(const std::string& name, const std::string& objects, const std::string& above = "") {
    write_smear(folder_.file(above + "JPEGImages/" + name + ".jpg"), 1);
    write_text(folder_.file(above + "Annotations/" + name + ".xml"),
               "<?xml version=\"1.0\"?>\n<annotation>" + objects + "</annotation>");
  }
  void yolo_image(const std::string& image, const std::string& labels,
                  const std::string& text = "1 0.5 0.5 0.25 0.5\n") {
    write_smear(folder_.file(image), 1);
    write_text(folder_.file(labels), text);
  }
  Corpus read(const char* source) { return read_all(find_reader(source).open(folder_.path())); }
  // "file part label" of each image, with the label of its first annotation.
  std::vector<std::string> summary(const char* source) {
    const Corpus corpus = read(source);
    EXPECT_TRUE(corpus.left_out.empty()) << corpus.left_out[0].source_file;
    std::vector<std::string> lines;
    for (const Image& image : corpus.images)
      lines.push_back(image.file + " '" + image.part + "' " +
                      (image.annotations.empty() ? "-" : image.annotations[0].label));
    return lines;
  }
  testing::TemporaryFolder folder_;
};

TEST_F(Layouts, VocPartsComeFromImageSetsAndImagesInNoneHaveNone) {
  for (const char* name : {"a", "b", "c.1", "d"}) voc_image(name, object("RBC"));
  write_text(folder_.file("ImageSets/Main/train.txt"), "a\r\n\nb  \n");
  write_text(folder_.file("ImageSets/Main/test.txt"), "c.1");
  write_text(folder_.file("ImageSets/Main/RBC_train.txt"), "a 1\nb -1\n");
  EXPECT_THAT(summary("voc"),
              ElementsAre("a.jpg 'train' RBC", "b.jpg 'train' RBC", "c.1.jpg 'test' RBC", "d.jpg '' RBC"));
}

TEST_F(Layouts, VocNeedsNoImageSetsAndMayLieOneFolderDown) {
  voc_image("a", object("RBC"), "VOC2007/");
  EXPECT_THAT(summary("voc"), ElementsAre("a.jpg '' RBC"));
}

TEST_F(Layouts, VocFoldersMayHaveFolders) {
  voc_image("slide 1/a", object("RBC"));
  voc_image("slide 2/a", object("WBC"));
  write_text(folder_.file("ImageSets/Main/val.txt"), "slide 2/a\n");
  EXPECT_THAT(summary("voc"), ElementsAre("slide 1/a.jpg '' RBC", "slide 2/a.jpg 'val' WBC"));
}

TEST_F(Layouts, VocClassesAreTheNamesOfAllObjects) {
  voc_image("a", object("rbc") + object("platelets"));
  voc_image("b", object("wbc"));
  voc_image("c", "");
  const DataSet set = find_reader("voc").open(folder_.path());
  EXPECT_THAT(set.classes, ElementsAre(Class{"platelets"}, Class{"rbc"}, Class{"wbc"}));
  const Corpus corpus = read_all(set);
  EXPECT_EQ(corpus.images[0].annotations[0].category, 1);
  EXPECT_EQ(corpus.images[0].annotations[1].category, 0);
  EXPECT_EQ(corpus.images[0].annotations.size(), 2U) << "parts of objects are no objects";
  EXPECT_TRUE(corpus.images[2].annotations.empty()) << "no object: no cell";
}

TEST_F(Layouts, YoloPartsMayBeBelowImagesOrAboveIt) {
  write_text(folder_.file("data.yaml"), "names: ['wbc', 'rbc']\n");
  yolo_image("images/train/a.jpg", "labels/train/a.txt");
  yolo_image("images/val/deep/a.jpg", "labels/val/deep/a.txt");
  yolo_image("images/b.png", "labels/b.txt");
  yolo_image("valid/images/c.jpg", "valid/labels/c.txt");
  yolo_image("test/images/c.jpg", "test/labels/c.txt", "");
  EXPECT_THAT(summary("yolo"),
              ElementsAre("b.png '' rbc", "train/a.jpg 'train' rbc", "val/deep/a.jpg 'val' rbc",
                          "test/images/c.jpg 'test' -", "valid/images/c.jpg 'val' rbc"));
}

TEST_F(Layouts, YoloPartsMayBeNamedByDataYaml) {
  write_text(
      folder_.file("data.yaml"),
      "# a comment\npath: ../datasets/blood  # where it was\ntrain:\n  - images/fold1\n  - images/fold2/\n"
      "val: ../images/fold3\nnc: 2\n\nnames:\n  0: wbc\n  1: \"rbc\"\n");
  for (const std::string fold : {"fold1", "fold2", "fold3", "fold4"})
    yolo_image("images/" + fold + "/a.jpg", "labels/" + fold + "/a.txt");
  EXPECT_THAT(summary("yolo"), ElementsAre("fold1/a.jpg 'train' rbc", "fold2/a.jpg 'train' rbc",
                                           "fold3/a.jpg 'val' rbc", "fold4/a.jpg '' rbc"));
}

TEST_F(Layouts, AYoloFolderOfTwoPartsIsOfNone) {
  write_text(folder_.file("data.yaml"), "train: images/all\nval: images/all\nnames: [wbc, rbc]\n");
  yolo_image("images/all/a.jpg", "labels/all/a.txt");
  EXPECT_THAT(summary("yolo"), ElementsAre("all/a.jpg '' rbc"));
}

TEST_F(Layouts, YoloTextMayLieBesideItsImage) {
  write_text(folder_.file("obj.names"), "wbc\nrbc\n");
  write_text(folder_.file("train.txt"), "data/obj_train_data/a.jpg\n");
  yolo_image("obj_train_data/a.jpg", "obj_train_data/a.txt");
  EXPECT_THAT(summary("yolo"), ElementsAre("obj_train_data/a.jpg '' rbc"));
}

TEST_F(Layouts, YoloClassesMayBeListedAmongTheLabels) {
  write_text(folder_.file("labels/classes.txt"), "wbc\r\nrbc\r\n\r\n");
  yolo_image("images/a.jpg", "labels/a.txt");
  EXPECT_THAT(summary("yolo"), ElementsAre("a.jpg '' rbc"));
  EXPECT_THAT(find_reader("yolo").open(folder_.path()).classes, ElementsAre(Class{"wbc"}, Class{"rbc"}));
}

TEST_F(Layouts, AYoloOutlineBecomesTheBoxAroundIt) {
  write_text(folder_.file("classes.txt"), "wbc\n");
  yolo_image("images/a.jpg", "labels/a.txt", "0 0.25 0.5 0.5 0.25 0.75 0.5 0.5 0.75\n");
  const Corpus corpus = read("yolo");
  const Box& box = corpus.images.at(0).annotations.at(0).box;
  EXPECT_DOUBLE_EQ(box.x_min, 24);
  EXPECT_DOUBLE_EQ(box.x_max, 72);
  EXPECT_DOUBLE_EQ(box.y_min, 16);
  EXPECT_DOUBLE_EQ(box.y_max, 48);
}

TEST(DataYamlTest, NamesComeInAllTheFormsOfYaml) {
  for (const char* yaml :
       {"names: [a b, 'it''s', \"c \\\"d\\\"\"]",
        "names: ['a b',  # the first\n  'it''s',\n  \"c \\\"d\\\"\"]\nnc: 3",
        "names:\n- a b\n- 'it''s'   # quoted\n- c \"d\"\n",
        "names:\n  - a b\n\n  - it's\n  - c \"d\"\nval: x\n", "names: {0: a b, 1: it's, 2: 'c \"d\"'}",
        "nc: 3\r\nnames:\r\n  2: c \"d\"\r\n  0: a b\r\n  1: it's\r\n"}) {
    EXPECT_THAT(parse_data_yaml(yaml, "data.yaml").names, ElementsAre("a b", "it's", "c \"d\"")) << yaml;
  }
  EXPECT_THAT(parse_data_yaml("names:\n  2: c\n", "").names, ElementsAre("", "", "c"));
  EXPECT_THAT(parse_data_yaml("names: [c#, a:b, '#1']", "").names, ElementsAre("c#", "a:b", "#1"));
}

TEST(DataYamlTest, OtherKeysAreSkipped) {
  const DataYaml yaml = parse_data_yaml(
      "roboflow:\n  names: [x]\n  url: https://example.org/a#b\ndownload: |\n  import os\n  print('x')\n"
      "train: 'images/my train'\nval: ''\nnames: [a]\n",
      "");
  EXPECT_THAT(yaml.names, ElementsAre("a"));
  EXPECT_THAT(yaml.train, ElementsAre("images/my train"));
  EXPECT_TRUE(yaml.val.empty());
}

}  // namespace
}  // namespace smearscope::corpus
