#include "network/roi_align.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>

namespace smearscope::training {
namespace {

using Levels = std::array<at::Tensor, 4>;

// Two images of 128 x 96 pixels.
Levels random_levels(int channels, at::ScalarType type = at::kDouble) {
  at::manual_seed(1);
  Levels levels;
  for (int i = 0; i < 4; ++i) levels[i] = at::rand({2, channels, 32 >> i, 24 >> i}, type) - 0.5;
  return levels;
}

// Boxes for all levels, some partly or wholly outside the image, some smaller than a pixel.
at::Tensor some_rois() {
  return at::tensor({0.0,   3.0,    4.0,   30.0,  45.0,  1.0,   10.5, 20.25, 60.0,  70.75, 0.0,   -30.0,
                     -40.0, 200.0,  210.0, 1.0,   0.0,   0.0,   96.0, 128.0, 1.0,   50.0,  60.0,  50.5,
                     60.25, 0.0,    90.0,  120.0, 140.0, 170.0, 0.0,  -90.0, -90.0, -50.0, -50.0, 1.0,
                     -9.0,  -600.0, 500.0, 900.0, 0.0,   5.0,   5.0,  300.0, 310.0},
                    at::kDouble)
      .view({-1, 5});
}

double value_at(const at::Tensor& map, double y, double x) {
  const auto height = map.size(0), width = map.size(1);
  if (y < -1 || y > height || x < -1 || x > width) return 0;
  y = std::clamp(y, 0.0, static_cast<double>(height - 1));
  x = std::clamp(x, 0.0, static_cast<double>(width - 1));
  const auto low_y = static_cast<std::int64_t>(y), low_x = static_cast<std::int64_t>(x);
  const auto high_y = std::min(low_y + 1, height - 1), high_x = std::min(low_x + 1, width - 1);
  const auto at = [&](std::int64_t row, std::int64_t column) { return map[row][column].item<double>(); };
  const double fy = y - low_y, fx = x - low_x;
  return at(low_y, low_x) * (1 - fy) * (1 - fx) + at(low_y, high_x) * (1 - fy) * fx +
         at(high_y, low_x) * fy * (1 - fx) + at(high_y, high_x) * fy * fx;
}

// Sample by sample, as the paper says it (Mask R-CNN, section 3).
at::Tensor slow_roi_align(const Levels& levels, const at::Tensor& rois) {
  const auto channels = levels[0].size(1);
  at::Tensor out = at::zeros({rois.size(0), 7, 7, channels}, at::kDouble);
  for (std::int64_t r = 0; r < rois.size(0); ++r) {
    const auto value = [&](int i) { return rois[r][i].item<double>(); };
    const double width = value(3) - value(1), height = value(4) - value(2);
    const int level = static_cast<int>(std::clamp(
                          std::floor(4 + std::log2(std::sqrt(width * height) / 224) + 1e-6), 2.0, 5.0)) -
                      2;
    const double scale = 1.0 / (4 << level);
    const double bin_width = std::max(width * scale, 1.0) / 7, bin_height = std::max(height * scale, 1.0) / 7;
    for (int by = 0; by < 7; ++by) {
      for (int bx = 0; bx < 7; ++bx) {
        for (std::int64_t c = 0; c < channels; ++c) {
          double sum = 0;
          for (int s = 0; s < 4; ++s) {
            const double y = value(2) * scale + (by + 0.25 + 0.5 * (s / 2)) * bin_height;
            const double x = value(1) * scale + (bx + 0.25 + 0.5 * (s % 2)) * bin_width;
            sum += value_at(levels[level][static_cast<std::int64_t>(value(0))][c], y, x);
          }
          out[r][by][bx][c] = sum / 4;
        }
      }
    }
  }
  return out;
}

TEST(RoiAlign, EqualsTheSlowReference) {
  const Levels levels = random_levels(3);
  const at::Tensor difference = roi_align(levels, some_rois()) - slow_roi_align(levels, some_rois());
  EXPECT_LT(difference.abs().max().item<double>(), 1e-12);
}

TEST(RoiAlign, SinglePrecisionAndMemoryFormatChangeLittle) {
  Levels levels = random_levels(70);
  const at::Tensor exact = roi_align(levels, some_rois());
  for (at::Tensor& level : levels) level = level.to(at::kFloat).contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor difference = roi_align(levels, some_rois().to(at::kFloat)) - exact;
  EXPECT_LT(difference.abs().max().item<double>(), 1e-5);
}

// Pooling is linear in the features, so one step of any length gives the derivative exactly.
TEST(RoiAlign, GradientEqualsFiniteDifferences) {
  Levels levels = random_levels(2);
  for (at::Tensor& level : levels) level.set_requires_grad(true);
  const at::Tensor weight = at::rand({some_rois().size(0), 7, 7, 2}, at::kDouble);
  const auto value = [&] { return (roi_align(levels, some_rois()) * weight).sum(); };
  value().backward();
  const double base = value().item<double>();
  const at::NoGradGuard no_gradient;
  for (at::Tensor& level : levels) {
    at::Tensor flat = level.view(-1), gradient = level.grad().contiguous().view(-1);
    for (std::int64_t i = 0; i < flat.size(0); i += 37) {
      flat[i] += 1;
      EXPECT_NEAR(value().item<double>() - base, gradient[i].item<double>(), 1e-10);
      flat[i] -= 1;
    }
  }
}

TEST(RoiAlign, ThreadsDoNotChangeABit) {
  const int threads = at::get_num_threads();
  at::Tensor values[2], gradients[2];
  for (int i = 0; i < 2; ++i) {
    at::set_num_threads(i == 0 ? 1 : 3);
    Levels levels = random_levels(130, at::kFloat);
    for (at::Tensor& level : levels) level.set_requires_grad(true);
    values[i] = roi_align(levels, some_rois().to(at::kFloat));
    values[i].square().sum().backward();
    gradients[i] =
        at::cat({levels[0].grad().flatten(), levels[1].grad().flatten(), levels[2].grad().flatten()});
  }
  at::set_num_threads(threads);
  EXPECT_TRUE(values[0].equal(values[1]));
  EXPECT_TRUE(gradients[0].equal(gradients[1]));
}

TEST(RoiAlign, LevelBoundariesAreAtMultiplesOf224) {
  EXPECT_EQ(roi_level(111 * 111), 0);
  EXPECT_EQ(roi_level(112 * 112), 1);
  EXPECT_EQ(roi_level(224 * 224), 2);
  EXPECT_EQ(roi_level(448 * 448), 3);
  EXPECT_EQ(roi_level(5000 * 5000), 3);
  EXPECT_EQ(roi_level(0), 0);
}

TEST(RoiAlign, NoRoisGiveAnEmptyResult) {
  EXPECT_EQ(roi_align(random_levels(4), at::zeros({0, 5}, at::kDouble)).sizes(),
            (at::IntArrayRef{0, 7, 7, 4}));
}

TEST(RoiAlign, RejectsWrongShapesAndImages) {
  const Levels levels = random_levels(4);
  EXPECT_THROW(roi_align(levels, at::zeros({1, 4}, at::kDouble)), c10::Error);
  EXPECT_THROW(roi_align(levels, at::zeros({1, 5}, at::kFloat)), c10::Error);
  EXPECT_THROW(roi_align(levels, at::tensor({2.0, 0.0, 0.0, 9.0, 9.0}, at::kDouble).view({1, 5})),
               c10::Error);
  EXPECT_THROW(roi_align(levels, at::tensor({-1.0, 0.0, 0.0, 9.0, 9.0}, at::kDouble).view({1, 5})),
               c10::Error);
}

}  // namespace
}  // namespace smearscope::training
