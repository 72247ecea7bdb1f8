#include <gtest/gtest.h>

#include <limits>
#include <memory>

#include "device_array.h"
#include "frames.h"
#include "ops/preprocess.h"
#include "thread_orders.h"

namespace smearscope::ops {
namespace {

using testing::DeviceArray;
using testing::OwnedFrame;
using testing::Random;

// Frames and all that belongs to them, in device memory.
struct Batch {
  std::vector<std::unique_ptr<OwnedFrame>> owned;
  std::vector<std::unique_ptr<DeviceArray<std::uint8_t>>> planes;
  std::vector<std::unique_ptr<DeviceArray<float>>> scratch;
  std::vector<DeviceFrame> frames;

  void add(PixelFormat format, Size size, Size resized, bool full_range, Random& random) {
    owned.push_back(std::make_unique<OwnedFrame>(format, size.width, size.height, random.integer(0, 9)));
    owned.back()->randomise(random);
    owned.back()->frame().color = {full_range ? YuvColor::Matrix::bt709 : YuvColor::Matrix::bt601,
                                   full_range};
    const Frame& frame = owned.back()->frame();
    DeviceFrame device = device_frame(frame, resized);
    for (int plane = 0; plane < plane_count(format); ++plane) {
      // The last row ends with its pixels: there may be nothing behind them.
      const int rows = plane == 0 ? size.height : (size.height + 1) / 2;
      const std::ptrdiff_t stride = frame.planes[plane].stride;
      const std::uint8_t* first = frame.planes[plane].data;
      const std::vector<std::uint8_t> bytes(
          first, first + stride * (rows - 1) + row_bytes(format, plane, size.width));
      planes.push_back(std::make_unique<DeviceArray<std::uint8_t>>(bytes));
      device.planes[plane] = planes.back()->data();
      device.strides[plane] = stride;
    }
    scratch.push_back(std::make_unique<DeviceArray<float>>(unsharp_scratch_floats(size.width, size.height)));
    device.scratch = scratch.back()->data();
    frames.push_back(device);
  }
};

std::vector<float> on_cpu(const Batch& batch, std::size_t image, const Transform& transform, Size padded) {
  std::vector<float> values(std::size_t{3} * padded.width * padded.height);
  PreprocessScratch scratch;
  preprocess_cpu(batch.owned[image]->frame(), transform, batch.frames[image].resized,
                 {values.data(), 1, std::ptrdiff_t{3} * padded.width, 3, padded}, scratch);
  return values;
}

void expect_cpu(const Batch& batch, const Transform& transform, Size padded, Element element) {
  const int count = static_cast<int>(batch.frames.size());
  DeviceArray<DeviceFrame> frames(batch.frames);
  DeviceTransform constants = device_transform(transform);
  DeviceArray<float> gaussian(gaussian_weights(transform.adjustment.unsharp_sigma));
  constants.gaussian = gaussian.data();
  constants.gaussian_count = static_cast<int>(gaussian.size());
  const std::size_t channels = padded_channels(3, element),
                    pixels = std::size_t{1} * padded.width * padded.height;
  testing::in_all_thread_orders([&] {
    DeviceArray<std::uint8_t> output(count * pixels * channels * size_of(element));
    preprocess_cuda(frames.data(), count, constants, padded, element, output.data(), nullptr);
    const std::vector<float> found = testing::from_bytes(output.download(), element);
    for (int image = 0; image < count; ++image) {
      const std::vector<float> expected = on_cpu(batch, image, transform, padded);
      for (std::size_t i = 0; i < pixels * channels; ++i) {
        const std::size_t channel = i % channels;
        const float value = channel < 3 ? expected[i / channels * 3 + channel] : 0;
        ASSERT_NEAR(found[image * pixels * channels + i], value, element == Element::f32 ? 2e-5 : 2e-3)
            << "image " << image << " pixel " << i / channels << " channel " << channel;
      }
    }
  });
}

TEST(PreprocessKernel, EqualsTheCpuForAllFormatsInOneBatch) {
  Random random(1);
  for (const Element element : testing::all_elements()) {
    Batch batch;
    const Size padded{64, 32};
    for (const PixelFormat format : testing::all_formats())
      batch.add(format, {random.integer(1, 60), random.integer(1, 60)},
                {random.integer(33, 64), random.integer(1, 32)}, random.integer(0, 1) == 1, random);
    expect_cpu(batch, {}, padded, element);
  }
}

TEST(PreprocessKernel, AdjustsAndSharpensAsTheCpu) {
  Random random(2);
  for (const ImageAdjustment& adjustment : {ImageAdjustment{1.4, 0.05, 0, 1}, ImageAdjustment{1, 0, 1.5, 1},
                                            ImageAdjustment{1.2, 0.1, 0.7, 2.3}}) {
    Batch batch;
    batch.add(PixelFormat::rgb, {37, 23}, {40, 25}, false, random);
    batch.add(PixelFormat::nv12, {1, 50}, {1, 50}, true, random);
    batch.add(PixelFormat::gray8, {3, 2}, {64, 43}, true, random);
    Transform transform;
    transform.adjustment = adjustment;
    expect_cpu(batch, transform, {64, 64}, Element::f32);
  }
}

}  // namespace
}  // namespace smearscope::ops
