#include "ops/roi_align.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "random_numbers.h"

namespace smearscope::ops {
namespace {

using testing::Random;

struct Pyramid {
  int channels;
  std::array<std::vector<float>, roi_levels> data;
  std::array<FeatureMap, roi_levels> maps;
  Pyramid(int channels, int width, int height, Random& random) : channels(channels) {
    for (int level = 0; level < roi_levels; ++level) {
      const int w = std::max(1, width >> (level + 2)), h = std::max(1, height >> (level + 2));
      data[level] = random.reals(static_cast<std::size_t>(channels) * w * h, -2, 2);
      maps[level] = {data[level].data(), w, h};
    }
  }
};

// The mean of bilinear samples, written down as the definition says, in double precision.
double bilinear(const FeatureMap& map, int channels, int channel, double x, double y) {
  if (y < -1 || y > map.height || x < -1 || x > map.width) return 0;
  x = std::clamp(x, 0.0, map.width - 1.0);
  y = std::clamp(y, 0.0, map.height - 1.0);
  const int left = static_cast<int>(x), top = static_cast<int>(y);
  const auto cell = [&](int cx, int cy) {
    cx = std::min(cx, map.width - 1);
    cy = std::min(cy, map.height - 1);
    return static_cast<double>(
        map.data[(static_cast<std::size_t>(cy) * map.width + cx) * channels + channel]);
  };
  const double fx = x - left, fy = y - top;
  return (1 - fy) * ((1 - fx) * cell(left, top) + fx * cell(left + 1, top)) +
         fy * ((1 - fx) * cell(left, top + 1) + fx * cell(left + 1, top + 1));
}

double expected(const Pyramid& pyramid, const Box& roi, int channel, int bin_x, int bin_y) {
  const int level = roi_level(roi);
  const double scale = 1.0 / (4 << level);
  const double x = roi.x_min * scale, y = roi.y_min * scale;
  const double bin_width = std::max(1.0, roi.x_max * scale - x) / 7,
               bin_height = std::max(1.0, roi.y_max * scale - y) / 7;
  double sum = 0;
  for (int sample = 0; sample < 4; ++sample)
    sum += bilinear(pyramid.maps[level], pyramid.channels, channel,
                    x + (bin_x + (sample % 2 + 0.5) / 2) * bin_width,
                    y + (bin_y + (sample / 2 + 0.5) / 2) * bin_height);
  return sum / 4;
}

TEST(RoiAlign, EqualsTheDefinitionOnAllLevels) {
  Random random(1);
  for (const int channels : {1, 3, 8, 20, 256}) {
    const int width = random.integer(4, 40) * 32, height = random.integer(4, 40) * 32;
    const Pyramid pyramid(channels, width, height, random);
    std::vector<Box> rois;
    for (int i = 0; i < 30; ++i) {
      const float x = random.real(0, static_cast<float>(width)),
                  y = random.real(0, static_cast<float>(height));
      const float side = std::exp(random.real(-4, 7));
      rois.push_back({x, y, std::min(x + side, static_cast<float>(width)),
                      std::min(y + side * random.real(0.3F, 3), static_cast<float>(height))});
    }
    rois.push_back({0, 0, static_cast<float>(width), static_cast<float>(height)});
    const std::size_t each = static_cast<std::size_t>(49) * channels;
    std::vector<float> output(rois.size() * each, std::numeric_limits<float>::quiet_NaN());
    roi_align_cpu(pyramid.maps, channels, rois, output.data());
    for (std::size_t i = 0; i < rois.size(); ++i)
      for (int bin = 0; bin < 49; ++bin)
        for (int channel = 0; channel<channels; channel += channels> 20 ? 17 : 1)
          ASSERT_NEAR(output[i * each + static_cast<std::size_t>(bin) * channels + channel],
                      expected(pyramid, rois[i], channel, bin % 7, bin / 7), 2e-3)
              << "roi " << i << " bin " << bin << " channel " << channel;
  }
}

TEST(RoiAlign, SamplesOutsideTheMapAreZero) {
  Random random(2);
  const Pyramid pyramid(4, 128, 128, random);
  std::vector<float> output(49 * 4, 9);
  roi_align_cpu(pyramid.maps, 4, {{400, 400, 420, 420}}, output.data());
  for (const float value : output) EXPECT_EQ(value, 0);
}

TEST(RoiAlign, WorksOnMapsOfOneCell) {
  Random random(3);
  const Pyramid pyramid(5, 32, 32, random);
  std::vector<float> output(49 * 5);
  roi_align_cpu(pyramid.maps, 5, {{0, 0, 32, 32}}, output.data());
  for (int bin = 0; bin < 49; ++bin)
    EXPECT_NEAR(output[bin * 5], expected(pyramid, {0, 0, 32, 32}, 0, bin % 7, bin / 7), 1e-3);
}

TEST(RoiLevel, ChangesAt112And224And448) {
  const auto level = [](float side) { return roi_level({0, 0, side, side}); };
  EXPECT_EQ(level(1e-3F), 0);
  EXPECT_EQ(level(111.9F), 0);
  EXPECT_EQ(level(112), 1);
  EXPECT_EQ(level(223.9F), 1);
  EXPECT_EQ(level(224), 2);
  EXPECT_EQ(level(448), 3);
  EXPECT_EQ(level(1e5F), 3);
}

}  // namespace
}  // namespace smearscope::ops
