// The slide and the stage: the same cells at the same place, in the numbers asked for; the stage goes where
// it says.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "smear/slide.h"
#include "smear/stage.h"

namespace smearscope::smear {
namespace {

struct Rectangle {
  double left, top, right, bottom;
  bool holds(double x, double y) const { return x >= left && x < right && y >= top && y < bottom; }
};

std::map<std::uint64_t, SlideCell> cells_at(Slide& slide, const Rectangle& r) {
  std::map<std::uint64_t, SlideCell> found;
  for (const SlideCell* cell : slide.cells_in(r.left, r.top, r.right, r.bottom)) {
    if (r.holds(cell->x, cell->y)) found.emplace(cell->identity, *cell);
  }
  return found;
}

// A place has the same cells, to the bit, whether one comes there first, after a long way, or within a larger
// view.
TEST(Slide, PlaceDoesNotDependOnTheWayThere) {
  const Rectangle place{1000, 1000, 1100, 1080};
  Slide direct({}), wandering({}), wide({});
  for (int step = 0; step < 40; ++step) wandering.cells_in(3000 - 50 * step, 900, 3100 - 50 * step, 1000);
  const auto expected = cells_at(direct, place);
  ASSERT_GT(expected.size(), 20U);
  for (Slide* slide : {&wandering, &wide}) {
    auto found = cells_at(*slide, slide == &wide ? Rectangle{900, 900, 1200, 1200} : place);
    for (auto it = found.begin(); it != found.end();)
      it = place.holds(it->second.x, it->second.y) ? std::next(it) : found.erase(it);
    ASSERT_EQ(found.size(), expected.size());
    for (const auto& [identity, cell] : expected) {
      ASSERT_EQ(found.count(identity), 1U);
      const SlideCell& same = found.at(identity);
      EXPECT_EQ(same.x, cell.x);
      EXPECT_EQ(same.y, cell.y);
      EXPECT_EQ(same.kind, cell.kind);
      EXPECT_EQ(same.outline.max_radius(), cell.outline.max_radius());
    }
  }
}

// Another seed is another slide.
TEST(Slide, SeedsDiffer) {
  SlideSettings other;
  other.seed = 2;
  Slide a({}), b(other);
  const Rectangle place{0, 0, 200, 200};
  for (const auto& [identity, cell] : cells_at(a, place)) EXPECT_EQ(cells_at(b, place).count(identity), 0U);
}

// Counting over 1.4 mm2 finds the densities asked for, within 4 standard errors of a Poisson count (red
// cells: 10%, for they lie in thick and thin places), and no identity twice.
TEST(Slide, DensitiesAreMet) {
  SlideSettings settings;
  settings.rbc_per_mm2 = 8000;
  settings.wbc_per_mm2 = 300;
  settings.platelets_per_mm2 = 900;
  Slide slide(settings);
  std::map<CellClass, double> counts;
  std::set<std::uint64_t> identities;
  const double side = 1200;
  for (double top = 0; top < side; top += 100) {
    for (const auto& [identity, cell] : cells_at(slide, {0, top, side, top + 100})) {
      EXPECT_TRUE(identities.insert(identity).second);
      EXPECT_NE(identity, 0U);
      counts[class_of(cell.kind)] += 1;
    }
  }
  const double area = side * side * 1e-6;
  EXPECT_NEAR(counts[CellClass::rbc], settings.rbc_per_mm2 * area, 0.1 * settings.rbc_per_mm2 * area);
  EXPECT_NEAR(counts[CellClass::wbc], settings.wbc_per_mm2 * area,
              4 * std::sqrt(settings.wbc_per_mm2 * area));
  // Clusters make the count of platelets spread more than Poisson's.
  EXPECT_NEAR(counts[CellClass::platelet], settings.platelets_per_mm2 * area,
              8 * std::sqrt(settings.platelets_per_mm2 * area));
}

// A density of zero leaves none of that class.
TEST(Slide, ZeroDensityIsEmpty) {
  SlideSettings settings;
  settings.rbc_per_mm2 = settings.wbc_per_mm2 = settings.platelets_per_mm2 = 0;
  Slide slide(settings);
  EXPECT_TRUE(slide.cells_in(0, 0, 500, 500).empty());
}

// Sizes are those of blood: red cells 7.5 um wide, white cells larger, platelets smaller.
TEST(Slide, CellsHaveTheirSizes) {
  Slide slide({});
  std::map<CellClass, std::vector<double>> diameters;
  for (const auto& [identity, cell] : cells_at(slide, {0, 0, 800, 400})) {
    diameters[class_of(cell.kind)].push_back(2 * std::sqrt(cell.outline.area() / M_PI));
  }
  const auto median = [](std::vector<double> values) {
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2),
                     values.end());
    return values[values.size() / 2];
  };
  EXPECT_NEAR(median(diameters[CellClass::rbc]), 7.5, 0.3);
  EXPECT_NEAR(median(diameters[CellClass::wbc]), 13, 2);
  EXPECT_NEAR(median(diameters[CellClass::platelet]), 2.6, 0.4);
}

