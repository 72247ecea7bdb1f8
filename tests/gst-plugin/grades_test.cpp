#include "tally/grades.h"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>

#include "expect_error.h"
#include "smearscope/model.h"
#include "tally/families.h"
#include "temporary_folder.h"

namespace smearscope {
namespace {

using testing::expect_error;
using testing::TemporaryFolder;

class Grades : public ::testing::Test {
 protected:
  GradeTable table(const std::string& text) const {
    std::ofstream(path(), std::ios::binary) << text;
    return GradeTable::read(path());
  }
  std::string path() const { return folder_.file("grades.toml"); }

  TemporaryFolder folder_;
};

// The grade of `count` burr cells among `red_cells` red cells.
std::string graded(const GradeTable& table, guint64 count, guint64 red_cells = 1000,
                   const std::string& shape = "burr_cell") {
  Tally tally;
  tally.rows = {{"rbc", "rbc", 1, red_cells - count}, {shape, "rbc", 2, count}, {"wbc", "wbc", 3, 5000}};
  table.grade(tally);
  EXPECT_EQ(tally.rows[0].grade, "");
  return tally.rows[1].grade;
}

// The highest share that is reached gives the grade, in whatever order the file has them; a shape that was
// not seen has none.
TEST_F(Grades, HoldFromTheirShareOn) {
  const GradeTable grades = table("[burr_cell]\ngrades = { many = 20, \"1+\" = 0, moderate = 2.5 }\n");
  EXPECT_EQ(graded(grades, 0), "");
  EXPECT_EQ(graded(grades, 1), "1+");
  EXPECT_EQ(graded(grades, 24), "1+");
  EXPECT_EQ(graded(grades, 25), "moderate");
  EXPECT_EQ(graded(grades, 199), "moderate");
  EXPECT_EQ(graded(grades, 200), "many");
  EXPECT_EQ(graded(grades, 1000), "many");
}

TEST_F(Grades, BelowTheFirstShareThereIsNone) {
  EXPECT_EQ(graded(table("[burr_cell]\ngrades = { few = 5 }\n"), 49), "");
  EXPECT_EQ(graded(table("[spherocyte]\ngrades = { few = 5 }\n"), 900), "") << "of another class";
}

// Few cells make no percentage: schistocytes are told when 1000 red cells are counted.
TEST_F(Grades, WaitForEnoughCells) {
  const GradeTable usual = table("[burr_cell]\ngrades = { few = 0 }\n");
  EXPECT_EQ(graded(usual, 10, 999), "");
  EXPECT_EQ(graded(usual, 10, 1000), "few");
  const GradeTable early = table("[burr_cell]\ngrades = { few = 0 }\nleast_cells = 100\n");
  EXPECT_EQ(graded(early, 10, 99), "");
  EXPECT_EQ(graded(early, 10, 100), "few");
}

// A grade is a kind's share of its family: a family itself has none. What was graded before is no more.
TEST_F(Grades, AreOfKinds) {
  Tally tally;
  tally.rows = {{"rbc", "rbc", 1, 1000, "old"}, {"burr_cell", "rbc", 2, 7, "old"}};
  table("[rbc]\ngrades = { few = 0 }\n").grade(tally);
  EXPECT_EQ(tally.rows[0].grade, "");
  EXPECT_EQ(tally.rows[1].grade, "");
  GradeTable().grade(tally);
  EXPECT_EQ(tally.rows[1].grade, "");
}

// One line each, with the file and its line.
TEST_F(Grades, ATableThatIsNoneIsRefused) {
  std::string levels;  // each is one more call when toml++ takes its tables apart
  for (int i = 0; i < 60000; ++i) levels += ".a";
  const std::pair<std::string, std::string> bad[] = {
      {"", "has no class"},
      {"a", "line 1: "},
      {"\x01\xFF", "line 1: "},
      {"a\xC2\x85", "line 1: Error while parsing key-value pair: expected '=', saw '?"},  // C1 control
      {"few = 1\n", "line 1: here only tables of classes"},
      {"[a]\n", "line 1: a class needs grades"},
      {"[a]\ngrades = {}\n", "line 1: a class needs grades"},
      {"[a]\ngrades = [1]\n", "line 2: grades is no table"},
      {"[a]\nfew = 1\n", "line 2: a class has grades and least_cells"},
      {"[a]\ngrades = { few = -1 }\n", "line 2: a grade's share"},
      {"[a]\ngrades = { few = 100.5 }\n", "line 2: a grade's share"},
      {"[a]\ngrades = { few = nan }\n", "line 2: a grade's share"},
      {"[a]\ngrades = { few = \"1\" }\n", "line 2: a grade's share"},
      {"[a]\ngrades = { few = 1, many = 1.0 }\n", "line 2: two grades"},
      {"[a]\ngrades = { \"\" = 1 }\n", "line 2: a grade's name"},
      {"[a]\ngrades = { seventeen_letters = 1 }\n", "line 2: a grade's name"},
      {"[a]\ngrades = { \"a\\u001b\" = 1 }\n", "line 2: a grade's name"},
      {"[a]\ngrades = { few = 1 }\nleast_cells = 0\n", "line 3: least_cells"},
      {"[a]\ngrades = { few = 1 }\nleast_cells = 1.5\n", "line 3: least_cells"},
      {"[a]\ngrades = { few = 1 }\nleast_cells = 1000001\n", "line 3: least_cells"},
      {"[a]\ngrades = { few = 1 }\n[a]\n", "line 3: "},
      {"[a]\ngrades = { \"\u202e\" = 1 }\n", "line 2: a grade's name"},  // writes from right to left
      {"[a" + levels + "]\n", "line 1: has more than 100 dots"},
      {"[a]\na" + levels + " = 1\n", "line 2: has more than 100 dots"},
  };
  for (const auto& [text, words] : bad)
    expect_error([&, &text = text] { table(text); }, "grade-table: " + path() + ": " + words);
  for (const std::string& none : {folder_.file("none"), folder_.path()})
    expect_error([&] { GradeTable::read(none); }, none + ": cannot be read");
}

// Nobody writes to this pipe.
TEST_F(Grades, APipeDoesNotHang) {
  ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
  expect_error([&] { GradeTable::read(path()); }, "it is no file");
}

// The table that comes with the pipelines names classes of the model it is for; schistocytes wait for 1000
// red cells.
TEST_F(Grades, TheExampleIsOne) {
  const char* root = std::getenv("SMEARSCOPE_SOURCE_ROOT");
  ASSERT_NE(root, nullptr);
  const GradeTable example = GradeTable::read(std::string(root) + "/pipelines/red-cell-grades.toml");
  const std::vector<std::string> known =
      Model::load(std::string(root) + "/models/smearscope-differential.safetensors")->info().classes;
  EXPECT_EQ(example.classes().size(), 12U);
  for (const std::string& name : example.classes())
    EXPECT_EQ(std::count(known.begin(), known.end(), name), 1) << name;
  EXPECT_EQ(graded(example, 50), "few");
  EXPECT_EQ(graded(example, 25, 1000, "schistocyte"), "many");
  EXPECT_EQ(graded(example, 25, 999, "schistocyte"), "");
}

// Platelets among 1000 red cells, of whatever kind, times the factor; not of fewer red cells.
TEST(PlateletEstimate, IsARatio) {
  Tally tally;
  tally.rows = {{"rbc", "rbc", 1, 900}, {"burr_cell", "rbc", 2, 99}, {"platelet", "platelet", 3, 60}};
  EXPECT_FALSE(platelet_estimate(tally, 5).has_value());
  tally.rows[1].count = 300;
  EXPECT_DOUBLE_EQ(platelet_estimate(tally, 5).value(), 250);
  EXPECT_FALSE(platelet_estimate(tally, 0).has_value()) << "nobody asked";
  tally.rows[2].count = 0;
  EXPECT_EQ(platelet_estimate(tally, 5), 0);
  tally.rows.pop_back();
  EXPECT_FALSE(platelet_estimate(tally, 5).has_value()) << "the model may know no platelets";
}

}  // namespace
}  // namespace smearscope
