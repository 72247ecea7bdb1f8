#include "ops/postprocess.h"

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

// Proposals and the box head's outputs for a batch.
struct Batch {
  int images, proposals_each, classes, row_floats;
  std::vector<int> counts;
  std::vector<Box> proposals;
  std::vector<float> outputs;
  std::vector<Size> resized, frames;
  Kinds kinds;

  Batch(int images, int proposals_each, int classes, Random& random)
      : images(images),
        proposals_each(proposals_each),
        classes(classes),
        row_floats((5 * (classes + 1) + 7) / 8 * 8),
        kinds(each_alone(classes)) {
    for (int i = 0; i < images * proposals_each; ++i) {
      const float x = random.real(0, 200), y = random.real(0, 150);
      proposals.push_back({x, y, x + random.real(1, 60), y + random.real(1, 60)});
    }
    outputs = random.reals(std::size_t{1} * images * proposals_each * row_floats, -3, 3);
    for (int image = 0; image < images; ++image) {
      counts.push_back(image == 1 ? 0 : random.integer(1, proposals_each));
      resized.push_back({random.integer(100, 220), random.integer(100, 170)});
      frames.push_back({random.integer(1, 2000), random.integer(1, 2000)});
    }
  }
};

Detections on_cpu(const Batch& batch, int image, const Thresholds& thresholds) {
  const auto first = batch.proposals.begin() + image * batch.proposals_each;
  const std::vector<Box> proposals(first, first + batch.counts[image]);
  std::vector<float> dense;
  const int used = 5 * (batch.classes + 1);
  for (std::size_t i = 0; i < proposals.size(); ++i) {
    const std::size_t row = (std::size_t{1} * image * batch.proposals_each + i) * batch.row_floats;
    dense.insert(dense.end(), batch.outputs.begin() + row, batch.outputs.begin() + row + used);
  }
  PostprocessScratch scratch;
  Detections result;
  postprocess_cpu(proposals, dense.data(), batch.classes, batch.kinds.view(), batch.resized[image],
                  batch.frames[image], thresholds, scratch, result);
  return result;
}

// As a backend reads the result: from the fixed part if it holds all that was asked for, else from all that
// was kept.
std::vector<Detections> on_device(const Batch& batch, const Thresholds& thresholds) {
  DeviceArray<int> first(batch.kinds.first), kinds(batch.kinds.kinds);
  std::vector<DeviceSelection> selections;
  for (int image = 0; image < batch.images; ++image)
    selections.push_back({batch.resized[image],
                          batch.frames[image],
                          round_down(thresholds.score),
                          round_down(thresholds.nms),
                          thresholds.max_detections,
                          {first.data(), kinds.data()}});
  DeviceBlock sizes;
  DevicePostprocessScratch::take(sizes, batch.images, batch.classes, batch.proposals_each);
  DeviceArray<char> memory(sizes.bytes());
  DeviceBlock block(memory.data());
  const auto scratch =
      DevicePostprocessScratch::take(block, batch.images, batch.classes, batch.proposals_each);
  DeviceArray<Box> proposals(batch.proposals);
  DeviceArray<int> counts(batch.counts);
  DeviceArray<float> outputs(batch.outputs);
  DeviceArray<DeviceSelection> device_selections(selections);
  DeviceArray<DeviceDetections> results(batch.images);
  postprocess_cuda(proposals.data(), counts.data(), batch.images, batch.proposals_each, outputs.data(),
                   batch.row_floats, batch.classes, device_selections.data(), scratch, results.data(),
                   nullptr);

  const std::vector<DeviceDetections> found = results.download();
  const std::vector<char> all = memory.download();
  std::vector<Detections> result;
  for (int image = 0; image < batch.images; ++image) {
    const int count = std::min(found[image].count, thresholds.max_detections);
    if (count <= most_detections) {
      result.emplace_back(found[image].best, found[image].best + count);
      continue;
    }
    const std::size_t first = std::size_t{1} * image * batch.classes * batch.proposals_each;
    std::vector<unsigned long long> keys(found[image].count);
    std::vector<Box> boxes(found[image].count);
    const auto offset = [&](const void* place) { return static_cast<const char*>(place) - memory.data(); };
    std::memcpy(keys.data(), all.data() + offset(scratch.kept_keys + first), keys.size() * sizeof(keys[0]));
    std::memcpy(boxes.data(), all.data() + offset(scratch.kept_boxes + first),
                boxes.size() * sizeof(boxes[0]));
    result.push_back(sort_detections(keys, boxes, batch.proposals_each, thresholds.max_detections));
  }
  return result;
}

