#include "smearscope/detector.h"

#include <gtest/gtest.h>
#include <malloc.h>
#include <omp.h>

#include <dnnl.hpp>
#include <fstream>
#include <thread>

#include "expect_error.h"
#include "frames.h"
#include "memory_limit.h"
#include "temporary_folder.h"
#include "tiny_model.h"

namespace smearscope {
namespace {

using testing::expect_error;
using testing::OwnedFrame;
using testing::Random;

std::shared_ptr<const Model> random_model(const ModelInfo& info) {
  const testing::TemporaryFolder folder;
  testing::write_random_model(folder.file("m.safetensors"), info, 1);
  return Model::load(folder.file("m.safetensors"));
}

std::shared_ptr<const Model> tiny_model() {
  static const std::shared_ptr<const Model> model = random_model(testing::tiny_model_info());
  return model;
}

DetectorOptions with_threads(int threads) {
  DetectorOptions options;
  options.threads = threads;
  return options;
}

// 2x2 blocks of one colour, so that chroma at half size loses nothing.
void draw(OwnedFrame& owned, std::uint32_t seed, bool grey = false) {
  Random random(seed);
  for (int y = 0; y < owned.frame().height; y += 2)
    for (int x = 0; x < owned.frame().width; x += 2) {
      testing::Rgb colour{random.integer(60, 200), random.integer(60, 200), random.integer(60, 200)};
      if (grey) colour = {colour.r, colour.r, colour.r};
      for (int i = 0; i < 4; ++i)
        if (x + i % 2 < owned.frame().width && y + i / 2 < owned.frame().height)
          testing::put_pixel(owned, x + i % 2, y + i / 2, colour);
    }
}

void expect_equal(const Detections& a, const Detections& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].label, b[i].label);
    EXPECT_EQ(a[i].score, b[i].score);
    EXPECT_EQ(a[i].box.x_min, b[i].box.x_min);
    EXPECT_EQ(a[i].box.y_min, b[i].box.y_min);
    EXPECT_EQ(a[i].box.x_max, b[i].box.x_max);
    EXPECT_EQ(a[i].box.y_max, b[i].box.y_max);
  }
}

void expect_plausible(const Detections& found, const Frame& frame) {
  float score = 1;
  for (const Detection& cell : found) {
    EXPECT_GE(cell.box.x_min, 0);
    EXPECT_GE(cell.box.y_min, 0);
    EXPECT_LE(cell.box.x_max, static_cast<float>(frame.width) * 1.0001F);
    EXPECT_LE(cell.box.y_max, static_cast<float>(frame.height) * 1.0001F);
    EXPECT_LE(cell.score, score) << "best first";
    EXPECT_TRUE(cell.label >= 0 && cell.label < 3);
    score = cell.score;
  }
}

TEST(Detector, GivesTheSameBitsAgainAlsoAfterOtherSizesAndInAnotherDetector) {
  OwnedFrame owned(PixelFormat::rgb, 130, 97), other(PixelFormat::rgb, 60, 200);
  draw(owned, 1);
  draw(other, 2);
  for (const int threads : {1, 2, 3}) {
    Detector detector(tiny_model(), with_threads(threads)), second(tiny_model(), with_threads(threads));
    const Detections first = detector.detect({owned.frame()})[0];
    ASSERT_GT(first.size(), 10U) << "too few to show anything";
    expect_plausible(first, owned.frame());
    for (int i = 0; i < 3; ++i) expect_equal(detector.detect({owned.frame()})[0], first);
    detector.detect({other.frame()});
    expect_equal(detector.detect({owned.frame()})[0], first);
    expect_equal(second.detect({owned.frame()})[0], first);
  }
}

TEST(Detector, BatchesOfAllSizesAndFormatsEqualSingles) {
  std::vector<std::unique_ptr<OwnedFrame>> owned;
  std::vector<Frame> frames;
  const std::vector<ops::Size> sizes{{130, 97}, {96, 96}, {33, 200}, {97, 130}};
  for (int i = 0; i < 11; ++i) {
    const ops::Size size = sizes[i % sizes.size()];
    owned.push_back(std::make_unique<OwnedFrame>(testing::all_formats()[i % 7], size.width, size.height, i));
    draw(*owned.back(), static_cast<std::uint32_t>(i));
    frames.push_back(owned.back()->frame());
  }
  Detector detector(tiny_model(), {});
  const std::vector<Detections> together = detector.detect(frames);
  ASSERT_EQ(together.size(), frames.size());
  for (std::size_t i = 0; i < frames.size(); ++i) {
    SCOPED_TRACE(i);
    EXPECT_FALSE(together[i].empty());
    expect_equal(together[i], detector.detect({frames[i]})[0]);
  }
}

