#include "ops/pooling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "device_array.h"
#include "random_numbers.h"
#include "thread_orders.h"

namespace smearscope::ops {
namespace {

using testing::DeviceArray;
using testing::Random;

struct Maps {
  int images, channels;
  Size size;
  std::vector<float> values;
  float at(int image, int y, int x, int channel) const {
    return values[((std::size_t{1} * image * size.height + y) * size.width + x) * channels + channel];
  }
};

Maps random_maps(int images, int channels, Size size, Element element, Random& random) {
  const std::size_t count = std::size_t{1} * images * channels * size.width * size.height;
  return {images, channels, size, testing::rounded(random.reals(count, -2, 2), element)};
}

using Operation = void (*)(const DeviceMaps&, const DeviceMaps&, int, int, Element, DeviceStream);

// `expected(image, y, x, channel)` for every element that `operation` writes.
template <typename Expected>
void expect_maps(Operation operation, const Maps& in, Size out, Element element, Expected expected) {
  DeviceArray<std::uint8_t> input(testing::to_bytes(in.values, element));
  testing::in_all_thread_orders([&] {
    const std::size_t count = std::size_t{1} * in.images * in.channels * out.width * out.height;
    DeviceArray<std::uint8_t> output(count * size_of(element));
    operation({input.data(), in.size}, {output.data(), out}, in.images, in.channels, element, nullptr);
    const Maps found{in.images, in.channels, out, testing::from_bytes(output.download(), element)};
    for (int image = 0; image < in.images; ++image)
      for (int y = 0; y < out.height; ++y)
        for (int x = 0; x < out.width; ++x)
          for (int channel = 0; channel < in.channels; ++channel)
            ASSERT_EQ(found.at(image, y, x, channel), expected(image, y, x, channel))
                << "y " << y << " x " << x;
  });
}

TEST(PoolingKernels, EqualTheDefinitionForOddAndEvenSizes) {
  Random random(1);
  for (const Element element : testing::all_elements())
    for (const Size size : {Size{1, 1}, Size{7, 4}, Size{16, 9}, Size{33, 2}}) {
      const Maps in = random_maps(2, 16, size, element, random);
      const Size half{(size.width - 1) / 2 + 1, (size.height - 1) / 2 + 1};
      expect_maps(max_pool_cuda, in, half, element, [&](int image, int y, int x, int channel) {
        float most = -std::numeric_limits<float>::infinity();
        for (int dy = -1; dy <= 1; ++dy)
          for (int dx = -1; dx <= 1; ++dx) {
            const int row = 2 * y + dy, column = 2 * x + dx;
            if (row >= 0 && column >= 0 && row < size.height && column < size.width)
              most = std::max(most, in.at(image, row, column, channel));
          }
        return most;
      });
      expect_maps(subsample_cuda, in, half, element,
                  [&](int image, int y, int x, int channel) { return in.at(image, 2 * y, 2 * x, channel); });
      expect_maps(upsample_cuda, in, {2 * size.width, 2 * size.height}, element,
                  [&](int image, int y, int x, int channel) { return in.at(image, y / 2, x / 2, channel); });
    }
}

TEST(AddBiasKernel, EqualsTheDefinitionWithAndWithoutRelu) {
  Random random(2);
  for (const Element element : testing::all_elements())
    for (const bool relu : {false, true}) {
      const int channels = 24;
      const std::size_t positions = 77;
      const std::vector<float> values = testing::rounded(random.reals(positions * channels, -2, 2), element);
      const std::vector<float> bias = testing::rounded(random.reals(channels, -2, 2), element);
      std::vector<float> expected;
      for (std::size_t i = 0; i < values.size(); ++i) {
        const float sum = values[i] + bias[i % channels];
        expected.push_back(relu ? std::max(sum, 0.0F) : sum);
      }
      testing::in_all_thread_orders([&] {
        DeviceArray<std::uint8_t> in_place(testing::to_bytes(values, element)),
            offsets(testing::to_bytes(bias, element));
        add_bias_cuda(in_place.data(), offsets.data(), relu, positions, channels, element, nullptr);
        EXPECT_EQ(testing::from_bytes(in_place.download(), element), testing::rounded(expected, element));
      });
    }
}

}  // namespace
}  // namespace smearscope::ops