void expect_cpu(const Batch& batch, const Thresholds& thresholds) {
  testing::in_all_thread_orders([&] {
    const std::vector<Detections> found = on_device(batch, thresholds);
    for (int image = 0; image < batch.images; ++image) {
      const Detections expected = on_cpu(batch, image, thresholds);
      ASSERT_EQ(found[image].size(), expected.size()) << "image " << image;
      for (std::size_t i = 0; i < expected.size(); ++i) {
        ASSERT_EQ(found[image][i].label, expected[i].label) << i;
        ASSERT_NEAR(found[image][i].score, expected[i].score, 1e-6) << i;
        ASSERT_NEAR(found[image][i].box.x_min, expected[i].box.x_min, 2e-3) << i;
        ASSERT_NEAR(found[image][i].box.y_max, expected[i].box.y_max, 2e-3) << i;
      }
    }
  });
}

TEST(PostprocessKernel, EqualsTheCpuForRandomShapes) {
  for (std::uint32_t seed = 0; seed < 6; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    Batch batch(random.integer(1, 3), random.integer(1, 200), random.integer(1, 9), random);
    if (seed % 2 == 1)
      batch.kinds = with_all_kinds(testing::random_parents(batch.classes, random), batch.classes);
    expect_cpu(batch, {random.real(0, 0.2F), random.real(0.2F, 0.9F), random.integer(1, 200)});
  }
}

// Boxes crowd, so that NMS decides about each of them, also where its chunks of 64 meet. Whole numbers: the
// overlaps are the same to the last bit.
TEST(PostprocessKernel, ThinsCrowdsAsTheCpu) {
  for (std::uint32_t seed = 0; seed < 4; ++seed) {
    Random random(seed);
    Batch batch(1, 600, 1, random);
    batch.counts = {600};
    batch.resized = batch.frames = {{200, 200}};
    for (Box& box : batch.proposals) {
      const auto x = static_cast<float>(random.integer(0, 60)), y = static_cast<float>(random.integer(0, 60));
      box = {x, y, x + static_cast<float>(2 * random.integer(4, 15)),
             y + static_cast<float>(2 * random.integer(4, 15))};
    }
    for (std::size_t i = 0; i < batch.outputs.size(); ++i)
      if (i % batch.row_floats >= 2) batch.outputs[i] = 0;
    ASSERT_GT(on_cpu(batch, 0, {0, 0.6, 1000}).size(), 130U);
    expect_cpu(batch, {0, 0.6, 1000});
  }
}

TEST(PostprocessKernel, MoreThanTheFixedPartHoldsIsSortedOnTheHost) {
  Random random(7);
  Batch batch(1, 400, 5, random);
  batch.counts = {400};
  const Thresholds all{0, 1, 100000};
  ASSERT_GT(on_cpu(batch, 0, all).size(), std::size_t{most_detections});
  expect_cpu(batch, all);
}

TEST(PostprocessKernel, TiesGoByLabelThenProposal) {
  Random random(1);
  Batch batch(1, 90, 2, random);
  batch.counts = {90};
  std::fill(batch.outputs.begin(), batch.outputs.end(), 0.0F);
  expect_cpu(batch, {0.05, 0.5, 100});
}

TEST(PostprocessKernel, OutputsThatAreNotNumbersDetectNothing) {
  Random random(3);
  Batch batch(1, 20, 3, random);
  std::fill(batch.outputs.begin(), batch.outputs.end(), std::numeric_limits<float>::quiet_NaN());
  EXPECT_TRUE(on_device(batch, {0.05, 0.5, 100})[0].empty());
}

}  // namespace
}  // namespace smearscope::ops
