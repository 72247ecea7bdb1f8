// Where Overlay puts boxes, labels and panel.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <set>

#include "draw/draw.h"

namespace smearscope::draw {
namespace {

Options without_panel() {
  Options options;
  options.counts = false;
  return options;
}

Options labels_only() {
  Options options = without_panel();
  options.boxes = false;
  return options;
}

ShownCell cell_at(float x, float y, float width, float height, int label = 1, const char* name = "rbc") {
  return {{x, y, x + width, y + height}, 0.97, label, name, false};
}

std::vector<ShownCell> random_cells(int count, float least_side, float most_side) {
  std::mt19937 random(3);
  const auto uniform = [&](float low, float high) {
    return std::uniform_real_distribution<float>(low, high)(random);
  };
  std::vector<ShownCell> cells;
  for (int i = 0; i < count; ++i) {
    cells.push_back(cell_at(uniform(-30, 620), uniform(-30, 460), uniform(least_side, most_side),
                            uniform(least_side, most_side), i % 3, i % 3 == 2 ? "platelet" : "rbc"));
  }
  return cells;
}

bool overlap(const Item& a, const Item& b) {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

// The first 21 classes have different colours, and a class without a label has one that depends on its name
// alone.
TEST(ClassColor, DiffersBetweenClasses) {
  std::set<std::tuple<int, int, int>> seen;
  for (int label = 0; label < 21; ++label) {
    const Color color = class_color(label, "");
    seen.insert({color.red, color.green, color.blue});
  }
  EXPECT_EQ(seen.size(), 21U);
  EXPECT_EQ(class_color(3, "a"), class_color(3, "b"));
  EXPECT_EQ(class_color(-1, "a"), class_color(-1, "a"));
}

// Text on every class's plate keeps the contrast that WCAG 2.1 asks of small text, 4.5:1.
TEST(ClassColor, TextOnItIsReadable) {
  const auto luminance = [](Color color) {
    const auto linear = [](int channel) {
      const double value = channel / 255.0;
      return value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
    };
    return 0.2126 * linear(color.red) + 0.7152 * linear(color.green) + 0.0722 * linear(color.blue);
  };
  for (int label = 0; label < 21; ++label) {
    const Color color = class_color(label, "");
    const double plate = luminance(color), ink = luminance(contrasting(color));
    EXPECT_GE((std::max(plate, ink) + 0.05) / (std::min(plate, ink) + 0.05), 4.5) << "label " << label;
  }
}

// Labels lie in the frame, don't cover each other, and don't cover small cells, in a crowd as in a sparse
// field.
TEST(Labels, StayInsideAndApart) {
  for (const int count : {5, 50, 300}) {
    const std::vector<ShownCell> cells = random_cells(count, 4, 120);
    Overlay overlay(labels_only());
    const std::vector<Item>& items = overlay.compose(640, 480, cells, {});
    EXPECT_GT(items.size(), 3U);
    for (std::size_t i = 0; i < items.size(); ++i) {
      EXPECT_GE(items[i].x, 0);
      EXPECT_GE(items[i].y, 0);
      EXPECT_LE(items[i].x + items[i].width, 640);
      EXPECT_LE(items[i].y + items[i].height, 480);
      for (std::size_t j = 0; j < i; ++j) EXPECT_FALSE(overlap(items[i], items[j])) << i << " and " << j;
      for (const ShownCell& cell : cells) {
        const Box& box = cell.box;
        if (std::min(box.x_max - box.x_min, box.y_max - box.y_min) > 20) continue;
        const Item small{static_cast<int>(std::ceil(box.x_min)),
                         static_cast<int>(std::ceil(box.y_min)),
                         static_cast<int>(box.x_max - box.x_min) - 1,
                         static_cast<int>(box.y_max - box.y_min) - 1,
                         {},
                         255,
                         nullptr};
        if (small.width <= 0 || small.height <= 0) continue;
        EXPECT_FALSE(overlap(items[i], small));
      }
    }
  }
}

// A label gets shorter with its box: class and score, class, first letters.
TEST(Labels, ShortenInNarrowBoxes) {
  Overlay overlay(labels_only());
  int last = std::numeric_limits<int>::max();
  for (const float width : {200.0F, 70.0F, 40.0F}) {
    const std::vector<Item>& items =
        overlay.compose(640, 480, {cell_at(100, 100, width, 100, 2, "platelet")}, {});
    ASSERT_EQ(items.size(), 1U) << width;
    EXPECT_LE(items[0].width, static_cast<int>(width));
    EXPECT_LT(items[0].width, last);
    last = items[0].width;
  }
}

// A weak class has a question mark more, in each wording and in the panel.
TEST(Labels, MarkWeakClasses) {
  Overlay overlay(labels_only());
  for (const float width : {200.0F, 80.0F, 45.0F}) {
    ShownCell cell = cell_at(100, 100, width, 100, 2, "platelet");
    const int sure = overlay.compose(640, 480, {cell}, {})[0].width;
    cell.weak = true;
    const int weak = overlay.compose(640, 480, {cell}, {})[0].width;
    EXPECT_GT(weak, sure) << width;
    EXPECT_LT(weak, sure + 14) << width;
  }
  Overlay with_panel(Options{});
  const auto width_of_panel = [&](bool weak) {
    return with_panel.compose(640, 480, {}, {"", {{"platelet", 2, 3, "", false, weak}}})[0].width;
  };
  EXPECT_GT(width_of_panel(true), width_of_panel(false));
}

// A cell without a name has its score for a label, and none where scores are off: no empty plate.
TEST(Labels, AreLeftOutWithoutAName) {
  Options options = labels_only();
  Overlay with_scores(options);
  EXPECT_EQ(with_scores.compose(640, 480, {cell_at(100, 100, 200, 200, 1, "")}, {}).size(), 1U);
  options.scores = false;
  Overlay overlay(options);
  EXPECT_TRUE(overlay.compose(640, 480, {cell_at(100, 100, 200, 200, 1, "")}, {}).empty());
  EXPECT_EQ(overlay.compose(640, 480, {cell_at(100, 100, 200, 200, 1, "rbc")}, {}).size(), 1U);
}

// A small cell's label stands beside it.
TEST(Labels, StandBesideSmallCells) {
  Overlay overlay(labels_only());
  const std::vector<Item>& items = overlay.compose(640, 480, {cell_at(300, 200, 12, 12, 2, "platelet")}, {});
  ASSERT_EQ(items.size(), 1U);
  EXPECT_FALSE(overlap(items[0], {300, 200, 12, 12, {}, 255, nullptr}));
  EXPECT_LT(std::abs(items[0].y - 200), 40);
}

// Text and lines grow with the frame: at 4K about four and a half times what they are at 640x480 is on offer,
// at least three times is taken.
TEST(Sizes, GrowWithTheFrame) {
  Overlay overlay(labels_only());
  const int small = overlay.compose(640, 480, {cell_at(100, 100, 100, 100)}, {})[0].height;
  const int large = overlay.compose(3840, 2160, {cell_at(600, 600, 600, 600)}, {})[0].height;
  EXPECT_GE(small, 12);
  EXPECT_GE(large, 2.5 * small);
}

// Lines run outside the box, so that nothing of the cell is hidden but the halo's pixel.
TEST(Boxes, LinesRunOutside) {
  Options options = without_panel();
  options.labels = options.scores = false;
  options.line_width = 5;
  Overlay overlay(options);
  const Color line = class_color(1, "rbc");
  int bars = 0;
  for (const Item& item : overlay.compose(640, 480, {cell_at(100, 100, 200, 200)}, {})) {
    if (!(item.color == line)) continue;
    ++bars;
    EXPECT_FALSE(overlap(item, {100, 100, 200, 200, {}, 255, nullptr}));
    EXPECT_EQ(std::min(item.width, item.height), 5);
  }
  EXPECT_EQ(bars, 4);
}

// Boxes without area, outside the frame, or not finite give nothing at all; huge ones are drawn where they
// cross it.
TEST(Boxes, SenselessOnesAreLeftOut) {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  constexpr float huge = std::numeric_limits<float>::max();
  Overlay overlay(without_panel());
  const std::vector<Box> senseless{{nan, 0, 10, 10},  {0, 0, 10, nan},    {-inf, 0, inf, 10},
                                   {50, 50, 50, 60},  {60, 60, 50, 50},   {700, 10, 800, 20},
                                   {0, -50, 20, -20}, {5.1F, 5, 5.2F, 9}, {-huge, 10, -9, 20}};
  for (const Box& box : senseless) {
    EXPECT_TRUE(overlay.compose(640, 480, {{box, 0.9, 1, "rbc", false}}, {}).empty())
        << box.x_min << " " << box.y_min << " " << box.x_max << " " << box.y_max;
  }
  for (const Item& item :
       overlay.compose(640, 480, {{{-huge, -huge, huge, huge}, 2.0, 1, "rbc", true}}, {})) {
    EXPECT_LE(std::abs(item.x) + item.width, 10000);
  }
}

// The panel shows all rows where there is room; otherwise the rest is summed up, and nothing is lost from the
// total.
TEST(Panel, SumsUpWhatDoesNotFit) {
  Options options;
  Overlay overlay(options);
  Panel panel{"Cells", {}};
  for (int i = 0; i < 200; ++i) panel.rows.push_back({"class " + std::to_string(i), i, 1});
  int bottom = 0, swatches = 0;
  for (const Item& item : overlay.compose(640, 480, {}, panel)) {
    bottom = std::max(bottom, item.y + item.height);
    swatches += item.patch == nullptr ? 1 : 0;
  }
  EXPECT_LE(bottom, 480);
  EXPECT_GT(swatches, 5);
  EXPECT_LT(swatches, 40);
}

// What most cells are is never among the rest, wherever its row stands.
TEST(Panel, KeepsTheRowsOfMostCells) {
  Overlay overlay({});
  Panel panel{"Cells", {}};
  for (int i = 0; i < 200; ++i) panel.rows.push_back({"class " + std::to_string(i), 0, 1});
  panel.rows.push_back({"rbc", 1, 5});
  const auto items = overlay.compose(640, 480, {}, panel);
  EXPECT_TRUE(std::any_of(items.begin(), items.end(), [](const Item& item) {
    return item.patch == nullptr && item.color == class_color(1, "rbc");
  }));
}

// Parts are indented and not summed up once more; shares stand in a column of their own; a goal has a bar
// that grows with what is reached.
TEST(Panel, ShowsPartsSharesAndAGoal) {
  Overlay overlay({});
  Panel panel{"Cells", {{"wbc", 0, 5}, {"lymphocyte", 1, 3, "60 %", true}}};
  const auto swatches = [&] {
    std::vector<int> left;
    for (const Item& item : overlay.compose(640, 480, {}, panel)) {
      if (item.patch == nullptr && (item.color == class_color(0, "") || item.color == class_color(1, "")))
        left.push_back(item.x);
    }
    return left;
  };
  ASSERT_EQ(swatches().size(), 2U);
  EXPECT_LT(swatches()[0], swatches()[1]);
  const auto size = [&] { return overlay.compose(640, 480, {}, panel).front(); };
  const Item plain = size();
  panel.rows[1].share = "";
  EXPECT_LT(size().width, plain.width);
  panel.goal = "wbc 5/100";
  EXPECT_GT(size().height, plain.height);
  const auto grounds = [&](double reached) {  // the panel's, and the bar's after it
    panel.reached = reached;
    std::vector<int> widths;
    for (const Item& item : overlay.compose(640, 480, {}, panel)) {
      if (item.patch == nullptr && !(item.color == class_color(0, "") || item.color == class_color(1, "")))
        widths.push_back(item.width);
    }
    return widths;
  };
  const std::vector<int> half = grounds(0.5), whole = grounds(1), more = grounds(7);
  ASSERT_EQ(half.size(), whole.size());
  EXPECT_LT(half.back(), whole.back());
  EXPECT_LE(whole.back(), whole.front());
  EXPECT_EQ(more, whole);
}

// In a frame too small for it there is no panel, and no label either.
TEST(Panel, IsLeftOutWhereItDoesNotFit) {
  Overlay overlay({});
  const Panel panel{"Cells in view", {{"rbc", 1, 5}}};
  for (const int size : {1, 2, 8, 16}) {
    for (const Item& item : overlay.compose(size, size, {cell_at(0, 0, 16, 16)}, panel)) {
      EXPECT_EQ(item.patch, nullptr) << size;
    }
  }
}

// Each corner, with a margin, and labels keep clear of it.
TEST(Panel, StandsInItsCorner) {
  const Panel panel{"Cells in view", {{"rbc", 1, 5}}};
  for (const PanelPosition position : {PanelPosition::top_left, PanelPosition::top_right,
                                       PanelPosition::bottom_left, PanelPosition::bottom_right}) {
    Options options;
    options.boxes = false;
    options.panel_position = position;
    Overlay overlay(options);
    const std::vector<Item> items = overlay.compose(640, 480, random_cells(100, 30, 80), panel);
    std::size_t start = 0;
    while (items[start].patch != nullptr) ++start;  // labels come first, then the panel's ground
    const Item& ground = items[start];
    const bool right = position == PanelPosition::top_right || position == PanelPosition::bottom_right;
    const bool bottom = position == PanelPosition::bottom_left || position == PanelPosition::bottom_right;
    EXPECT_EQ(ground.x > 320, right);
    EXPECT_EQ(ground.y > 240, bottom);
    for (std::size_t i = 0; i < start; ++i) EXPECT_FALSE(overlap(items[i], ground));
  }
}

// What a caption adds to an empty frame.
std::vector<Item> captioned(const Caption& caption, const Options& options = without_panel(), int width = 640,
                            int height = 480) {
  static std::vector<std::unique_ptr<Overlay>> overlays;  // they own the pictures
  overlays.push_back(std::make_unique<Overlay>(options));
  return overlays.back()->compose(width, height, {}, {"Cells", {{"rbc", 1, 5}}}, caption);
}

// The bar is as long as it says: 1, 2 or 5 times a power of ten, and a fifth of the width at most.
TEST(ScaleBar, IsARoundLength) {
  const std::vector<std::pair<double, int>> lengths{{0.1, 100},    {0.07, 71}, {0.0781, 64},
                                                    {0.0782, 128}, {1, 100},   {20, 100}};
  for (const auto& [pixel_size, length] : lengths) {
    const std::vector<Item> items = captioned({pixel_size, false, ""});
    ASSERT_EQ(items.size(), 3U) << pixel_size << ": plate, text, bar";
    EXPECT_EQ(items[2].width, length) << pixel_size;
    EXPECT_LE(items[2].width, 128);
    EXPECT_EQ(items[2].color, white);
  }
}

// An unknown scale, or one that no microscope has, gives no bar, nor does a frame without room for it.
TEST(ScaleBar, IsLeftOutWhereThereIsNone) {
  const double nan = std::numeric_limits<double>::quiet_NaN(),
               infinity = std::numeric_limits<double>::infinity();
  for (const double pixel_size : {0.0, -1.0, 1e-9, 1e9, nan, infinity, -infinity})
    EXPECT_TRUE(captioned({pixel_size, false, ""}).empty()) << pixel_size;
  EXPECT_TRUE(captioned({0.1, false, ""}, without_panel(), 20, 20).empty());
  Options options = without_panel();
  options.scale_bar = false;
  EXPECT_TRUE(captioned({0.1, false, ""}, options).empty());
}

// An estimate is marked: its text is wider.
TEST(ScaleBar, AnEstimateSaysSo) {
  EXPECT_GT(captioned({0.1, true, ""})[1].width, captioned({0.1, false, ""})[1].width);
}

// In whatever corner the panel stands, bar and warning stand beside it, and labels beside them all.
TEST(Caption, CoversNothing) {
  for (const PanelPosition position : {PanelPosition::top_left, PanelPosition::top_right,
                                       PanelPosition::bottom_left, PanelPosition::bottom_right}) {
    Options options;
    options.boxes = false;
    options.panel_position = position;
    Overlay overlay(options);
    const Panel panel{"Cells counted", {{"wbc", 0, 57}, {"erythroblast", 8, 20, "35/100 wbc"}}};
    const std::vector<Item> items =
        overlay.compose(640, 480, random_cells(100, 30, 80), panel, {0.1, false, "Out of focus"});
    // Labels, the panel's plate and texts, the warning, the bar's plate, text and bar.
    std::vector<std::size_t> plates;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (items[i].alpha == 200) plates.push_back(i);
    }
    ASSERT_EQ(plates.size(), 2U);
    const std::vector<Item> placed{items[plates[0]], items[plates[1] - 1], items[plates[1]]};
    ASSERT_NE(placed[1].patch, nullptr);
    for (std::size_t i = 0; i < placed.size(); ++i) {
      EXPECT_LE(placed[i].y + placed[i].height, 480);
      EXPECT_LE(placed[i].x + placed[i].width, 640);
      for (std::size_t k = 0; k < i; ++k) EXPECT_FALSE(overlap(placed[i], placed[k])) << i << " and " << k;
      for (std::size_t k = 0; k < plates[0]; ++k) EXPECT_FALSE(overlap(placed[i], items[k])) << i;
    }
  }
}

// Where there is not room for both, the warning stays.
TEST(Caption, AWarningIsMoreThanABar) {
  const std::vector<Item> both = captioned({0.1, false, "Out of focus"}, without_panel(), 110, 40);
  ASSERT_EQ(both.size(), 1U);
  EXPECT_EQ(both[0].width, captioned({0, false, "Out of focus"}, without_panel(), 110, 40).at(0).width);
  EXPECT_TRUE(captioned({0.1, false, "Out of focus"}, without_panel(), 16, 16).empty());
}

// A warning stands in the middle of the lower edge, and can be switched off.
TEST(Warning, StandsBelow) {
  const std::vector<Item> items = captioned({0, false, "Too dark"});
  ASSERT_EQ(items.size(), 1U);
  EXPECT_NEAR(items[0].x + items[0].width / 2, 320, 1);
  EXPECT_GT(items[0].y, 430);
  Options options = without_panel();
  options.warnings = false;
  EXPECT_TRUE(captioned({0, false, "Too dark"}, options).empty());
}

}  // namespace
}  // namespace smearscope::draw
