#include "ops/preprocess.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <limits>

#include "frames.h"

namespace smearscope::ops {
namespace {

using testing::OwnedFrame;
using testing::Random;

// One channel of a whole picture, in double precision.
struct Channel {
  int width = 0, height = 0;
  std::vector<double> values;
  double& at(int x, int y) { return values[static_cast<std::size_t>(y) * width + x]; }
  double clamped(int x, int y) const {
    return values[static_cast<std::size_t>(std::clamp(y, 0, height - 1)) * width +
                  std::clamp(x, 0, width - 1)];
  }
};

double unit(double value) {
  return std::clamp(value, 0.0, 1.0);
}

// Step 1, pixel by pixel, by inverting the definition of Y'CbCr.
double colour(const Frame& frame, int channel, int x, int y) {
  const auto byte = [&](int plane, int row, int offset) {
    return static_cast<double>(frame.planes[plane].data[frame.planes[plane].stride * row + offset]);
  };
  switch (frame.format) {
    case PixelFormat::gray8:
      return byte(0, y, x) / 255;
    case PixelFormat::rgb:
      return byte(0, y, 3 * x + channel) / 255;
    case PixelFormat::bgr:
      return byte(0, y, 3 * x + 2 - channel) / 255;
    case PixelFormat::rgba:
      return byte(0, y, 4 * x + channel) / 255;
    case PixelFormat::bgra:
      return byte(0, y, 4 * x + 2 - channel) / 255;
    default:
      break;
  }
  const bool nv12 = frame.format == PixelFormat::nv12, full = frame.color.full_range;
  const bool bt709 = frame.color.matrix == YuvColor::Matrix::bt709;
  const double kr = bt709 ? 0.2126 : 0.299, kb = bt709 ? 0.0722 : 0.114;
  const double u = nv12 ? byte(1, y / 2, x / 2 * 2) : byte(1, y / 2, x / 2);
  const double v = nv12 ? byte(1, y / 2, x / 2 * 2 + 1) : byte(2, y / 2, x / 2);
  const double luma = full ? byte(0, y, x) / 255 : (byte(0, y, x) - 16) / 219;
  const double cb = (u - 128) / (full ? 255 : 224), cr = (v - 128) / (full ? 255 : 224);
  const double red = luma + 2 * (1 - kr) * cr, blue = luma + 2 * (1 - kb) * cb;
  const double green = (luma - kr * red - kb * blue) / (1 - kr - kb);
  return unit(channel == 0 ? red : channel == 1 ? green : blue);
}

// Steps 1 to 4 for one channel, each on the whole picture.
Channel reference(const Frame& frame, const Transform& transform, Size resized, int channel) {
  const ImageAdjustment& adjust = transform.adjustment;
  Channel source{frame.width, frame.height,
                 std::vector<double>(static_cast<std::size_t>(frame.width) * frame.height)};
  for (int y = 0; y < frame.height; ++y)
    for (int x = 0; x < frame.width; ++x)
      source.at(x, y) =
          unit((colour(frame, channel, x, y) - 0.5) * adjust.contrast + 0.5 + adjust.brightness);
  Channel sharp = source;
  if (adjust.unsharp_amount != 0) {
    const int radius = static_cast<int>(std::ceil(3 * adjust.unsharp_sigma));
    for (int y = 0; y < frame.height; ++y)
      for (int x = 0; x < frame.width; ++x) {
        double sum = 0, weights = 0;
        for (int dy = -radius; dy <= radius; ++dy)
          for (int dx = -radius; dx <= radius; ++dx) {
            const double weight = std::exp(-0.5 * (dx * dx + dy * dy) / std::pow(adjust.unsharp_sigma, 2));
            sum += weight * source.clamped(x + dx, y + dy);
            weights += weight;
          }
        sharp.at(x, y) = unit(source.at(x, y) + adjust.unsharp_amount * (source.at(x, y) - sum / weights));
      }
  }
  Channel result{resized.width, resized.height,
                 std::vector<double>(static_cast<std::size_t>(resized.width) * resized.height)};
  for (int y = 0; y < resized.height; ++y)
    for (int x = 0; x < resized.width; ++x) {
      const double source_x = std::max(0.0, (x + 0.5) * frame.width / resized.width - 0.5);
      const double source_y = std::max(0.0, (y + 0.5) * frame.height / resized.height - 0.5);
      const int left = static_cast<int>(source_x), top = static_cast<int>(source_y);
      const double right = source_x - left, bottom = source_y - top;
      const double value =
          (1 - bottom) * ((1 - right) * sharp.clamped(left, top) + right * sharp.clamped(left + 1, top)) +
          bottom * ((1 - right) * sharp.clamped(left, top + 1) + right * sharp.clamped(left + 1, top + 1));
      result.at(x, y) = (value - transform.mean[channel]) / transform.std[channel];
    }
  return result;
}

// Planar or channels-last output, poisoned with NaN before the call.
struct Output {
  Size size;
  bool channels_last;
  std::vector<float> data;
  Output(Size size, bool channels_last)
      : size(size),
        channels_last(channels_last),
        data(std::size_t{3} * size.width * size.height, std::numeric_limits<float>::quiet_NaN()) {}
  InputView view() {
    if (channels_last) return {data.data(), 1, std::ptrdiff_t{3} * size.width, 3, size};
    return {data.data(), std::ptrdiff_t{1} * size.width * size.height, size.width, 1, size};
  }
  float at(int channel, int x, int y) const {
    const std::size_t pixel = static_cast<std::size_t>(y) * size.width + x;
    return channels_last ? data[3 * pixel + channel]
                         : data[static_cast<std::size_t>(channel) * size.width * size.height + pixel];
  }
};

void expect_reference(const Frame& frame, const Transform& transform, Size resized, bool channels_last) {
  // Positions of samples are float32: off by up to 1e-7 of the width, times the steepest edge, 1 / std.
  const double tolerance = 2e-4 + 1e-7 / 0.225 * frame.width;
  PreprocessScratch scratch;
  Output output(padded_size(resized), channels_last);
  preprocess_cpu(frame, transform, resized, output.view(), scratch);
  for (int channel = 0; channel < 3; ++channel) {
    Channel expected = reference(frame, transform, resized, channel);
    for (int y = 0; y < output.size.height; ++y)
      for (int x = 0; x < output.size.width; ++x) {
        const bool inside = x < resized.width && y < resized.height;
        const double value = inside ? expected.at(x, y) : 0;
        ASSERT_NEAR(output.at(channel, x, y), value, tolerance)
            << "channel " << channel << " x " << x << " y " << y;
      }
  }
}

Transform with_adjustment(const ImageAdjustment& adjustment) {
  Transform transform;
  transform.adjustment = adjustment;
  return transform;
}

TEST(Preprocess, EqualsReferenceForAllFormatsSizesAndStrides) {
  Random random(1);
  for (const PixelFormat format : testing::all_formats())
    for (int round = 0; round < 6; ++round) {
      OwnedFrame owned(format, random.integer(1, 60), random.integer(1, 60), random.integer(0, 9));
      owned.randomise(random);
      owned.frame().color = {round % 2 ? YuvColor::Matrix::bt709 : YuvColor::Matrix::bt601, round % 3 == 0};
      SCOPED_TRACE(::testing::Message() << "format " << static_cast<int>(format) << " round " << round);
      expect_reference(owned.frame(), {}, {random.integer(1, 80), random.integer(1, 80)}, round % 2 == 0);
    }
}

TEST(Preprocess, AdjustsAndSharpensAsTheReference) {
  Random random(2);
  const std::vector<ImageAdjustment> adjustments{
      {1.4, 0.05, 0, 1}, {0.5, -0.2, 0, 1}, {1, 0, 1.5, 1}, {1.2, 0.1, 0.7, 2.3}, {1, 0, 3, 0.1}};
  for (const ImageAdjustment& adjustment : adjustments)
    for (const Size resized : {Size{40, 30}, Size{11, 64}, Size{3, 2}}) {
      OwnedFrame owned(PixelFormat::rgb, random.integer(1, 40), random.integer(1, 40), 3);
      owned.randomise(random);
      expect_reference(owned.frame(), with_adjustment(adjustment), resized, false);
    }
}

TEST(Preprocess, DoesNotDependOnTheNumberOfThreads) {
  Random random(3);
  OwnedFrame owned(PixelFormat::nv12, 101, 77);
  owned.randomise(random);
  const Transform transform = with_adjustment({1.1, 0.02, 0.8, 1.7});
  const int before = omp_get_max_threads();
  std::vector<float> first;
  for (const int threads : {1, 2, 3, 7}) {
    omp_set_num_threads(threads);
    PreprocessScratch scratch;
    Output output({96, 64}, false);
    preprocess_cpu(owned.frame(), transform, {90, 64}, output.view(), scratch);
    if (first.empty()) first = output.data;
    EXPECT_EQ(output.data, first) << threads << " threads";
  }
  omp_set_num_threads(before);
}

TEST(Preprocess, ScratchServesFramesOfOtherSizes) {
  Random random(4);
  PreprocessScratch shared;
  for (const Size size : {Size{50, 40}, Size{5, 90}, Size{200, 3}, Size{50, 40}}) {
    OwnedFrame owned(PixelFormat::rgb, size.width, size.height);
    owned.randomise(random);
    PreprocessScratch fresh;
    Output a({64, 64}, false), b({64, 64}, false);
    preprocess_cpu(owned.frame(), with_adjustment({1, 0, 1, 1.5}), {50, 60}, a.view(), shared);
    preprocess_cpu(owned.frame(), with_adjustment({1, 0, 1, 1.5}), {50, 60}, b.view(), fresh);
    EXPECT_EQ(a.data, b.data);
  }
}

TEST(Preprocess, TakesWideFrames) {
  OwnedFrame owned(PixelFormat::i420, 16385, 3);
  Random random(5);
  owned.randomise(random);
  expect_reference(owned.frame(), {}, {1333, 1}, false);
}

TEST(ReadRow, WhiteGreyAndBlackAreExactInEveryYuvForm) {
  for (const bool full : {false, true})
    for (const auto matrix : {YuvColor::Matrix::bt601, YuvColor::Matrix::bt709})
      for (const PixelFormat format : {PixelFormat::nv12, PixelFormat::i420})
        for (const int grey : {0, 255}) {
          OwnedFrame owned(format, 3, 1);
          owned.frame().color = {matrix, full};
          for (int x = 0; x < 3; ++x) testing::put_pixel(owned, x, 0, {grey, grey, grey});
          std::vector<float> row(9);
          read_row_cpu(owned.frame(), 0, row.data());
          for (const float value : row) EXPECT_NEAR(value, grey / 255.0, 1e-6);
        }
}

TEST(GaussianWeights, SumToOne) {
  for (const double sigma : {0.1, 0.5, 1.0, 3.7, 20.0}) {
    const std::vector<float> weights = gaussian_weights(sigma);
    EXPECT_EQ(weights.size(), static_cast<std::size_t>(std::ceil(3 * sigma)) + 1);
    double sum = weights[0];
    for (std::size_t i = 1; i < weights.size(); ++i) sum += 2 * weights[i];
    EXPECT_NEAR(sum, 1, 1e-6);
  }
}

}  // namespace
}  // namespace smearscope::ops
