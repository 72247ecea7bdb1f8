// Painter against a slow, obvious reference, on every way that components can lie in memory.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "draw/paint.h"

namespace smearscope::draw {
namespace {

struct Layout {
  const char* name;
  int bits, low_bits;
  bool big_endian;
  // Per plane: row_shift, samples in a row of `width` pixels, components.
  struct Plane {
    int row_shift, unit_shift, unit_samples;
    std::vector<Component> components;
  };
  std::vector<Plane> planes;
};

// Full range, BT.601, for codes up to `top`.
Component luma(int first, int step, float top) {
  return {first, step, 0, 0, 0.299F * top, 0.587F * top, 0.114F * top};
}
Component blue_difference(int first, int step, int shift, float top) {
  return {first, step, shift, top / 2, -0.1687F * top, -0.3313F * top, 0.4999F * top};
}
Component red_difference(int first, int step, int shift, float top) {
  return {first, step, shift, top / 2, 0.4999F * top, -0.4187F * top, -0.0812F * top};
}

std::vector<Layout> layouts() {
  const std::vector<Component> bgr{{0, 3, 0, 0, 0, 0, 255}, {1, 3, 0, 0, 0, 255, 0}, {2, 3, 0, 0, 255, 0, 0}};
  const std::vector<Component> xrgba{
      {1, 4, 0, 0, 255, 0, 0}, {2, 4, 0, 0, 0, 255, 0}, {0, 4, 0, 255, 0, 0, 0}};
  const std::vector<Component> rgb16{
      {0, 3, 0, 0, 65535, 0, 0}, {1, 3, 0, 0, 0, 65535, 0}, {2, 3, 0, 0, 0, 0, 65535}};
  return {
      {"bgr", 8, 0, false, {{0, 0, 3, bgr}}},
      {"argb with a gap", 8, 0, false, {{0, 0, 4, xrgba}}},
      {"i420",
       8,
       0,
       false,
       {{0, 0, 1, {luma(0, 1, 255)}},
        {1, 1, 1, {blue_difference(0, 1, 1, 255)}},
        {1, 1, 1, {red_difference(0, 1, 1, 255)}}}},
      {"nv12",
       8,
       0,
       false,
       {{0, 0, 1, {luma(0, 1, 255)}},
        {1, 1, 2, {blue_difference(0, 2, 1, 255), red_difference(1, 2, 1, 255)}}}},
      {"yuy2",
       8,
       0,
       false,
       {{0, 1, 4, {luma(0, 2, 255), blue_difference(1, 4, 1, 255), red_difference(3, 4, 1, 255)}}}},
      {"yuv9", 8, 0, false, {{0, 0, 1, {luma(0, 1, 255)}}, {2, 2, 1, {blue_difference(0, 1, 2, 255)}}}},
      {"p010",
       10,
       6,
       false,
       {{0, 0, 1, {luma(0, 1, 1023)}},
        {1, 1, 2, {blue_difference(0, 2, 1, 1023), red_difference(1, 2, 1, 1023)}}}},
      {"rgb48 big-endian", 16, 0, true, {{0, 0, 3, rgb16}}},
  };
}

// A canvas over memory of its own, filled with noise; rows have 8 spare bytes.
struct Memory {
  std::vector<std::vector<std::uint8_t>> planes;
  Canvas canvas;
};

Memory make(const Layout& layout, int width, int height, std::mt19937& random) {
  Memory memory;
  memory.planes.resize(layout.planes.size());
  memory.canvas = {width, height, {}};
  for (std::size_t i = 0; i < layout.planes.size(); ++i) {
    const Layout::Plane& from = layout.planes[i];
    CanvasPlane plane;
    plane.row_samples = ((width + (1 << from.unit_shift) - 1) >> from.unit_shift) * from.unit_samples;
    plane.stride = plane.row_samples * (layout.bits == 8 ? 1 : 2) + 8;
    plane.row_shift = from.row_shift;
    plane.bits = layout.bits;
    plane.low_bits = layout.low_bits;
    plane.big_endian = layout.big_endian;
    plane.components = from.components;
    const int rows = (height + (1 << from.row_shift) - 1) >> from.row_shift;
    memory.planes[i].resize(static_cast<std::size_t>(plane.stride) * rows);
    for (std::uint8_t& byte : memory.planes[i]) byte = static_cast<std::uint8_t>(random());
    if (layout.bits > 8) {
      for (std::size_t b = 0; b < memory.planes[i].size(); b += 2) {  // unused bits are 0
        memory.planes[i][b] &= static_cast<std::uint8_t>(0xFF << (layout.big_endian ? 0 : layout.low_bits));
      }
    }
    plane.data = memory.planes[i].data();
    memory.canvas.planes.push_back(plane);
  }
  return memory;
}

int read_sample(const CanvasPlane& plane, int row, int sample) {
  const std::uint8_t* at = plane.data + row * plane.stride + sample * (plane.bits == 8 ? 1 : 2);
  if (plane.bits == 8) return *at;
  return ((plane.big_endian ? at[0] << 8 | at[1] : at[1] << 8 | at[0]) >> plane.low_bits) &
         ((1 << plane.bits) - 1);
}

// Red, green, blue (premultiplied) and alpha of an item at a pixel of the frame, 0..1.
struct Rgba {
  double red = 0, green = 0, blue = 0, alpha = 0;
};

Rgba item_at(const Item& item, int x, int y) {
  if (x < item.x || y < item.y || x >= item.x + item.width || y >= item.y + item.height) return {};
  if (item.patch == nullptr) {
    const double alpha = item.alpha / 255.0;
    return {item.color.red / 255.0 * alpha, item.color.green / 255.0 * alpha, item.color.blue / 255.0 * alpha,
            alpha};
  }
  const std::uint32_t pixel =
      item.patch->pixels[static_cast<std::size_t>(y - item.y) * item.patch->width + x - item.x];
  const auto part = [pixel](int shift) { return static_cast<double>((pixel >> shift) & 0xFF) / 255.0; };
  return {part(16), part(8), part(0), part(24)};
}

// The value that a sample should have after one item: the mean over the frame's pixels that it stands for.
double reference(const Canvas& canvas, const CanvasPlane& plane, const Component& c, const Item& item,
                 int column, int row, double old) {
  const bool outside = item.x >= canvas.width || item.y >= canvas.height || item.x + item.width <= 0 ||
                       item.y + item.height <= 0;
  if (outside) return old;
  Rgba mean;
  const int columns = 1 << c.column_shift, rows = 1 << plane.row_shift;
  for (int y = row * rows; y < (row + 1) * rows; ++y) {
    for (int x = column * columns; x < (column + 1) * columns; ++x) {
      // Flat rectangles are cut at the frame's edge; a picture's pixels beyond it count where a sample
      // straddles it.
      if (item.patch == nullptr && (x >= canvas.width || y >= canvas.height)) continue;
      const Rgba at = item_at(item, x, y);
      mean.red += at.red / (columns * rows);
      mean.green += at.green / (columns * rows);
      mean.blue += at.blue / (columns * rows);
      mean.alpha += at.alpha / (columns * rows);
    }
  }
  const double color = c.constant * mean.alpha + c.red * mean.red + c.green * mean.green + c.blue * mean.blue;
  return old * (1 - mean.alpha) + color;
}

Patch random_patch(std::mt19937& random, int width, int height) {
  static std::uint64_t serial = 1ULL << 40U;
  Patch patch{serial++, width, height, {}};
  for (int i = 0; i < width * height; ++i) {
    const unsigned alpha = random() % 256;
    const auto channel = [&] { return static_cast<std::uint32_t>(random() % (alpha + 1)); };
    patch.pixels.push_back(alpha << 24U | channel() << 16U | channel() << 8U | channel());
  }
  return patch;
}

// One item at a time, at every phase and across every edge of the frame; samples of no component and the
// spare bytes keep their values. Tolerance: rounding of alpha to 8 bits and of the value, 1.5 codes of 8
// bits.
TEST(Painter, AgreesWithTheReference) {
  std::mt19937 random(11);
  for (const Layout& layout : layouts()) {
    for (int round = 0; round < 60; ++round) {
      const int width = 1 + static_cast<int>(random() % 23), height = 1 + static_cast<int>(random() % 19);
      Memory memory = make(layout, width, height, random);
      Memory before = memory;
      for (std::size_t i = 0; i < before.planes.size(); ++i)
        before.canvas.planes[i].data = before.planes[i].data();
      for (std::size_t i = 0; i < memory.planes.size(); ++i)
        memory.canvas.planes[i].data = memory.planes[i].data();
      const Patch patch =
          random_patch(random, 1 + static_cast<int>(random() % 12), 1 + static_cast<int>(random() % 9));
      Item item{static_cast<int>(random() % 30) - 8,
                static_cast<int>(random() % 26) - 8,
                1 + static_cast<int>(random() % 15),
                1 + static_cast<int>(random() % 12),
                {static_cast<std::uint8_t>(random()), static_cast<std::uint8_t>(random()),
                 static_cast<std::uint8_t>(random())},
                static_cast<std::uint8_t>(random()),
                nullptr};
      if (round % 2 == 1) {
        item.patch = &patch;
        item.width = patch.width;
        item.height = patch.height;
      }
      Painter painter;
      painter.paint(memory.canvas, {item});

      const double tolerance = 1.5 * ((1 << layout.bits) - 1) / 255.0;
      for (std::size_t i = 0; i < memory.planes.size(); ++i) {
        const CanvasPlane& plane = memory.canvas.planes[i];
        const int rows = (height + (1 << plane.row_shift) - 1) >> plane.row_shift;
        for (int row = 0; row < rows; ++row) {
          std::vector<bool> checked(static_cast<std::size_t>(plane.row_samples), false);
          for (const Component& c : plane.components) {
            for (int s = c.first, column = 0; s < plane.row_samples; s += c.step, ++column) {
              const int old = read_sample(before.canvas.planes[i], row, s);
              // Samples beyond the frame's last column are there for the unit's sake alone.
              checked[static_cast<std::size_t>(s)] = true;
              if (column << c.column_shift >= width) continue;
              ASSERT_NEAR(read_sample(plane, row, s),
                          reference(memory.canvas, plane, c, item, column, row, old), tolerance)
                  << layout.name << " round " << round << " plane " << i << " row " << row << " sample " << s;
            }
          }
          for (int s = 0; s < plane.row_samples; ++s) {
            if (checked[static_cast<std::size_t>(s)]) continue;
            ASSERT_EQ(read_sample(plane, row, s), read_sample(before.canvas.planes[i], row, s))
                << layout.name;
          }
          const std::size_t spare = static_cast<std::size_t>((row + 1) * plane.stride - 8);
          ASSERT_TRUE(std::equal(memory.planes[i].begin() + static_cast<std::ptrdiff_t>(spare),
                                 memory.planes[i].begin() + static_cast<std::ptrdiff_t>(spare + 8),
                                 before.planes[i].begin() + static_cast<std::ptrdiff_t>(spare)));
        }
      }
    }
  }
}

// The same painter on another encoding converts its pictures anew.
TEST(Painter, FollowsAChangeOfFormat) {
  std::mt19937 random(5);
  const Patch patch = random_patch(random, 8, 8);
  const std::vector<Item> items{{0, 0, 8, 8, {}, 255, &patch}};
  Painter used;
  const std::vector<Layout> all = layouts();
  for (const Layout& layout : all) {
    Memory first = make(layout, 8, 8, random);
    Memory second = first;
    for (std::size_t i = 0; i < first.planes.size(); ++i) {
      first.canvas.planes[i].data = first.planes[i].data();
      second.canvas.planes[i].data = second.planes[i].data();
    }
    Painter alone;
    used.paint(first.canvas, items);
    alone.paint(second.canvas, items);
    EXPECT_EQ(first.planes, second.planes) << layout.name;
  }
}

// Opaque colour replaces, transparent leaves: to the bit.
TEST(Painter, ExtremesAreExact) {
  std::vector<std::uint8_t> pixels(3 * 4, 77);
  Painter painter;
  painter.paint(bgr_canvas(pixels.data(), 4, 1, 12),
                {{1, 0, 1, 1, {10, 20, 30}, 255, nullptr}, {2, 0, 2, 1, {9, 9, 9}, 0, nullptr}});
  EXPECT_EQ(pixels, (std::vector<std::uint8_t>{77, 77, 77, 30, 20, 10, 77, 77, 77, 77, 77, 77}));
}

}  // namespace
}  // namespace smearscope::draw
