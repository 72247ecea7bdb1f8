#include <algorithm>
#include <numeric>

#include "ops/postprocess.h"
#include "ops/top_k.h"

namespace smearscope::ops {

Detections sort_detections(const std::vector<unsigned long long>& keys, const std::vector<Box>& boxes,
                           int proposals_each, int max_detections) {
  std::vector<std::size_t> order(keys.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return keys[a] > keys[b]; });
  order.resize(std::min(order.size(), static_cast<std::size_t>(std::max(max_detections, 0))));
  Detections result;
  for (const std::size_t i : order) {
    const auto index = ~static_cast<std::uint32_t>(keys[i]);
    const auto label = static_cast<int>(index / static_cast<std::uint32_t>(proposals_each));
    result.push_back({boxes[i], value_of_key(static_cast<std::uint32_t>(keys[i] >> 32)), label});
  }
  return result;
}

}  // namespace smearscope::ops
