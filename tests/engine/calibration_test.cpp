// Activation ranges measured by Calibrator, and detectors that run in int8 by them.
#include "smearscope/calibration.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "expect_error.h"
#include "frames.h"
#include "network/backend.h"
#include "network/magnitude_histogram.h"
#include "network/onednn_numbers.h"
#include "smearscope/detector.h"
#include "temporary_folder.h"
#include "tiny_model.h"

namespace smearscope {
namespace {

using testing::expect_error;
using testing::OwnedFrame;

// Discs in random places.
class Picture {
 public:
  explicit Picture(int seed) : owned_(PixelFormat::rgb, 224, 160) {
    testing::Random random(static_cast<std::uint32_t>(seed));
    for (int y = 0; y < 160; ++y)
      for (int x = 0; x < 224; ++x) testing::put_pixel(owned_, x, y, {230, 225, 228});
    for (int disc = 0; disc < 12; ++disc) draw_disc(random);
  }

  Frame frame() const { return owned_.frame(); }

 private:
  void draw_disc(testing::Random& random) {
    const int cx = random.integer(0, 223), cy = random.integer(0, 159), radius = random.integer(6, 24);
    const testing::Rgb colour{random.integer(60, 220), random.integer(40, 160), random.integer(60, 200)};
    for (int y = std::max(0, cy - radius); y < std::min(160, cy + radius); ++y)
      for (int x = std::max(0, cx - radius); x < std::min(224, cx + radius); ++x)
        if ((x - cx) * (x - cx) + (y - cy) * (y - cy) < radius * radius)
          testing::put_pixel(owned_, x, y, colour);
  }

  OwnedFrame owned_;
};

void expect_same(const Detections& found, const Detections& expected) {
  ASSERT_EQ(found.size(), expected.size());
  ASSERT_FALSE(expected.empty());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].score, expected[i].score);
    EXPECT_EQ(found[i].box.x_min, expected[i].box.x_min);
  }
}

class Calibrated : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new testing::TemporaryFolder;
    testing::write_random_model(file("plain"), testing::tiny_model_info(), 1);
    const auto plain = Model::load(file("plain"));
    Calibrator calibrator(plain, 1);
    for (int seed = 0; seed < 6; ++seed) calibrator.observe(Picture(seed).frame());
    ModelInfo info = plain->info();
    info.activation_ranges = calibrator.ranges();
    write_model_as(file("quantised"), info, *plain, DType::i8);
  }
  static void TearDownTestSuite() { delete folder_; }

  static std::string file(const std::string& name) { return folder_->file(name + ".safetensors"); }
  static DetectorOptions options(Precision precision) { return {Device::cpu(), precision, 1}; }
  static Detections detect(Precision precision, const std::string& model, int seed) {
    Detector detector(Model::load(file(model)), options(precision));
    return detector.detect({Picture(seed).frame()}).front();
  }

  static testing::TemporaryFolder* folder_;
};
testing::TemporaryFolder* Calibrated::folder_ = nullptr;

#define SKIP_WITHOUT_INT8                               \
  if (!network::processor_computes_in(Precision::int8)) \
  GTEST_SKIP() << "this processor lacks the instructions for int8"

TEST_F(Calibrated, EveryLayerGetsARange) {
  const auto ranges = Model::load(file("quantised"))->info().activation_ranges;
  EXPECT_EQ(ranges.size(), 20U + 8 + 1 + 2);  // backbone, FPN, RPN, box head
  for (const auto& [layer, range] : ranges) {
    EXPECT_GT(range, 0.01) << layer;
    EXPECT_LT(range, 1000) << layer;
  }
  for (const char* layer :
       {"backbone.body.conv1", "backbone.body.layer4.0.downsample.0", "backbone.fpn.inner_blocks.3.0",
        "rpn.head.conv.0.0", "roi_heads.box_roi_pool", "roi_heads.box_head.fc6"})
    EXPECT_EQ(ranges.count(layer), 1U) << layer;
}

// Share of the cells found in f32 that are found in `precision`, too, near enough.
double share_found(const Detections& exact, const Detections& quick) {
  int alike = 0;
  for (const Detection& cell : exact)
    alike += std::any_of(quick.begin(), quick.end(), [&](const Detection& other) {
      return other.label == cell.label && std::abs(other.score - cell.score) < 0.05 &&
             std::abs(other.box.x_min - cell.box.x_min) < 3 &&
             std::abs(other.box.y_min - cell.box.y_min) < 3 &&
             std::abs(other.box.x_max - cell.box.x_max) < 3 && std::abs(other.box.y_max - cell.box.y_max) < 3;
    });
  return static_cast<double>(alike) / static_cast<double>(exact.size());
}

TEST_F(Calibrated, FewerBitsFindWhatF32Finds) {
  for (const Precision precision : {Precision::bf16, Precision::int8}) {
    if (!network::processor_computes_in(precision)) continue;
    double share = 0;
    for (int seed = 10; seed < 14; ++seed) {
      const Detections exact = detect(Precision::f32, "quantised", seed);
      ASSERT_GT(exact.size(), 20U);
      share += share_found(exact, detect(precision, "quantised", seed)) / 4;
    }
    EXPECT_GT(share, 0.8) << name_of(precision);
  }
}

