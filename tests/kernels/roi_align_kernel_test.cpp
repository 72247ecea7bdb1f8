#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "device_array.h"
#include "ops/roi_align.h"
#include "ops/transform.h"
#include "random_numbers.h"
#include "thread_orders.h"

namespace smearscope::ops {
namespace {

using testing::DeviceArray;
using testing::Random;

// A pyramid of a batch, as bytes of an element type and as floats for the CPU.
struct Batch {
  Element element;
  int channels, images;
  std::vector<float> values[roi_levels];
  Size sizes[roi_levels];
  std::unique_ptr<DeviceArray<std::uint8_t>> memory[roi_levels];
  DevicePyramid pyramid;

  Batch(Element element, int real_channels, int images, Size input, Random& random)
      : element(element), channels(padded_channels(real_channels, element)), images(images) {
    pyramid.element = element;
    pyramid.channels = channels;
    for (int level = 0; level < roi_levels; ++level) {
      sizes[level] = {std::max(1, input.width >> (level + 2)), std::max(1, input.height >> (level + 2))};
      const std::size_t count = std::size_t{1} * images * channels * sizes[level].width * sizes[level].height;
      values[level] = testing::rounded(random.reals(count, -2, 2), element);
      memory[level] = std::make_unique<DeviceArray<std::uint8_t>>(testing::to_bytes(values[level], element));
      pyramid.levels[level] = {memory[level]->data(), sizes[level].width, sizes[level].height};
    }
  }

  std::array<FeatureMap, roi_levels> maps(int image) const {
    std::array<FeatureMap, roi_levels> result;
    for (int level = 0; level < roi_levels; ++level) {
      const std::size_t each = values[level].size() / images;
      result[level] = {values[level].data() + image * each, sizes[level].width, sizes[level].height};
    }
    return result;
  }
};

std::vector<Box> random_rois(int count, Size input, Random& random) {
  std::vector<Box> rois;
  const auto width = static_cast<float>(input.width), height = static_cast<float>(input.height);
  for (int i = 0; i < count; ++i) {
    const float x = random.real(-20, width + 20), y = random.real(-20, height + 20);
    const float side = std::exp(random.real(-4, 7));
    rois.push_back({x, y, x + side, y + side * random.real(0.3F, 3)});
  }
  if (count > 0) rois[0] = {0, 0, width, height};
  return rois;
}

void expect_cpu(Element element, int channels, int images, Size input, Random& random) {
  const Batch batch(element, channels, images, input, random);
  const int rois_each = 9;
  const std::vector<Box> rois = random_rois(images * rois_each, input, random);
  std::vector<int> counts;
  for (int image = 0; image < images; ++image)
    counts.push_back(image == 1 ? 0 : random.integer(1, rois_each));
  DeviceArray<Box> device_rois(rois);
  DeviceArray<int> device_counts(counts);
  const std::size_t each = std::size_t{49} * batch.channels;
  testing::in_all_thread_orders([&] {
    DeviceArray<std::uint8_t> output(rois.size() * each * size_of(element));
    roi_align_cuda(batch.pyramid, device_rois.data(), device_counts.data(), images, rois_each, output.data(),
                   nullptr);
    const std::vector<float> found = testing::from_bytes(output.download(), element);
    for (int image = 0; image < images; ++image) {
      const auto first = rois.begin() + image * rois_each;
      const std::vector<Box> own(first, first + counts[image]);
      std::vector<float> expected(own.size() * each);
      roi_align_cpu(batch.maps(image), batch.channels, own, expected.data());
      const float* values = found.data() + image * rois_each * each;
      for (std::size_t i = 0; i < expected.size(); ++i)
        ASSERT_NEAR(values[i], expected[i], element == Element::f32 ? 1e-5 : 2e-3)
            << "image " << image << " at " << i;
      for (std::size_t i = expected.size(); i < rois_each * each; ++i)
        ASSERT_TRUE(std::isnan(values[i])) << "written beyond the image's RoIs";
    }
  });
}

TEST(RoiAlignKernel, EqualsTheCpuForAllElementsChannelsAndBatches) {
  Random random(1);
  for (const Element element : testing::all_elements()) {
    expect_cpu(element, 256, 1, {640, 480}, random);
    expect_cpu(element, 13, 3, {96, 224}, random);
    expect_cpu(element, 1, 2, {32, 32}, random);
  }
}

}  // namespace
}  // namespace smearscope::ops
