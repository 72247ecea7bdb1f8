// The CUDA kernels of RoIAlign and of its gradient, judged by the CPU's. One body, compiled twice: for the
// emulator, which needs no GPU, and for a CUDA device, where LibTorch calls them.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "network/roi_align.h"
#if defined(SMEARSCOPE_EMULATED_KERNELS)
#include "network/roi_align_kernels.h"
#include "thread_orders.h"
#else
#include "cuda_device.h"
#endif

namespace smearscope::training {
namespace {

using Levels = std::array<at::Tensor, 4>;

struct Result {
  at::Tensor values;
  Levels gradients;
};

// The values, and what comes back for `gradient`.
Result through_libtorch(Levels levels, const at::Tensor& rois, const at::Tensor& gradient) {
  for (at::Tensor& level : levels) level = level.detach().clone().set_requires_grad(true);
  Result result{roi_align(levels, rois), {}};
  result.values.backward(gradient);
  for (std::size_t i = 0; i < levels.size(); ++i) result.gradients[i] = levels[i].grad();
  return result;
}

#if defined(SMEARSCOPE_EMULATED_KERNELS)

template <typename T>
RoiPyramid<T> pyramid_of(const Levels& levels) {
  RoiPyramid<T> pyramid;
  pyramid.images = static_cast<int>(levels[0].size(0)),
  pyramid.channels = static_cast<int>(levels[0].size(1));
  for (std::size_t i = 0; i < levels.size(); ++i) {
    pyramid.levels[i] = {levels[i].data_ptr<float>(), static_cast<int>(levels[i].size(2)),
                         static_cast<int>(levels[i].size(3))};
  }
  return pyramid;
}

// A NaN where a kernel doesn't write.
at::Tensor poisoned(at::IntArrayRef shape, at::MemoryFormat format) {
  return at::full(shape, std::numeric_limits<float>::quiet_NaN()).contiguous(format);
}

Result through_kernels(Levels levels, const at::Tensor& rois, const at::Tensor& gradient) {
  Result result{poisoned(gradient.sizes(), at::MemoryFormat::Contiguous), {}};
  for (std::size_t i = 0; i < levels.size(); ++i) {
    levels[i] = levels[i].contiguous(at::MemoryFormat::ChannelsLast);
    result.gradients[i] = poisoned(levels[i].sizes(), at::MemoryFormat::ChannelsLast);
  }
  const int count = static_cast<int>(rois.size(0));
  roi_align_kernels(pyramid_of<const float>(levels), rois.data_ptr<float>(), count,
                    result.values.data_ptr<float>(), nullptr);
  roi_align_gradient_kernels(gradient.data_ptr<float>(), rois.data_ptr<float>(), count,
                             pyramid_of<float>(result.gradients), nullptr);
  return result;
}

#define NEEDS_DEVICE
using testing::in_all_thread_orders;

#else

Result through_kernels(Levels levels, const at::Tensor& rois, const at::Tensor& gradient) {
  for (at::Tensor& level : levels) level = level.to(at::kCUDA);
  Result result = through_libtorch(levels, rois.to(at::kCUDA), gradient.to(at::kCUDA));
  result.values = result.values.cpu();
  for (at::Tensor& level : result.gradients) level = level.cpu();
  return result;
}

#define NEEDS_DEVICE \
  if (!testing::cuda_is_there()) GTEST_SKIP() << testing::why_no_cuda()
template <typename Work>
void in_all_thread_orders(Work work) {
  for (int i = 0; i < 3; ++i) work();
}

#endif

Levels random_levels(int images, int channels, int height, int width) {
  Levels levels;
  for (int i = 0; i < 4; ++i)
    levels[i] =
        at::rand({images, channels, std::max(1, height >> (i + 2)), std::max(1, width >> (i + 2))}) - 0.5;
  return levels;
}

// Of all levels, images in any order; in, partly in and outside of the image, and thinner than a pixel.
at::Tensor random_rois(int count, int images, int height, int width) {
  const at::Tensor corner = at::rand({count, 2}) * at::tensor({width + 40.F, height + 40.F}) - 20;
  const at::Tensor sides = (at::rand({count, 2}) * 10 - 3).exp();
  const at::Tensor image = at::randint(images, {count, 1}).to(at::kFloat);
  return at::cat({image, corner, corner + sides}, 1);
}

void expect_near(const at::Tensor& found, const at::Tensor& expected, double tolerance, const char* what) {
  ASSERT_EQ(found.sizes(), expected.sizes());
  ASSERT_TRUE(found.isfinite().all().item<bool>()) << what << ": not all written";
  if (found.numel() == 0) return;
  EXPECT_LE((found - expected).abs().max().item<double>(), tolerance) << what;
}

void expect_as_cpu(const Levels& levels, const at::Tensor& rois) {
  const at::Tensor gradient = at::rand({rois.size(0), roi_bins, roi_bins, levels[0].size(1)}) - 0.5;
  const Result expected = through_libtorch(levels, rois, gradient);
  Result first;
  in_all_thread_orders([&] {
    const Result found = through_kernels(levels, rois, gradient);
    expect_near(found.values, expected.values, 1e-5, "values");
    for (std::size_t i = 0; i < levels.size(); ++i)
      expect_near(found.gradients[i], expected.gradients[i], 5e-5, "gradient of a level");
    if (::testing::Test::HasFatalFailure()) return;
    if (!first.values.defined()) first = found;
    EXPECT_TRUE(found.values.equal(first.values)) << "other bits in another order of threads";
    for (std::size_t i = 0; i < levels.size(); ++i)
      EXPECT_TRUE(found.gradients[i].equal(first.gradients[i])) << "other bits in another order of threads";
  });
}

TEST(RoiAlignKernels, EqualTheCpuForAnyShape) {
  NEEDS_DEVICE;
  at::manual_seed(1);
  expect_as_cpu(random_levels(2, 256, 96, 128), random_rois(40, 2, 96, 128));
  expect_as_cpu(random_levels(1, 1, 64, 64), random_rois(9, 1, 64, 64));
  expect_as_cpu(random_levels(3, 13, 100, 36), random_rois(30, 3, 100, 36));
  expect_as_cpu(random_levels(1, 300, 32, 32), random_rois(3, 1, 32, 32));  // more channels than threads
}

// More than a block looks at together.
TEST(RoiAlignKernels, EqualTheCpuForManyRois) {
  NEEDS_DEVICE;
  at::manual_seed(2);
  expect_as_cpu(random_levels(2, 5, 48, 48), random_rois(700, 2, 48, 48));
}

TEST(RoiAlignKernels, TakeExtremes) {
  NEEDS_DEVICE;
  at::manual_seed(3);
  const Levels levels = random_levels(2, 8, 40, 40);
  const at::Tensor rois =
      at::tensor({0.F, -1e9F, -1e9F, 1e9F, 1e9F, 1.F, 3e5F, 3e5F, 4e5F, 4e5F,  0.F, 7.F,   7.F,   7.F,  7.F,
                  1.F, -4.F,  -4.F,  44.F, 44.F, 0.F, 0.F,  0.F,  40.F, 0.01F, 1.F, 39.9F, 39.9F, 40.F, 40.F})
          .view({-1, 5});
  expect_as_cpu(levels, rois);
}

TEST(RoiAlignKernels, NoRoisHaveNoGradient) {
  NEEDS_DEVICE;
  expect_as_cpu(random_levels(1, 8, 40, 40), at::zeros({0, 5}));
}

TEST(RoiAlignKernels, ARoiOfAnImageThatIsNotThereIsZero) {
  NEEDS_DEVICE;
  const at::Tensor rois = at::tensor({2.F, 0.F, 0.F, 20.F, 20.F, -1.F, 0.F, 0.F, 20.F, 20.F}).view({-1, 5});
  const Result found = through_kernels(random_levels(2, 8, 40, 40), rois, at::ones({2, 7, 7, 8}));
  EXPECT_EQ(found.values.abs().max().item<float>(), 0);
  for (const at::Tensor& level : found.gradients) EXPECT_EQ(level.abs().max().item<float>(), 0);
}

}  // namespace
}  // namespace smearscope::training
