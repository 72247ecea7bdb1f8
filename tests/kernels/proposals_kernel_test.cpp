#include "ops/proposals.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "device_array.h"
#include "ops/box_coder.h"
#include "random_numbers.h"
#include "thread_orders.h"

namespace smearscope::ops {
namespace {

using testing::DeviceArray;
using testing::Random;

// Outputs of an RPN for a batch.
struct Batch {
  Element element;
  int images, cell_count = 3, channels;
  AnchorGrid grids[pyramid_levels];
  std::vector<float> outputs[pyramid_levels];  // as on the device, with padded channels
  std::vector<Size> resized;

  Batch(Element element, int images, Size padded, Random& random)
      : element(element), images(images), channels(padded_channels(15, element)) {
    Size grid{padded.width / 4, padded.height / 4};
    for (int level = 0; level < pyramid_levels; ++level) {
      grids[level] = anchor_grid(cell_anchors({static_cast<float>(8 << level)}, {0.5F, 1, 2}), grid, padded);
      const std::size_t positions = std::size_t{1} * images * grid.width * grid.height;
      outputs[level] = random.reals(positions * channels, -0.6F, 0.6F);
      grid = {(grid.width + 1) / 2, (grid.height + 1) / 2};
    }
    for (int image = 0; image < images; ++image)
      resized.push_back({padded.width - random.integer(0, 31), padded.height - random.integer(0, 31)});
  }

  template <typename Logit>
  void set_logits(Logit logit) {
    for (std::vector<float>& level : outputs)
      for (std::size_t i = 0; i < level.size(); ++i)
        if (i % channels < 3) level[i] = logit();
  }

