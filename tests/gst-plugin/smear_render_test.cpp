// The picture: same view, same bits; boxes hold what is painted; optics and camera do what their settings
// say.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>

#include "smear/microscope.h"

namespace smearscope::smear {
namespace {

constexpr int width = 320, height = 240;

// No noise, no uneven light: what differs from the empty field is a cell.
MicroscopeSettings plain() {
  MicroscopeSettings settings;
  settings.width = width;
  settings.height = height;
  settings.sensor.noise = settings.sensor.vignetting = settings.sensor.illumination = 0;
  settings.sensor.dust = 0;
  return settings;
}

struct Picture {
  int width, height;
  std::vector<std::uint8_t> rgb;
  int at(int x, int y, int channel) const {
    return rgb[(static_cast<std::size_t>(y) * width + x) * 3 + channel];
  }
};

Picture picture_of(Microscope& microscope, const MicroscopeSettings& settings, const View& view) {
  Picture picture{settings.width, settings.height, {}};
  picture.rgb.resize(static_cast<std::size_t>(settings.width) * settings.height * 3);
  microscope.render(view, picture.rgb.data(), settings.width * 3);
  return picture;
}

Picture picture_of(const MicroscopeSettings& settings, const View& view) {
  Microscope microscope(settings);
  return picture_of(microscope, settings, view);
}

double mean(const Picture& picture, int left, int top, int right, int bottom) {
  double sum = 0;
  for (int y = top; y < bottom; ++y) {
    for (int x = left; x < right; ++x) sum += picture.at(x, y, 1);
  }
  return sum / ((right - left) * (bottom - top));
}

// Whatever was looked at before, and in whatever order, a view's picture is the same, noise and all.
TEST(Render, SameViewSameBits) {
  MicroscopeSettings settings;
  settings.width = width;
  settings.height = height;
  const View view{5000.2, 4000.7, 0.6, 42};
  Microscope wandering(settings);
  for (int i = 0; i < 5; ++i) picture_of(wandering, settings, {5000 + 300.0 * i, 4000, 2, 7});
  EXPECT_EQ(picture_of(settings, view).rgb, picture_of(wandering, settings, view).rgb);
  // Another frame of the same view differs by its noise alone.
  EXPECT_NE(picture_of(settings, view).rgb,
            picture_of(settings, {view.x_um, view.y_um, view.focus_um, 43}).rgb);
}

// The stage by whole pixels to the side shifts the picture and changes nothing else, across the tiles' seams
// too.
TEST(Render, MovingShiftsThePicture) {
  MicroscopeSettings settings = plain();
  settings.pixel_um = 0.0625;  // exact in binary, so that positions are whole pixels exactly
  Microscope microscope(settings);
  const Picture here = picture_of(microscope, settings, {5000, 4000, 0, 0});
  const Picture there = picture_of(microscope, settings, {5000 + 100 * 0.0625, 4000 + 60 * 0.0625, 0, 0});
  for (int y = 60; y < height; ++y) {
    for (int x = 100; x < width; ++x) {
      for (int c = 0; c < 3; ++c) ASSERT_EQ(here.at(x, y, c), there.at(x - 100, y - 60, c)) << x << ", " << y;
    }
  }
}

struct Extent {
  int x_min = 1 << 30, y_min = 1 << 30, x_max = -1, y_max = -1;  // max exclusive
  int pixels = 0;
};

// Darker than the field by more than the plasma's unevenness.
bool painted(const Picture& picture, const Rgb& field, int x, int y) {
  return picture.at(x, y, 1) < field.g * 255 - 6;
}

Extent extent_of(const Picture& picture, const Rgb& field, int left, int top, int right, int bottom) {
  Extent extent;
  for (int y = std::max(0, top); y < std::min(picture.height, bottom); ++y) {
    for (int x = std::max(0, left); x < std::min(picture.width, right); ++x) {
      if (!painted(picture, field, x, y)) continue;
      extent.x_min = std::min(extent.x_min, x);
      extent.y_min = std::min(extent.y_min, y);
      extent.x_max = std::max(extent.x_max, x + 1);
      extent.y_max = std::max(extent.y_max, y + 1);
      ++extent.pixels;
    }
  }
  return extent;
}

bool apart(const SeenCell& a, const SeenCell& b, double margin) {
  return a.x_max + margin < b.x_min || b.x_max + margin < a.x_min || a.y_max + margin < b.y_min ||
         b.y_max + margin < a.y_min;
}

struct ClassCase {
  const char* name;
  double rbc, wbc, platelets;
  double tolerance;  // px: edges are soft, and white cells' ragged inside their outline
};

class Boxes : public testing::TestWithParam<ClassCase> {};

// Each cell that stands alone: the pixels that differ from the empty field fill its box, and its share of
// area is the share of pixels. Nothing is painted where there is no box.
TEST_P(Boxes, HoldThePaintedPixels) {
  const ClassCase& param = GetParam();
  MicroscopeSettings settings = plain();
  settings.width = 640;
  settings.height = 480;
  settings.slide.rbc_per_mm2 = param.rbc;
  settings.slide.wbc_per_mm2 = param.wbc;
  settings.slide.platelets_per_mm2 = param.platelets;
  const Rgb field = make_stain(settings.stain, settings.slide.seed).background;
  Microscope microscope(settings);
  int alone = 0;
  for (int i = 0; i < 12; ++i) {
    const View view{3000 + 60.0 * i, 2000, 0, 0};
    const Picture picture = picture_of(microscope, settings, view);
    const auto cells = microscope.cells(view);
    std::vector<bool> boxed(static_cast<std::size_t>(settings.width) * settings.height);
    for (const SeenCell& cell : cells) {
      ASSERT_TRUE(0 <= cell.x_min && cell.x_min < cell.x_max && cell.x_max <= settings.width);
      ASSERT_TRUE(0 <= cell.y_min && cell.y_min < cell.y_max && cell.y_max <= settings.height);
      const int left = static_cast<int>(cell.x_min) - 2, right = static_cast<int>(std::ceil(cell.x_max)) + 2;
      const int top = static_cast<int>(cell.y_min) - 2, bottom = static_cast<int>(std::ceil(cell.y_max)) + 2;
      for (int y = std::max(0, top); y < std::min(settings.height, bottom); ++y) {
        for (int x = std::max(0, left); x < std::min(settings.width, right); ++x)
          boxed[static_cast<std::size_t>(y) * settings.width + x] = true;
      }
      if (!std::all_of(cells.begin(), cells.end(),
                       [&](const SeenCell& b) { return &b == &cell || apart(cell, b, 12); }))
        continue;
      if (cell.visible < 0.3) continue;
      ++alone;
      const Extent extent = extent_of(picture, field, left - 3, top - 3, right + 3, bottom + 3);
      EXPECT_NEAR(extent.x_min, cell.x_min, param.tolerance) << name_of(cell.kind);
      EXPECT_NEAR(extent.y_min, cell.y_min, param.tolerance) << name_of(cell.kind);
      EXPECT_NEAR(extent.x_max, cell.x_max, param.tolerance) << name_of(cell.kind);
      EXPECT_NEAR(extent.y_max, cell.y_max, param.tolerance) << name_of(cell.kind);
    }
    for (int y = 0; y < settings.height; ++y) {
      for (int x = 0; x < settings.width; ++x) {
        if (painted(picture, field, x, y)) {
          ASSERT_TRUE(boxed[static_cast<std::size_t>(y) * settings.width + x]) << x << ", " << y;
        }
      }
    }
  }
  EXPECT_GT(alone, 5);
}

INSTANTIATE_TEST_SUITE_P(Classes, Boxes,
                         testing::Values(ClassCase{"rbc", 2500, 0, 0, 2.5}, ClassCase{"wbc", 0, 700, 0, 8},
                                         ClassCase{"platelet", 0, 0, 4000, 4}),
                         [](const auto& info) { return info.param.name; });

// Light goes through both: where two red cells lie over each other it is darker than where there is one.
TEST(Render, OverlapIsDarker) {
  const MicroscopeSettings settings = plain();
  Microscope microscope(settings);
  const Rgb field = make_stain(settings.stain, settings.slide.seed).background;
  double darkest_alone = 255, darkest = 255;
  for (int i = 0; i < 20; ++i) {
    const View view{3000 + 24.0 * i, 2500, 0, 0};
    const Picture picture = picture_of(microscope, settings, view);
    const auto cells = microscope.cells(view);
    for (const SeenCell& cell : cells) {
      if (cell.cell_class != CellClass::rbc || cell.visible < 1) continue;
      const bool alone = std::all_of(cells.begin(), cells.end(),
                                     [&](const SeenCell& b) { return &b == &cell || apart(cell, b, 0); });
      const bool over_red =
          std::any_of(cells.begin(), cells.end(),
                      [&](const SeenCell& b) {
                        return &b != &cell && b.cell_class == CellClass::rbc && !apart(cell, b, -20);
                      }) &&
          std::all_of(cells.begin(), cells.end(),
                      [&](const SeenCell& b) { return b.cell_class == CellClass::rbc || apart(cell, b, 0); });
      for (int y = static_cast<int>(cell.y_min); y < static_cast<int>(cell.y_max); ++y) {
        for (int x = static_cast<int>(cell.x_min); x < static_cast<int>(cell.x_max); ++x) {
          if (alone) darkest_alone = std::min<double>(darkest_alone, picture.at(x, y, 1));
          if (over_red) darkest = std::min<double>(darkest, picture.at(x, y, 1));
        }
      }
    }
  }
  EXPECT_LT(darkest_alone, field.g * 255);
  EXPECT_LT(darkest, darkest_alone - 10);
}

double sharpness(const Picture& picture) {
  double sum = 0;
  for (int y = 0; y < picture.height; ++y) {
    for (int x = 1; x < picture.width; ++x) sum += std::abs(picture.at(x, y, 1) - picture.at(x - 1, y, 1));
  }
  return sum;
}

// The farther from best focus, on either side, the softer.
TEST(Render, DefocusSoftens) {
  const MicroscopeSettings settings = plain();
  Microscope microscope(settings);
  double last = 1e18;
  for (double focus : {0.0, 0.5, 1.0, 2.0, 4.0}) {
    const Picture above = picture_of(microscope, settings, {3000, 2000, focus, 0});
    EXPECT_EQ(above.rgb, picture_of(microscope, settings, {3000, 2000, -focus, 0}).rgb);
    EXPECT_LT(sharpness(above), last) << focus;
    last = sharpness(above);
  }
}

// Twice as coarse pixels show cells half as large.
TEST(Render, PixelSizeScales) {
  MicroscopeSettings fine = plain(), coarse = plain();
  fine.pixel_um = 0.1;
  coarse.pixel_um = 0.2;
  const auto large = Microscope(fine).cells({3000, 2000, 0, 0});
  const auto small = Microscope(coarse).cells({3000, 2000, 0, 0});
  int compared = 0;
  for (const SeenCell& a : large) {
    const auto b =
        std::find_if(small.begin(), small.end(), [&](const SeenCell& c) { return c.identity == a.identity; });
    ASSERT_NE(b, small.end());
    if (a.visible < 1) continue;
    EXPECT_NEAR(a.x_max - a.x_min, 2 * (b->x_max - b->x_min), 1e-6);
    EXPECT_NEAR(a.x_min, 2 * b->x_min, 1e-6);
    ++compared;
  }
  EXPECT_GT(compared, 0);
}

// On an empty slide the noise has the deviation asked for, at the field's brightness.
TEST(Sensor, NoiseHasItsDeviation) {
  MicroscopeSettings settings = plain();
  settings.slide.rbc_per_mm2 = settings.slide.wbc_per_mm2 = settings.slide.platelets_per_mm2 = 0;
  settings.sensor.noise = 6;
  Microscope microscope(settings);
  const Picture a = picture_of(microscope, settings, {3000, 2000, 0, 1}),
                b = picture_of(microscope, settings, {3000, 2000, 0, 2});
  double squares = 0;
  for (std::size_t i = 1; i < a.rgb.size(); i += 3) squares += std::pow(a.rgb[i] - b.rgb[i], 2);
  const double deviation = std::sqrt(squares / (static_cast<double>(width) * height) / 2);
  const double level = make_stain(settings.stain, settings.slide.seed).background.g;
  EXPECT_NEAR(deviation, 6 * std::sqrt(level), 0.3);
}

TEST(Sensor, VignettingDarkensTheCorners) {
  MicroscopeSettings settings = plain();
  settings.slide.rbc_per_mm2 = settings.slide.wbc_per_mm2 = settings.slide.platelets_per_mm2 = 0;
  settings.sensor.vignetting = 0.3;
  const Picture picture = picture_of(settings, {3000, 2000, 0, 0});
  const double centre = mean(picture, width / 2 - 5, height / 2 - 5, width / 2 + 5, height / 2 + 5);
  EXPECT_NEAR(mean(picture, 0, 0, 4, 4) / centre, 0.7, 0.03);
  EXPECT_NEAR(mean(picture, width - 4, height - 4, width, height) / centre, 0.7, 0.03);
}

// Specks of dust stay where they are on the camera while the slide moves.
TEST(Sensor, DustStaysInPlace) {
  MicroscopeSettings settings = plain(), clean = plain();
  settings.sensor.dust = 30;
  const View views[] = {{3000, 2000, 0, 0}, {3777, 2111, 0, 0}};
  std::vector<std::size_t> specks[2];
  for (int i = 0; i < 2; ++i) {
    const Picture dusty = picture_of(settings, views[i]), other = picture_of(clean, views[i]);
    for (std::size_t p = 1; p < dusty.rgb.size(); p += 3) {
      if (dusty.rgb[p] + 12 < other.rgb[p]) specks[i].push_back(p);
    }
  }
  ASSERT_GT(specks[0].size(), 50U);
  std::vector<std::size_t> both;
  std::set_intersection(specks[0].begin(), specks[0].end(), specks[1].begin(), specks[1].end(),
                        std::back_inserter(both));
  EXPECT_GT(static_cast<double>(both.size()), 0.7 * static_cast<double>(specks[0].size()));
}

// Each stain and coarse or fine magnification gives a picture with bright field and darker cells.
TEST(Render, StainsDiffer) {
  std::vector<double> colours;
  for (StainKind stain :
       {StainKind::wright, StainKind::may_grunwald_giemsa, StainKind::giemsa, StainKind::leishman}) {
    MicroscopeSettings settings = plain();
    settings.stain = stain;
    const Picture picture = picture_of(settings, {3000, 2000, 0, 0});
    double red = 0, blue = 0;
    for (std::size_t i = 0; i < picture.rgb.size(); i += 3) red += picture.rgb[i], blue += picture.rgb[i + 2];
    colours.push_back(red / blue);
  }
  std::sort(colours.begin(), colours.end());
  for (std::size_t i = 1; i < colours.size(); ++i) EXPECT_GT(colours[i] - colours[i - 1], 0.01);
}

// Any size renders, in any stride, without touching the padding.
TEST(Render, OddSizesAndStrides) {
  for (auto [w, h] : {std::pair{1, 1}, {3, 5}, {1, 300}, {257, 2}, {641, 479}}) {
    MicroscopeSettings settings;
    settings.width = w;
    settings.height = h;
    Microscope microscope(settings);
    const int stride = w * 3 + 7;
    std::vector<std::uint8_t> padded(static_cast<std::size_t>(stride) * h, 0xab);
    microscope.render({3000, 2000, 1, 0}, padded.data(), stride);
    const Picture packed = picture_of(settings, {3000, 2000, 1, 0});
    for (int y = 0; y < h; ++y) {
      const auto row = padded.begin() + static_cast<std::ptrdiff_t>(y) * stride;
      EXPECT_TRUE(std::equal(row, row + w * 3, packed.rgb.begin() + static_cast<std::ptrdiff_t>(y) * w * 3));
      EXPECT_TRUE(std::all_of(row + w * 3, row + stride, [](std::uint8_t byte) { return byte == 0xab; }));
    }
    for (const SeenCell& cell : microscope.cells({3000, 2000, 1, 0})) {
      EXPECT_LE(cell.x_max, w);
      EXPECT_LE(cell.y_max, h);
    }
  }
}

// A point spreads into a Gaussian: sum kept, variance sigma^2, symmetric, nothing beyond its reach.
TEST(Blur, SpreadsAPointByItsVariance) {
  for (double sigma : {0.3, 0.9, 1.7, 4.2, 11.0}) {
    FloatImage image{121, 121, std::vector<float>(121 * 121 * 3, 0.f)};
    const auto at = [&](int x, int y) -> float& {
      return image.values[(static_cast<std::size_t>(y) * 121 + x) * 3 + 1];
    };
    at(60, 60) = 1;
    blur(image, sigma);
    double sum = 0, variance = 0;
    const int reach = std::min(60, static_cast<int>(blur_reach(sigma)));
    for (int y = 0; y < 121; ++y) {
      for (int x = 0; x < 121; ++x) {
        if (std::max(std::abs(x - 60), std::abs(y - 60)) > reach) {
          EXPECT_NEAR(at(x, y), 0, 1e-7);  // running sums leave a rounding error
          continue;
        }
        sum += at(x, y);
        variance += at(x, y) * (x - 60) * (x - 60);
        EXPECT_NEAR(at(x, y), at(y, x), 1e-6);
      }
    }
    EXPECT_NEAR(sum, 1, 1e-4);
    EXPECT_NEAR(variance, sigma * sigma, 0.01 * sigma * sigma) << sigma;
    EXPECT_EQ(image.values[(60 * 121 + 60) * 3], 0) << "other channels stay";
  }
}

}  // namespace
}  // namespace smearscope::smear