// Shapes of several sizes share memory and weights.
TEST_F(Calibrated, AnotherSizeInBetweenChangesNoBit) {
  for (const Precision precision : {Precision::bf16, Precision::int8}) {
    if (!network::processor_computes_in(precision)) continue;
    Detector detector(Model::load(file("quantised")), options(precision));
    const Picture picture(20);
    Frame tall = picture.frame();  // its left part
    tall.width = 90;
    const Detections first = detector.detect({picture.frame()}).front(),
                     cut = detector.detect({tall}).front();
    expect_same(detector.detect({picture.frame()}).front(), first);
    expect_same(detector.detect({tall}).front(), cut);
  }
}

TEST_F(Calibrated, WithoutTheInstructionsFewerBitsAreRefusedByName) {
  for (const Precision precision : {Precision::bf16, Precision::int8}) {
    const auto make = [&] { Detector detector(Model::load(file("quantised")), options(precision)); };
    if (network::processor_computes_in(precision))
      EXPECT_NO_THROW(make());
    else
      expect_error(make,
                   std::string("precision ") + name_of(precision) + " asked for, but this processor lacks");
  }
}

TEST_F(Calibrated, Int8GivesTheSameBitsInEveryCall) {
  SKIP_WITHOUT_INT8;
  Detector detector(Model::load(file("quantised")), options(Precision::int8));
  const Picture one(20), other(21);
  const Detections first = detector.detect({one.frame()}).front();
  expect_same(detector.detect({other.frame(), one.frame()})[1], first);
  expect_same(detect(Precision::int8, "quantised", 20), first);
}

TEST_F(Calibrated, AutomaticIsInt8OnlyWhereModelAndProcessorCan) {
  const auto precision_of = [&](const std::string& model) {
    return Detector(Model::load(file(model)), options(Precision::automatic)).options().precision;
  };
  EXPECT_EQ(precision_of("plain"), Precision::f32);
  const bool can = network::processor_computes_in(Precision::int8);
  EXPECT_EQ(precision_of("quantised"), can ? Precision::int8 : Precision::f32);
}

TEST_F(Calibrated, Int8OfAModelWithoutARangeIsRefusedByTheLayersName) {
  const auto refuse = [&](const std::string& model, const std::string& what) {
    expect_error([&] { Detector detector(Model::load(file(model)), options(Precision::int8)); }, what);
  };
  refuse("plain", "backbone.body.conv1");
  const auto quantised = Model::load(file("quantised"));
  ModelInfo info = quantised->info();
  info.activation_ranges.erase("roi_heads.box_head.fc6");
  write_model(file("short"), info, quantised->stored_tensors());
  refuse("short", "roi_heads.box_head.fc6");
  EXPECT_EQ(Detector(Model::load(file("short")), options(Precision::automatic)).options().precision,
            Precision::f32);
}

// 255 steps where a ReLU comes last, else 127.
TEST_F(Calibrated, RangesAreTheBestForTheStepsOfTheirNumbers) {
  const auto plain = Model::load(file("plain"));
  const Picture picture(3);
  Calibrator calibrator(plain, 1);
  calibrator.observe(picture.frame());
  std::map<std::string, network::MagnitudeHistogram> seen;
  const auto backend = make_cpu_backend(*plain, Precision::f32, 1, [&](const LayerActivations& layer) {
    seen[std::string(layer.name)].add(layer.values, layer.count);
  });
  Detections found;
  StageTimes times;
  const Frame frame = picture.frame();
  const ops::Size resized = ops::resized_size({frame.width, frame.height}, plain->info().transform);
  backend->detect({{&frame, resized, &found, nullptr}}, ops::padded_size(resized), plain->info().thresholds,
                  times);
  const auto ranges = calibrator.ranges();
  const auto expect_steps = [&](const std::string& layer, int steps) {
    EXPECT_NE(seen[layer].best_range(255), seen[layer].best_range(127)) << layer << " can't tell";
    EXPECT_EQ(ranges.at(layer), seen[layer].best_range(steps)) << layer;
  };
  for (const char* layer : {"backbone.body.layer1.0.conv1", "rpn.head.conv.0.0"}) expect_steps(layer, 255);
  for (const char* layer : {"backbone.fpn.inner_blocks.0.0", "backbone.body.layer2.0.downsample.0"})
    expect_steps(layer, 127);
}

TEST_F(Calibrated, WithoutFramesThereAreNoRanges) {
  const Calibrator calibrator(Model::load(file("plain")), 1);
  expect_error([&] { calibrator.ranges(); }, "no image was looked at");
}

TEST_F(Calibrated, WhatADetectorRefusesACalibratorRefuses) {
  expect_error([] { Calibrator calibrator(nullptr); }, "no model");
  const auto plain = Model::load(file("plain"));
  for (const int threads : {-1, 1025})
    expect_error([&] { Calibrator calibrator(plain, threads); }, std::to_string(threads) + " threads");
  Calibrator calibrator(plain, 1);
  const Picture picture(1);
  Frame on_device = picture.frame();
  on_device.memory = MemoryKind::cuda;
  expect_error([&] { calibrator.observe(on_device); }, "download");
}

TEST_F(Calibrated, ABadFrameIsRefusedAndTheOthersCount) {
  Calibrator calibrator(Model::load(file("plain")), 1);
  const Picture owned(1);
  Frame bad = owned.frame();
  bad.width = 0;
  expect_error([&] { calibrator.observe(bad); }, "0x160");
  calibrator.observe(owned.frame());
  EXPECT_FALSE(calibrator.ranges().empty());
}

}  // namespace
}  // namespace smearscope
