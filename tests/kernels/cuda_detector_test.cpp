// The whole CUDA engine against the CPU engine, on random models.
#include <gtest/gtest.h>

#include <thread>

#include "cuda_models.h"
#include "device_array.h"
#include "expect_error.h"
#include "gpu_detector.h"

namespace smearscope {
namespace {

using testing::cuda_model_info;
using testing::DeviceArray;
using testing::GpuDetector;
using testing::make_model;
using testing::OwnedFrame;
using testing::random_frame;

const Thresholds usual{0.05, 0.5, 100};

Detections on_cpu(const std::shared_ptr<const Model>& model, const Frame& frame,
                  const Thresholds& thresholds = usual) {
  return Detector(model, {}).detect({frame}, thresholds)[0];
}

void expect_near(const Detections& found, const Detections& expected, double share, float pixels,
                 float score) {
  ASSERT_GT(expected.size(), 8U) << "too few to show anything";
  EXPECT_GE(testing::share_found(found, expected, pixels, score), share);
  EXPECT_GE(testing::share_found(expected, found, pixels, score), share);
}

void expect_cpu(const ModelInfo& info, const Frame& frame) {
  const auto model = make_model(info);
  GpuDetector gpu(model, Precision::f32);
  expect_near(gpu.detect({frame}, usual)[0], on_cpu(model, frame), 0.98, 0.1F, 1e-3F);
}

TEST(CudaDetector, EqualsTheCpuForEveryBackboneAndOddWidths) {
  const auto frame = random_frame(PixelFormat::rgb, 75, 61, 1);
  for (const char* backbone : {"resnet18", "resnet50"}) expect_cpu(cuda_model_info(backbone), frame->frame());
  ModelInfo odd = cuda_model_info();
  odd.architecture.fpn_channels = 13;
  odd.architecture.head_width = 37;
  expect_cpu(odd, frame->frame());
}

TEST(CudaDetector, PreparesFramesAsTheModelsRegimenSays) {
  ModelInfo info = cuda_model_info();
  info.transform.adjustment = {1.3, 0.05, 0.8, 1.2};
  expect_cpu(info, random_frame(PixelFormat::nv12, 75, 61, 2)->frame());
}

// On, off and on again, of the same size: what was recorded once must take either.
TEST(CudaDetector, SumsKindsWhereAsked) {
  ModelInfo info = cuda_model_info();
  info.parents.assign(info.classes.size(), -1);
  info.parents[0] = static_cast<int>(info.classes.size()) - 1;
  const auto model = make_model(info);
  const auto frame = random_frame(PixelFormat::rgb, 75, 61, 7);
  GpuDetector gpu(model, Precision::f32);
  Thresholds summed = usual;
  summed.sum_kinds = true;
  const Detections with = on_cpu(model, frame->frame(), summed), without = on_cpu(model, frame->frame());
  EXPECT_LT(testing::share_found(with, without, 0.1F, 1e-3F), 0.98) << "sums change nothing here";
  for (const bool sum : {true, false, true})
    expect_near(gpu.detect({frame->frame()}, sum ? summed : usual)[0], sum ? with : without, 0.98, 0.1F,
                1e-3F);
}

TEST(CudaDetector, F16IsNearF32) {
  const auto model = make_model(cuda_model_info());
  const auto frame = random_frame(PixelFormat::rgb, 75, 61, 3);
  GpuDetector half(model, Precision::f16);
  expect_near(half.detect({frame->frame()}, usual)[0], on_cpu(model, frame->frame()), 0.8, 1.0F, 0.02F);
}

// Sizes and formats differ, the padded size is the same: one batch.
TEST(CudaDetector, ABatchHoldsWhatItsFramesHoldAlone) {
  const auto model = make_model(cuda_model_info());
  GpuDetector gpu(model, Precision::f32);
  std::vector<std::unique_ptr<OwnedFrame>> owned;
  std::vector<Frame> frames;
  for (int i = 0; i < 3; ++i) {
    owned.push_back(
        random_frame(testing::all_formats()[2 * i + 1], 75 - i, 60 + i, static_cast<std::uint32_t>(i)));
    frames.push_back(owned.back()->frame());
  }
  const std::vector<Detections> together = gpu.detect(frames, usual);
  for (std::size_t i = 0; i < frames.size(); ++i)
    expect_near(together[i], on_cpu(model, frames[i]), 0.98, 0.1F, 1e-3F);
}

TEST(CudaDetector, GivesTheSameBitsAgainAlsoAfterOtherSizesAndInAnotherDetector) {
  const auto model = make_model(cuda_model_info());
  GpuDetector first(model, Precision::f32), second(model, Precision::f32);
  const auto frame = random_frame(PixelFormat::rgb, 75, 61, 4),
             larger = random_frame(PixelFormat::rgb, 96, 61, 5);
  const Detections expected = first.detect({frame->frame()}, usual)[0];
  EXPECT_FALSE(expected.empty());
  EXPECT_TRUE(testing::same_bits(first.detect({frame->frame()}, usual)[0], expected));
  first.detect({larger->frame()},
               usual);  // takes other memory, so that what was recorded must be recorded again
  EXPECT_TRUE(testing::same_bits(first.detect({frame->frame()}, usual)[0], expected));
  EXPECT_TRUE(testing::same_bits(second.detect({frame->frame()}, usual)[0], expected));
}

// Frames of several streams come while others are detected in, of a size that was not seen before or was.
TEST(CudaDetector, FramesComeWhileOthersAreDetectedIn) {
  const auto model = make_model(cuda_model_info());
  GpuDetector gpu(model, Precision::f32);
  constexpr int streams = 4;
  std::vector<std::unique_ptr<OwnedFrame>> frames;
  std::vector<Detections> alone;
  for (int i = 0; i < streams; ++i) {
    frames.push_back(random_frame(testing::all_formats()[2 * (i % 3) + 1], 75 + 32 * (i / 2), 61,
                                  static_cast<std::uint64_t>(i)));
    alone.push_back(GpuDetector(model, Precision::f32).detect({frames.back()->frame()}, usual)[0]);
    EXPECT_FALSE(alone.back().empty());
  }
  std::vector<std::thread> threads;
  for (int i = 0; i < streams; ++i)
    threads.emplace_back([&, i] {
      for (int round = 0; round < 3; ++round) {
        const Detections found = gpu.detect({frames[i]->frame()}, usual)[0];
        EXPECT_TRUE(testing::same_bits(found, alone[i])) << "stream " << i;
      }
    });
  for (std::thread& thread : threads) thread.join();
}

TEST(CudaDetector, ReadsFramesInDeviceMemoryWhereTheyLie) {
  const auto model = make_model(cuda_model_info());
  GpuDetector gpu(model, Precision::f32);
  const auto owned = random_frame(PixelFormat::i420, 75, 61, 6);
  Frame frame = owned->frame();
  const Detections expected = gpu.detect({frame}, usual)[0];
  std::vector<std::unique_ptr<DeviceArray<std::uint8_t>>> planes;
  for (int plane = 0; plane < 3; ++plane) {
    const std::uint8_t* data = frame.planes[plane].data;
    const std::ptrdiff_t bytes = frame.planes[plane].stride * (plane == 0 ? 61 : 31);
    planes.push_back(
        std::make_unique<DeviceArray<std::uint8_t>>(std::vector<std::uint8_t>(data, data + bytes)));
    frame.planes[plane].data = planes.back()->data();
  }
  frame.memory = MemoryKind::cuda;
  EXPECT_FALSE(expected.empty());
  EXPECT_TRUE(testing::same_bits(gpu.detect({frame}, usual)[0], expected));
}

TEST(CudaDetector, ThresholdsOfTheCallCount) {
  ModelInfo info = cuda_model_info();
  info.architecture.rpn_post_nms_top_n = 500;
  info.architecture.rpn_pre_nms_top_n = 500;
  const auto model = make_model(info);
  GpuDetector gpu(model, Precision::f32);
  const auto frame = random_frame(PixelFormat::rgb, 75, 61, 7);
  const Thresholds all{0.0, 1.0, 100000};  // more than the fixed part of a result holds
  const Detections expected = on_cpu(model, frame->frame(), all);
  ASSERT_GT(expected.size(), 1024U);
  expect_near(gpu.detect({frame->frame()}, all)[0], expected, 0.98, 0.1F, 1e-3F);
  EXPECT_EQ(gpu.detect({frame->frame()}, {0.05, 0.5, 3})[0].size(), 3U);
}

TEST(CudaDetector, TellsWhereTheTimeWent) {
  GpuDetector gpu(make_model(cuda_model_info()), Precision::f32);
  gpu.detect({random_frame(PixelFormat::rgb, 75, 61, 8)->frame()}, usual);
  const StageTimes times = gpu.last_times();
  for (const double time : {times.preprocess, times.backbone, times.fpn, times.rpn, times.roi_pool,
                            times.box_head, times.postprocess})
    EXPECT_GT(time, 0);
}

TEST(CudaDetector, RefusesWhatItCannotDo) {
  const auto model = make_model(cuda_model_info());
  for (const Precision precision : {Precision::bf16, Precision::int8})
    testing::expect_error([&] { GpuDetector gpu(model, precision); }, name_of(precision));
  ModelInfo greedy = cuda_model_info();
  greedy.architecture.rpn_pre_nms_top_n = 9999;
  testing::expect_error([&] { GpuDetector gpu(make_model(greedy), Precision::f32); },
                        "rpn_pre_nms_top_n is 9999");
}

}  // namespace
}  // namespace smearscope