TEST(Detector, TheOrderOfBytesMakesNoDifference) {
  Detector detector(tiny_model(), {});
  const auto detect = [&](PixelFormat format, bool grey, int room) {
    OwnedFrame owned(format, 101, 77, room, 77);
    draw(owned, 5, grey);
    return detector.detect({owned.frame()})[0];
  };
  const Detections rgb = detect(PixelFormat::rgb, false, 0);
  EXPECT_FALSE(rgb.empty());
  for (const PixelFormat format : {PixelFormat::bgr, PixelFormat::rgba, PixelFormat::bgra})
    expect_equal(detect(format, false, 13), rgb);
  expect_equal(detect(PixelFormat::i420, false, 9), detect(PixelFormat::nv12, false, 0));
  expect_equal(detect(PixelFormat::gray8, true, 3), detect(PixelFormat::rgb, true, 0));
}

TEST(Detector, FramesOfOnePixelAndOf16ThousandColumnsWork) {
  Detector detector(tiny_model(), {});
  for (const ops::Size size : {ops::Size{1, 1}, {16384, 1}, {1, 16384}, {16385, 700}}) {
    OwnedFrame owned(PixelFormat::nv12, size.width, size.height);
    draw(owned, 3);
    expect_plausible(detector.detect({owned.frame()})[0], owned.frame());
  }
}

TEST(Detector, MayBeSharedAndHaveCompanyInOtherThreads) {
  OwnedFrame owned(PixelFormat::rgb, 130, 97), other(PixelFormat::rgb, 97, 130);
  draw(owned, 1);
  draw(other, 2);
  DetectorOptions batches = with_threads(2);
  batches.max_batch = 4;
  Detector shared(tiny_model(), batches), own(tiny_model(), with_threads(2));
  const Detections first = shared.detect({owned.frame()})[0], second = shared.detect({other.frame()})[0];
  const auto work = [&](Detector& detector) {
    for (int i = 0; i < 4; ++i) {
      expect_equal(detector.detect({owned.frame()})[0], first);
      expect_equal(detector.detect({other.frame()})[0], second);
      detector.last_times();
    }
  };
  std::thread a([&] { work(shared); }), b([&] { work(shared); }), c([&] { work(own); });
  a.join();
  b.join();
  c.join();
}

double resident_megabytes() {
  malloc_trim(0);
  std::ifstream file("/proc/self/statm");
  double total = 0, resident = 0;
  file >> total >> resident;
  return resident * 4096 / 1e6;
}

TEST(Detector, ManySizesDoNotMakeItGrow) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "AddressSanitizer holds back what was freed";
#endif
  ModelInfo info = testing::tiny_model_info();
  info.transform.min_side = 32;
  info.transform.max_side = 4096;
  const testing::TemporaryFolder folder;
  testing::write_random_model(folder.file("m.safetensors"), info, 1);
  Detector detector(Model::load(folder.file("m.safetensors")), with_threads(1));
  const auto detect_size = [&](int blocks) {
    OwnedFrame owned(PixelFormat::rgb, 32 * blocks, 32);
    draw(owned, 1);
    detector.detect({owned.frame()});
  };
  // Without oneDNN's own cache of 1024 primitives, which fills up at a pace that depends on the processor.
  const int capacity = dnnl::get_primitive_cache_capacity();
  dnnl::set_primitive_cache_capacity(0);
  detect_size(80);  // the largest first: activations of all sizes share one block of memory
  const auto detect_large_sizes = [&] {
    for (int i = 60; i < 80; ++i) detect_size(i);
  };
  detect_large_sizes();
  const double before = resident_megabytes();
  for (int i = 30; i < 60; ++i) detect_size(i);
  detect_large_sizes();  // larger sizes have larger code, so what is kept is compared at the same sizes
  EXPECT_LT(resident_megabytes() - before, 10);
  dnnl::set_primitive_cache_capacity(capacity);
}

TEST(Detector, TooLittleMemoryIsSaidWhereItIsMissing) {
  if (!testing::memory_can_be_limited) GTEST_SKIP() << "a sanitizer maps more memory than any limit";
  const testing::TemporaryFolder folder;
  const std::string file = folder.file("m.safetensors");  // 45 MB
  testing::write_random_model(file, testing::tiny_model_info(), 1);
  const std::shared_ptr<const Model> model = Model::load(file);
  Detector detector(model, with_threads(1));
  OwnedFrame small(PixelFormat::rgb, 64, 64);
  detector.detect({small.frame()});
  testing::MemoryLimit limit(4 << 20);
  limit.use_up();
  expect_error([&] { Model::load(file); }, file + ": not enough memory");
  expect_error([&] { Detector(model, with_threads(1)); }, file + ": not enough memory");
  EXPECT_EQ(detector.detect({small.frame()}).size(), 1U);  // what there is goes on working
}

