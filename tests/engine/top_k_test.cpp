#include "ops/top_k.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "random_numbers.h"

namespace smearscope::ops {
namespace {

std::vector<std::uint32_t> best(const std::vector<float>& values, std::size_t k, std::size_t stride = 1) {
  std::vector<std::uint64_t> keys;
  std::vector<std::uint32_t> indices{99};
  top_k(values.data(), values.size() / stride, static_cast<std::ptrdiff_t>(stride), k, keys, indices);
  return indices;
}

TEST(TopK, EqualsAStableSort) {
  testing::Random random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<float> values(static_cast<std::size_t>(random.integer(0, 500)));
    for (float& value : values) value = static_cast<float>(random.integer(-20, 20)) / 4;  // many ties
    const auto k = static_cast<std::size_t>(random.integer(0, 600));
    std::vector<std::uint32_t> expected(values.size());
    std::iota(expected.begin(), expected.end(), 0U);
    std::stable_sort(expected.begin(), expected.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return values[a] > values[b]; });
    expected.resize(std::min(k, expected.size()));
    EXPECT_EQ(best(values, k), expected);
  }
}

TEST(TopK, StepsOverTheStride) {
  EXPECT_EQ(best({1, 9, 5, 9, 3, 9}, 2, 2), (std::vector<std::uint32_t>{1, 2}));
}

TEST(TopK, OrdersInfinitiesAndSurvivesNaN) {
  const float infinity = std::numeric_limits<float>::infinity(),
              nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(best({0, -infinity, infinity, 1e38F}, 4), (std::vector<std::uint32_t>{2, 3, 0, 1}));
  std::vector<float> poisoned(1000, nan);
  for (std::size_t i = 0; i < poisoned.size(); i += 3) poisoned[i] = static_cast<float>(i);
  for (std::size_t i = 1; i < poisoned.size(); i += 3) poisoned[i] = -nan;
  std::vector<std::uint32_t> found = best(poisoned, 1000);
  std::sort(found.begin(), found.end());
  EXPECT_EQ(std::unique(found.begin(), found.end()) - found.begin(), 1000);
}

TEST(TopK, NaNsOfAnySignAreTheLeast) {
  const float infinity = std::numeric_limits<float>::infinity(),
              nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(best({nan, -infinity, -nan, 0}, 4), (std::vector<std::uint32_t>{3, 1, 0, 2}));
}

TEST(OrderKey, IsTakenBackByValueOfKey) {
  testing::Random random(2);
  for (const float value : random.reals(1000, -1e9F, 1e9F)) EXPECT_EQ(value_of_key(order_key(value)), value);
  EXPECT_TRUE(std::isnan(value_of_key(order_key(std::numeric_limits<float>::quiet_NaN()))));
  EXPECT_LT(order_key(-1), order_key(-0.0F));
  EXPECT_LT(order_key(-0.0F), order_key(0));
}

}  // namespace
}  // namespace smearscope::ops