  void round() {
    for (std::vector<float>& level : outputs) level = testing::rounded(level, element);
  }
};

std::vector<Box> on_cpu(const Batch& batch, int image, const Architecture& architecture) {
  std::vector<float> dense[pyramid_levels];
  std::array<RpnLevel, pyramid_levels> levels;
  for (int level = 0; level < pyramid_levels; ++level) {
    const std::size_t each = batch.outputs[level].size() / batch.images;
    for (std::size_t i = 0; i < each; ++i)
      if (i % batch.channels < 15) dense[level].push_back(batch.outputs[level][image * each + i]);
    levels[level] = {dense[level].data(), &batch.grids[level]};
  }
  ProposalScratch scratch;
  std::vector<Box> proposals;
  propose_cpu(levels, batch.resized[image], architecture, scratch, proposals);
  return proposals;
}

// Boxes of all images from the device. What lies behind an image's boxes must not have been written.
std::vector<std::vector<Box>> on_device(const Batch& batch, const Architecture& architecture) {
  std::unique_ptr<DeviceArray<std::uint8_t>> outputs[pyramid_levels];
  std::unique_ptr<DeviceArray<Box>> cells[pyramid_levels];
  DeviceRpn rpn;
  rpn.element = batch.element;
  rpn.cell_count = batch.cell_count;
  rpn.channels = batch.channels;
  for (int level = 0; level < pyramid_levels; ++level) {
    outputs[level] =
        std::make_unique<DeviceArray<std::uint8_t>>(testing::to_bytes(batch.outputs[level], batch.element));
    cells[level] = std::make_unique<DeviceArray<Box>>(batch.grids[level].cells);
    rpn.levels[level] = {outputs[level]->data(), cells[level]->data(), batch.grids[level].grid,
                         batch.grids[level].stride, rpn.anchors};
    rpn.anchors += batch.grids[level].count();
  }
  DeviceBlock sizes;
  DeviceProposalScratch::take(sizes, batch.images, rpn.anchors, architecture);
  DeviceArray<char> memory(sizes.bytes());
  DeviceBlock block(memory.data());
  const auto scratch = DeviceProposalScratch::take(block, batch.images, rpn.anchors, architecture);
  const int each = architecture.rpn_post_nms_top_n;
  DeviceArray<Size> resized(batch.resized);
  DeviceArray<Box> proposals(std::size_t{1} * batch.images * each);
  DeviceArray<int> counts(batch.images);
  propose_cuda(rpn, resized.data(), batch.images, architecture, scratch, proposals.data(), counts.data(),
               nullptr);
  const std::vector<Box> boxes = proposals.download();
  const std::vector<int> found = counts.download();
  std::vector<std::vector<Box>> result;
  for (int image = 0; image < batch.images; ++image) {
    const auto first = boxes.begin() + std::ptrdiff_t{1} * image * each;
    result.emplace_back(first, first + found[image]);
    for (int i = found[image]; i < each; ++i) EXPECT_TRUE(std::isnan(first[i].x_min));
  }
  return result;
}

void expect_cpu(const Batch& batch, const Architecture& architecture) {
  testing::in_all_thread_orders([&] {
    const std::vector<std::vector<Box>> found = on_device(batch, architecture);
    for (int image = 0; image < batch.images; ++image) {
      const std::vector<Box> expected = on_cpu(batch, image, architecture);
      ASSERT_EQ(found[image].size(), expected.size()) << "image " << image;
      for (std::size_t i = 0; i < expected.size(); ++i) {
        ASSERT_NEAR(found[image][i].x_min, expected[i].x_min, 1e-3) << "image " << image << " box " << i;
        ASSERT_NEAR(found[image][i].y_min, expected[i].y_min, 1e-3) << "image " << image << " box " << i;
        ASSERT_NEAR(found[image][i].x_max, expected[i].x_max, 1e-3) << "image " << image << " box " << i;
        ASSERT_NEAR(found[image][i].y_max, expected[i].y_max, 1e-3) << "image " << image << " box " << i;
      }
    }
  });
}

TEST(ProposalsKernel, EqualsTheCpuForRandomShapesWithAndWithoutTies) {
  for (std::uint32_t seed = 0; seed < 6; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const Size padded{32 * random.integer(1, 6), 32 * random.integer(1, 6)};
    Batch batch(seed % 3 == 2 ? Element::f16 : Element::f32, random.integer(1, 2), padded, random);
    batch.set_logits(
        [&] { return seed % 2 == 0 ? static_cast<float>(random.integer(-2, 2)) : random.real(-4, 4); });
    batch.round();
    Architecture architecture;
    architecture.rpn_pre_nms_top_n = random.integer(1, 300);
    architecture.rpn_post_nms_top_n = random.integer(1, 400);
    architecture.rpn_nms_threshold = random.real(0.3F, 0.9F);
    expect_cpu(batch, architecture);
  }
}

TEST(ProposalsKernel, TakesAThousandPerLevel) {
  Random random(9);
  Batch batch(Element::f32, 1, {320, 288}, random);
  batch.set_logits([&] { return random.real(-4, 4); });
  expect_cpu(batch, {});
}

// All scores are alike, so that every anchor is a candidate; then all but a few.
TEST(ProposalsKernel, TakesScoresThatAreAllAlike) {
  Random random(10);
  Batch batch(Element::f32, 1, {160, 96}, random);
  Architecture architecture;
  architecture.rpn_pre_nms_top_n = 200;
  batch.set_logits([] { return -3.0F; });
  expect_cpu(batch, architecture);
  batch.set_logits([&] { return random.integer(0, 99) == 0 ? 100.0F : -3.0F; });
  expect_cpu(batch, architecture);
}

TEST(ProposalsKernel, OutputsThatAreNotNumbersGiveNoBoxOfThem) {
  Random random(1);
  Batch batch(Element::f32, 1, {64, 64}, random);
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              infinity = std::numeric_limits<float>::infinity();
  for (auto& level : batch.outputs)
    for (std::size_t i = 0; i < level.size(); i += 2) level[i] = i % 4 ? nan : infinity;
  expect_cpu(batch, {});
}

}  // namespace
}  // namespace smearscope::ops
