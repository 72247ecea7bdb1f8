#include "readers/subtypes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "corpus/taxonomy.h"
#include "corpus_files.h"
#include "temporary_folder.h"

namespace smearscope::corpus {
namespace {

using ::testing::HasSubstr;
using testing::write_text;

class Subtypes : public ::testing::Test {
 protected:
  // The labels of BloodImage_00007.jpg, which has so many boxes of white cells, and one of a red cell.
  Image image_with(const std::string& table, int white_cells) {
    const auto object = [](const std::string& name, int at) {
      return "<object><name>" + name + "</name><bndbox><xmin>" + std::to_string(at) +
             "</xmin><ymin>1</ymin><xmax>40</xmax><ymax>40</ymax></bndbox></object>";
    };
    std::string xml = object("RBC", 1);
    for (int i = 0; i < white_cells; ++i) xml += object("WBC", 10 + i);
    testing::write_smear(folder_.file("JPEGImages/BloodImage_00007.jpg"), 1);
    write_text(folder_.file("Annotations/BloodImage_00007.xml"), "<annotation>" + xml + "</annotation>");
    write_text(folder_.file("ImageSets/Main/train.txt"), "BloodImage_00007\n");
    write_text(folder_.file("labels.csv"), table);
    DataSet set = find_reader("bccd").open(folder_.path());
    refine_by_subtypes(set, folder_.file("labels.csv"));
    return read_all(set).images.at(0);
  }
  std::string error_of(const std::string& table) {
    try {
      image_with(table, 1);
    } catch (const Error& problem) {
      return problem.what();
    }
    return "no error";
  }
  testing::TemporaryFolder folder_;
};

TEST_F(Subtypes, TheOnlyWhiteCellGetsItsTypeAndThatIsNoted) {
  Image image = image_with(",Image,Category\n,6,BASOPHIL\n,7,NEUTROPHIL\n", 1);
  ASSERT_EQ(image.annotations.size(), 2U);
  EXPECT_EQ(image.annotations[0].label, "RBC");
  EXPECT_EQ(image.annotations[1].label, "NEUTROPHIL");
  ASSERT_EQ(image.changes.size(), 1U);
  EXPECT_EQ(image.changes[0].rule, rules::class_refined);
  EXPECT_EQ(image.changes[0].detail, "labels.csv: image 7: WBC is a NEUTROPHIL");
  const Taxonomy paper = load_taxonomy("paper");
  classify(image, paper, "bccd", {}, false);
  EXPECT_EQ(paper.classes[std::size_t(image.annotations[1].category)].name, "neutrophil");
}

TEST_F(Subtypes, WhereTheTypeIsNotCertainTheGeneralClassStays) {
  const std::string header = ",Image,Category\n";
  for (const auto& [table, white_cells] : {std::pair<const char*, int>{",7,NEUTROPHIL\n", 2},
                                           {",7,\"NEUTROPHIL, EOSINOPHIL\"\n", 1},
                                           {",7,\n", 1},
                                           {",8,NEUTROPHIL\n", 1},
                                           {"", 1},
                                           {",7,NEUTROPHIL\n", 0}}) {
    const Image image = image_with(header + table, white_cells);
    EXPECT_TRUE(image.changes.empty()) << table;
    for (const Annotation& a : image.annotations) EXPECT_NE(a.label, "NEUTROPHIL") << table;
  }
}

TEST_F(Subtypes, AnotherTableIsAnErrorThatNamesFileAndLine) {
  EXPECT_THAT(error_of("file,group\n"), HasSubstr("labels.csv: line 1: is not ',Image,Category'"));
  EXPECT_THAT(error_of(",Image,Category\n,x7,NEUTROPHIL\n"),
              HasSubstr("line 2: 'x7' is no number of an image"));
  EXPECT_THAT(error_of(",Image,Category\n,7,A\n,7,B\n"), HasSubstr("line 3: image 7 is there twice"));
  EXPECT_THAT(error_of(",Image,Category\n,7,A\x01\n"), HasSubstr("line 2: 'A\\x01' is no type of a cell"));
  EXPECT_THAT(error_of(",Image,Category\n,7,\"A\n"), HasSubstr("line 2: ends within quotes"));
  EXPECT_THAT(error_of(",Image,Category\n,7\n"), HasSubstr("line 2: has 2 columns instead of 3"));
}

TEST_F(Subtypes, AByteOrderMarkIsNoPartOfTheHeader) {
  EXPECT_EQ(image_with("\xEF\xBB\xBF,Image,Category\r\n,7,NEUTROPHIL\r\n", 1).annotations[1].label,
            "NEUTROPHIL");
}

}  // namespace
}  // namespace smearscope::corpus