// Some red cells overlap, most do not.
TEST(Slide, SomeRedCellsOverlap) {
  Slide slide({});
  std::vector<SlideCell> red;
  for (const auto& [identity, cell] : cells_at(slide, {0, 0, 400, 400})) {
    if (class_of(cell.kind) == CellClass::rbc) red.push_back(cell);
  }
  int overlapping = 0;
  for (const SlideCell& a : red) {
    overlapping += std::any_of(red.begin(), red.end(), [&](const SlideCell& b) {
      return &a != &b && std::hypot(a.x - b.x, a.y - b.y) < 6;
    });
  }
  const double share = static_cast<double>(overlapping) / static_cast<double>(red.size());
  EXPECT_GT(share, 0.1);
  EXPECT_LT(share, 0.6);
}

// What a rectangle cuts off is what is missing from the visible share.
TEST(VisiblePart, SharesAddUp) {
  SlideCell cell = make_cell(CellKind::discocyte, 77);
  cell.x = 10;
  cell.y = 20;
  const Visible left = visible_part(cell, -100, -100, 11, 100),
                right = visible_part(cell, 11, -100, 100, 100);
  const Visible whole = visible_part(cell, -100, -100, 100, 100);
  EXPECT_EQ(whole.fraction, 1);
  EXPECT_NEAR(left.fraction + right.fraction, 1, 1e-9);
  EXPECT_GT(left.fraction, 0.5);
  EXPECT_EQ(left.x_max, 11);
  EXPECT_EQ(right.x_min, 11);
  EXPECT_EQ(std::min(left.y_min, right.y_min), whole.y_min);
  EXPECT_EQ(visible_part(cell, 50, 50, 60, 60).fraction, 0);
}

StageSettings stage(StagePath path) {
  StageSettings settings;
  settings.path = path;
  return settings;
}

TEST(Stage, StillStays) {
  const StagePosition at = stage_at(stage(StagePath::still), 1234.5);
  EXPECT_EQ(at.x_um, StageSettings{}.start_x_um);
  EXPECT_EQ(at.y_um, StageSettings{}.start_y_um);
}

TEST(Stage, PanGoesAtItsSpeed) {
  const StageSettings pan = stage(StagePath::pan);
  EXPECT_NEAR(stage_at(pan, 3).x_um - stage_at(pan, 1).x_um, 2 * pan.speed_um_per_s, 1e-6);
}

// The way back ends exactly where it began, to the bit.
TEST(Stage, ReturnReturns) {
  const StageSettings s = stage(StagePath::there_and_back);
  double farthest = 0;
  int home = 0;
  for (double t = 0; t < 60; t += 0.25) {
    const StagePosition at = stage_at(s, t);
    farthest = std::max(farthest, at.x_um - s.start_x_um);
    home += at.x_um == s.start_x_um && at.y_um == s.start_y_um;
  }
  EXPECT_NEAR(farthest, 2 * s.field_width_um, 1e-6);
  EXPECT_GT(home, 20);
}

TEST(Stage, StopAndGoRestsAndMoves) {
  const StageSettings s = stage(StagePath::stop_and_go);
  EXPECT_EQ(stage_at(s, 0.9).x_um, s.start_x_um);
  const double step = 0.8 * s.field_width_um, period = 1 + step / s.speed_um_per_s;
  EXPECT_NEAR(stage_at(s, period + 0.5).x_um, s.start_x_um + step, 1e-6);
}

// A raster shows each place of its rows: successive rows overlap, and it comes back along the next row.
TEST(Stage, RasterCoversRows) {
  const StageSettings s = stage(StagePath::raster);
  const double row = 5 * s.field_width_um, down = 0.9 * s.field_height_um;
  const StagePosition end = stage_at(s, row / s.speed_um_per_s);
  EXPECT_NEAR(end.x_um, s.start_x_um + row, 1e-6);
  const StagePosition next = stage_at(s, (2 * row + down) / s.speed_um_per_s);
  EXPECT_NEAR(next.x_um, s.start_x_um, 1e-6);
  EXPECT_NEAR(next.y_um, s.start_y_um + down, 1e-6);
}

// However long it runs, and wherever it began, the field stays on the slide.
TEST(Stage, NeverLeavesTheSlide) {
  for (StagePath path :
       {StagePath::pan, StagePath::stop_and_go, StagePath::there_and_back, StagePath::raster}) {
    StageSettings s = stage(path);
    s.speed_um_per_s = 5000;
    s.start_x_um = slide_width_um;
    for (double t = 0; t < 1000; t += 0.77) {
      const StagePosition at = stage_at(s, t);
      ASSERT_GE(at.x_um, 0);
      ASSERT_LE(at.x_um, slide_width_um - s.field_width_um);
      ASSERT_GE(at.y_um, 0);
      ASSERT_LE(at.y_um, slide_height_um - s.field_height_um);
    }
  }
}

// Focus wanders, but no farther than told.
TEST(Stage, FocusDriftIsBounded) {
  StageSettings s = stage(StagePath::still);
  s.focus_um = 0.5;
  s.focus_drift_um = 2;
  double least = 1e9, most = -1e9;
  for (double t = 0; t < 200; t += 0.5) {
    const double focus = stage_at(s, t).focus_um;
    least = std::min(least, focus);
    most = std::max(most, focus);
  }
  EXPECT_GE(least, 0.5 - 2);
  EXPECT_LE(most, 0.5 + 2);
  EXPECT_GT(most - least, 1);
}

}  // namespace
}  // namespace smearscope::smear
