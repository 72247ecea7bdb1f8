#include "overlay/tally_panel.h"

#include <gtest/gtest.h>

#include "tally/families.h"

namespace smearscope {
namespace {

Tally example() {
  Tally tally;
  tally.rows = {{"wbc", "wbc", 0, 2},           {"lymphocyte", "wbc", 1, 3}, {"neutrophil", "wbc", 2, 1},
                {"platelet", "platelet", 9, 4}, {"macrocyte", "rbc", 12, 1}, {"segmented", "wbc", 13, 0}};
  return tally;
}

// A family sums up its kinds and the cells whose kind is open, wherever its rows stand.
TEST(Families, SumUpTheirKinds) {
  const std::vector<Family> families = families_of(example());
  ASSERT_EQ(families.size(), 3U);
  EXPECT_EQ(families[0].name, "wbc");
  EXPECT_EQ(families[0].count, 6U);
  EXPECT_EQ(families[0].open, 2U);
  EXPECT_EQ(families[0].kinds.size(), 3U);
  EXPECT_EQ(families[1].name, "platelet");
  EXPECT_TRUE(families[1].kinds.empty());
  EXPECT_EQ(families[2].name, "rbc");
  EXPECT_EQ(families[2].label, -1) << "none was found under the family's own name";
  EXPECT_EQ(families[2].count, 1U);
  EXPECT_TRUE(families_of({}).empty());
}

// Kinds stand below their family with their shares of it, rounded.
TEST(TallyPanel, ShowsKindsBelowTheirFamilies) {
  const draw::Panel panel = panel_of(example());
  EXPECT_TRUE(panel.goal.empty());
  ASSERT_EQ(panel.rows.size(), 7U);
  EXPECT_EQ(panel.rows[0].class_name, "wbc");
  EXPECT_EQ(panel.rows[0].count, 6U);
  EXPECT_FALSE(panel.rows[0].part);
  EXPECT_EQ(panel.rows[1].class_name, "lymphocyte");
  EXPECT_TRUE(panel.rows[1].part);
  EXPECT_EQ(panel.rows[1].share, "50 %");
  EXPECT_EQ(panel.rows[2].share, "17 %");
  EXPECT_EQ(panel.rows[3].share, "0 %");
  EXPECT_EQ(panel.rows[4].class_name, "platelet");
  EXPECT_EQ(panel.rows[4].share, "");
}

TEST(TallyPanel, ShowsTheTarget) {
  Tally tally = example();
  tally.target = 100;
  tally.target_class = "wbc";
  tally.target_count = 25;
  EXPECT_EQ(panel_of(tally).goal, "wbc 25/100");
  EXPECT_DOUBLE_EQ(panel_of(tally).reached, 0.25);
}

// Erythroblasts are told per 100 white cells of all kinds, and not where there is none.
TEST(TallyPanel, ErythroblastsArePer100WhiteCells) {
  Tally tally = example();
  tally.rows.push_back({"erythroblast", "erythroblast", 20, 4});
  EXPECT_EQ(panel_of(tally).rows.back().share, "67/100 wbc");
  for (Tally::Row& row : tally.rows) row.count = row.family == "wbc" ? 0 : row.count;
  EXPECT_EQ(panel_of(tally).rows.back().share, "");
}

// A grade stands before the share, so that shares are below one another; platelets have their estimate.
TEST(TallyPanel, ShowsGradesAndPlatelets) {
  Tally tally = example();
  tally.rows[4].grade = "2+";
  EXPECT_EQ(panel_of(tally).rows.back().share, "2+ 100.0 %");
  EXPECT_EQ(panel_of(tally).rows[4].share, "");
  tally.platelet_estimate = 249.6;
  EXPECT_EQ(panel_of(tally).rows[4].share, "\u2248250\u00b710\u2079/L");
}

TEST(TallyPanel, WeakClassesAreMarked) {
  Tally tally = example();
  tally.rows[1].weak = true;
  tally.rows[3].weak = true;
  for (const draw::ClassCount& row : panel_of(tally).rows)
    EXPECT_EQ(row.weak, row.class_name == "lymphocyte" || row.class_name == "platelet") << row.class_name;
}

// A family without a cell has no shares to divide by.
TEST(TallyPanel, NothingCountedIsNoDivision) {
  Tally tally = example();
  for (Tally::Row& row : tally.rows) row.count = 0;
  EXPECT_EQ(panel_of(tally).rows[1].share, "0 %");
}

// A scale that the red cells tell says so; a good view is not spoken of.
TEST(TallyPanel, SaysWhatIsKnownOfThePicture) {
  Tally tally = example();
  EXPECT_EQ(caption_of(tally).pixel_size_um, 0);
  EXPECT_EQ(caption_of(tally).warning, "");
  tally.pixel_size_um = 0.1;
  EXPECT_EQ(caption_of(tally).pixel_size_um, 0.1);
  EXPECT_TRUE(caption_of(tally).estimated);
  tally.calibrated = true;
  EXPECT_FALSE(caption_of(tally).estimated);
  tally.view = View::out_of_focus;
  EXPECT_EQ(caption_of(tally).warning, "Out of focus");
  tally.view = View::too_dark;
  EXPECT_EQ(caption_of(tally).warning, "Too dark");
  tally.view = View::cells_too_small;
  EXPECT_EQ(caption_of(tally).warning, "Cells too small for the model");
  tally.view = View::cells_too_large;
  EXPECT_EQ(caption_of(tally).warning, "Cells too large for the model");
}

}  // namespace
}  // namespace smearscope
