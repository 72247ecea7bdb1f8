#include "network/boxes.h"

#include <algorithm>
#include <cmath>

namespace smearscope::training {

std::vector<Box> cell_anchors(const std::vector<float>& sizes, const std::vector<float>& ratios) {
  std::vector<Box> cell;
  for (float ratio : ratios) {
    const float height_ratio = std::sqrt(ratio);
    const float width_ratio = 1 / height_ratio;
    for (float size : sizes) {
      // nearbyint rounds half to even, as torch.round does.
      const float half_width = std::nearbyint(width_ratio * size / 2);
      const float half_height = std::nearbyint(height_ratio * size / 2);
      cell.push_back({-half_width, -half_height, half_width, half_height});
    }
  }
  return cell;
}

void append_anchors(const std::vector<Box>& cell, Size grid, Size image, std::vector<Box>& anchors) {
  const int stride_y = image.height / grid.height;
  const int stride_x = image.width / grid.width;
  anchors.reserve(anchors.size() + cell.size() * grid.height * grid.width);
  for (int row = 0; row < grid.height; ++row) {
    const float y = static_cast<float>(row * stride_y);
    for (int column = 0; column < grid.width; ++column) {
      const float x = static_cast<float>(column * stride_x);
      for (const Box& box : cell)
        anchors.push_back({x + box.x_min, y + box.y_min, x + box.x_max, y + box.y_max});
    }
  }
}

namespace {

float area(const Box& box) {
  return (box.x_max - box.x_min) * (box.y_max - box.y_min);
}

float iou_of(const Box& a, float area_a, const Box& b, float area_b) {
  const float width = std::max(std::min(a.x_max, b.x_max) - std::max(a.x_min, b.x_min), 0.0F);
  const float height = std::max(std::min(a.y_max, b.y_max) - std::max(a.y_min, b.y_min), 0.0F);
  const float intersection = width * height;
  return intersection / (area_a + area_b - intersection);
}

// The largest float that is not above `value`: for a float x, x > result exactly if x > value.
float float_not_above(double value) {
  const float rounded = static_cast<float>(value);
  return rounded > value ? std::nextafter(rounded, -INFINITY) : rounded;
}

}  // namespace

float iou(const Box& a, const Box& b) {
  return iou_of(a, area(a), b, area(b));
}

float covered_share(const Box& box, const Box& region) {
  const float width = std::min(box.x_max, region.x_max) - std::max(box.x_min, region.x_min);
  const float height = std::min(box.y_max, region.y_max) - std::max(box.y_min, region.y_min);
  if (!(width > 0 && height > 0)) return 0;
  return width * height / ((box.x_max - box.x_min) * (box.y_max - box.y_min));
}

std::vector<int> match(const std::vector<Box>& truth, const std::vector<Box>& candidates, double high,
                       double low, bool low_quality, const CandidatesNear& near) {
  const std::size_t count = candidates.size();
  if (truth.empty()) return std::vector<int>(count, below_low_threshold);

  std::vector<float> areas(count), row(count), best_value(count);
  std::vector<int> best(count, 0);
  std::vector<std::size_t> best_of_truth;  // candidates that tie for some truth box's highest IoU
  for (std::size_t i = 0; i < count; ++i) areas[i] = area(candidates[i]);
  for (std::size_t t = 0; t < truth.size(); ++t) {
    const Box box = truth[t];
    const float box_area = area(box);
    const std::vector<IndexRange> ranges = near ? near(box) : std::vector<IndexRange>{{0, count}};
    float highest = 0;
    for (const IndexRange& range : ranges) {
      for (std::size_t i = range.first; i < range.end; ++i)
        row[i] = iou_of(box, box_area, candidates[i], areas[i]);
      for (std::size_t i = range.first; i < range.end; ++i) {
        highest = std::max(highest, row[i]);
        if (row[i] > best_value[i]) {
          best_value[i] = row[i];
          best[i] = static_cast<int>(t);
        }
      }
    }
    if (!low_quality) continue;
    for (const IndexRange& range : highest > 0 ? ranges : std::vector<IndexRange>{{0, count}}) {
      for (std::size_t i = range.first; i < range.end; ++i) {
        if (highest == 0 || row[i] == highest) best_of_truth.push_back(i);
      }
    }
  }

  std::vector<int> matches(best);
  for (std::size_t i = 0; i < count; ++i) {
    if (best_value[i] < static_cast<float>(low)) {
      matches[i] = below_low_threshold;
    } else if (best_value[i] < static_cast<float>(high)) {
      matches[i] = between_thresholds;
    }
  }
  for (std::size_t i : best_of_truth) matches[i] = best[i];
  return matches;
}

namespace {

// Keeps `count` of `indices`, each subset equally likely, in ascending order (partial Fisher-Yates).
void keep_random(std::vector<std::int64_t>& indices, std::size_t count, RandomGenerator& random) {
  if (indices.size() <= count) return;
  for (std::size_t i = 0; i < count; ++i) {
    // The modulo's bias is below indices.size() / 2^64.
    std::swap(indices[i], indices[i + random() % (indices.size() - i)]);
  }
  indices.resize(count);
  std::sort(indices.begin(), indices.end());
}

}  // namespace

Sample sample(const std::vector<int>& matches, int count, double positive_fraction, RandomGenerator& random) {
  Sample chosen;
  for (std::size_t i = 0; i < matches.size(); ++i) {
    if (matches[i] >= 0) chosen.positive.push_back(static_cast<std::int64_t>(i));
    if (matches[i] == below_low_threshold) chosen.negative.push_back(static_cast<std::int64_t>(i));
  }
  keep_random(chosen.positive, static_cast<std::size_t>(count * positive_fraction), random);
  keep_random(chosen.negative, count - chosen.positive.size(), random);
  return chosen;
}

std::array<float, 4> encode(const Box& truth, const Box& anchor, const CoderWeights& weights) {
  const float anchor_width = anchor.x_max - anchor.x_min;
  const float anchor_height = anchor.y_max - anchor.y_min;
  const float truth_width = truth.x_max - truth.x_min;
  const float truth_height = truth.y_max - truth.y_min;
  const float anchor_x = anchor.x_min + 0.5F * anchor_width;
  const float anchor_y = anchor.y_min + 0.5F * anchor_height;
  const float truth_x = truth.x_min + 0.5F * truth_width;
  const float truth_y = truth.y_min + 0.5F * truth_height;
  return {weights.x * (truth_x - anchor_x) / anchor_width, weights.y * (truth_y - anchor_y) / anchor_height,
          weights.width * std::log(truth_width / anchor_width),
          weights.height * std::log(truth_height / anchor_height)};
}

Box decode(const float* delta, const Box& anchor, const CoderWeights& weights) {
  static const float most = static_cast<float>(std::log(1000.0 / 16));
  const float anchor_width = anchor.x_max - anchor.x_min;
  const float anchor_height = anchor.y_max - anchor.y_min;
  const float x = delta[0] / weights.x * anchor_width + (anchor.x_min + 0.5F * anchor_width);
  const float y = delta[1] / weights.y * anchor_height + (anchor.y_min + 0.5F * anchor_height);
  const float half_width = 0.5F * (std::exp(std::min(delta[2] / weights.width, most)) * anchor_width);
  const float half_height = 0.5F * (std::exp(std::min(delta[3] / weights.height, most)) * anchor_height);
  return {x - half_width, y - half_height, x + half_width, y + half_height};
}

Box clip(const Box& box, Size image) {
  const auto within = [](float value, int most) { return std::clamp(value, 0.0F, static_cast<float>(most)); };
  return {within(box.x_min, image.width), within(box.y_min, image.height), within(box.x_max, image.width),
          within(box.y_max, image.height)};
}

Box scale(const Box& box, float x, float y) {
  return {box.x_min * x, box.y_min * y, box.x_max * x, box.y_max * y};
}

bool has_sides(const Box& box, float at_least) {
  return box.x_max - box.x_min >= at_least && box.y_max - box.y_min >= at_least;
}

std::vector<int> non_maximum_suppression(const std::vector<Box>& boxes, double threshold, int at_most) {
  const int count = static_cast<int>(boxes.size());
  const float limit = float_not_above(threshold);
  // One array per coordinate, so that the inner loop runs in vector registers.
  std::vector<float> x_min(count), y_min(count), x_max(count), y_max(count), areas(count);
  for (int i = 0; i < count; ++i) {
    x_min[i] = boxes[i].x_min, y_min[i] = boxes[i].y_min, x_max[i] = boxes[i].x_max,
    y_max[i] = boxes[i].y_max;
    areas[i] = area(boxes[i]);
  }
  std::vector<int> kept, suppressed(count, 0);
  for (int i = 0; i < count && static_cast<int>(kept.size()) < at_most; ++i) {
    if (suppressed[i]) continue;
    kept.push_back(i);
    const Box box = boxes[i];
    const float box_area = areas[i];
    for (int j = i + 1; j < count; ++j) {
      const Box other{x_min[j], y_min[j], x_max[j], y_max[j]};
      suppressed[j] |= static_cast<int>(iou_of(box, box_area, other, areas[j]) > limit);
    }
  }
  return kept;
}

std::vector<int> top_k(const float* scores, int count, int k) {
  std::vector<int> order;
  order.reserve(count);
  for (int i = 0; i < count; ++i) {
    if (!std::isnan(scores[i])) order.push_back(i);
  }
  const auto better = [scores](int a, int b) {
    return scores[a] > scores[b] || (scores[a] == scores[b] && a < b);
  };
  if (k < static_cast<int>(order.size())) {
    std::nth_element(order.begin(), order.begin() + k, order.end(), better);
    order.resize(k);
  }
  std::sort(order.begin(), order.end(), better);
  return order;
}

}  // namespace smearscope::training