TEST(Detector, LeavesTheCallersThreadsAlone) {
  const int before = omp_get_max_threads();
  omp_set_num_threads(5);
  OwnedFrame owned(PixelFormat::gray8, 40, 40);
  Detector(tiny_model(), with_threads(1)).detect({owned.frame()});
  EXPECT_EQ(omp_get_max_threads(), 5);
  omp_set_num_threads(before);
}

TEST(Detector, ThresholdsOfTheCallReplaceTheModels) {
  OwnedFrame owned(PixelFormat::rgb, 130, 97);
  draw(owned, 1);
  Detector detector(tiny_model(), {});
  const Detections all = detector.detect({owned.frame()})[0];
  const double middle = all[all.size() / 2].score;
  const Detections half = detector.detect({owned.frame()}, Thresholds{middle, 0.5, 100})[0];
  EXPECT_LT(half.size(), all.size());
  for (const Detection& cell : half) EXPECT_GT(cell.score, middle);
  EXPECT_EQ(detector.detect({owned.frame()}, Thresholds{0.05, 0.5, 3})[0].size(), 3U);
  EXPECT_GT(detector.detect({owned.frame()}, Thresholds{0.05, 1.0, 100000})[0].size(), all.size());
}

// With everything kept, a class has as many detections as there are proposals, so sums can be compared one by
// one.
TEST(Detector, SumsKindsWhereAsked) {
  ModelInfo info = testing::tiny_model_info();
  info.parents = {-1, 0, -1};  // rbc a kind of wbc
  Detector detector(random_model(info), with_threads(1));
  OwnedFrame owned(PixelFormat::rgb, 64, 48);
  draw(owned, 1);
  const auto mean_score = [&](bool sum_kinds, int label) {
    Thresholds thresholds{0, 1, 100000};
    thresholds.sum_kinds = sum_kinds;
    double sum = 0;
    int count = 0;
    const Detections all = detector.detect({owned.frame()}, thresholds)[0];
    for (const Detection& found : all) {
      if (found.label == label) sum += found.score, ++count;
    }
    EXPECT_GT(count, 10);
    return sum / count;
  };
  EXPECT_NEAR(mean_score(true, 0), mean_score(false, 0) + mean_score(false, 1), 1e-5);
  EXPECT_EQ(mean_score(true, 1), mean_score(false, 1));
  EXPECT_EQ(mean_score(true, 2), mean_score(false, 2));
}

TEST(Detector, TellsWhereTheTimeWent) {
  OwnedFrame owned(PixelFormat::rgb, 130, 97);
  draw(owned, 1);
  Detector detector(tiny_model(), {});
  EXPECT_EQ(detector.last_times().total(), 0);
  detector.detect({owned.frame()});
  const StageTimes times = detector.last_times();
  for (const double time : {times.preprocess, times.backbone, times.fpn, times.rpn, times.roi_pool,
                            times.box_head, times.postprocess})
    EXPECT_GT(time, 0);
}

TEST(Detector, NoFramesGiveNoResults) {
  EXPECT_TRUE(Detector(tiny_model(), {}).detect({}).empty());
}

TEST(Detector, RefusesWhatItCannotDo) {
  const auto make = [](const DetectorOptions& options) { Detector detector(tiny_model(), options); };
  expect_error([&] { make({Device::cuda(77), Precision::f32, 0}); }, "cuda:77");
  for (const Precision precision : {Precision::f16, Precision::int8})
    expect_error([&] { make({Device::cpu(), precision, 0}); }, name_of(precision));
  for (const int threads : {-1, 1025})
    expect_error([&] { make(with_threads(threads)); }, std::to_string(threads) + " threads");
  expect_error([] { Detector detector(nullptr, {}); }, "no model");
  DetectorOptions batches;
  batches.max_batch = 0;
  expect_error([&] { make(batches); }, "batches of 0 frames");
  batches.max_batch = 4;
  batches.batch_wait_ms = -1;
  expect_error([&] { make(batches); }, "-1.000000 ms");
}

TEST(Detector, RefusesBadFramesAndThresholdsAndWorksOn) {
  OwnedFrame owned(PixelFormat::rgb, 40, 40);
  Detector detector(tiny_model(), {});
  Frame bad = owned.frame();
  bad.width = 0;
  expect_error([&] { detector.detect({owned.frame(), bad}); }, "0x40");
  Frame device = owned.frame();
  device.memory = MemoryKind::cuda;
  expect_error([&] { detector.detect({device}); }, "can't read");
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const Thresholds& thresholds :
       {Thresholds{-0.1, 0.5, 9}, Thresholds{nan, 0.5, 9}, Thresholds{0.1, 1.1, 9}, Thresholds{0.1, nan, 9},
        Thresholds{0.1, 0.5, 0}})
    EXPECT_THROW(detector.detect({owned.frame()}, thresholds), Error);
  EXPECT_EQ(detector.detect({owned.frame()}).size(), 1U);
}

}  // namespace
}  // namespace smearscope
