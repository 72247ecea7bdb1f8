#include "network/targets.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <sstream>
#include <string>

namespace smearscope::training {

namespace {

std::string describe(const Box& box) {
  std::ostringstream text;
  text << '[' << box.x_min << ", " << box.y_min << ", " << box.x_max << ", " << box.y_max << ']';
  return text.str();
}

bool is_finite(const Box& box) {
  return std::isfinite(box.x_min) && std::isfinite(box.y_min) && std::isfinite(box.x_max) &&
         std::isfinite(box.y_max);
}

}  // namespace

Objects checked_objects(const Target& target, std::size_t index, int class_count) {
  const std::string where = "target " + std::to_string(index);
  const bool fits = target.boxes.defined() && target.labels.defined() && target.boxes.dim() == 2 &&
                    target.boxes.size(1) == 4 && target.boxes.scalar_type() == at::kFloat &&
                    target.labels.dim() == 1 && target.labels.scalar_type() == at::kLong &&
                    target.labels.size(0) == target.boxes.size(0);
  if (!fits) throw Error(where + ": boxes must be [n, 4] f32 and labels [n] i64");
  const at::Tensor boxes = target.boxes.to(at::kCPU).contiguous(),
                   labels = target.labels.to(at::kCPU).contiguous();
  const float* values = boxes.data_ptr<float>();
  Objects objects;
  for (std::int64_t i = 0; i < boxes.size(0); ++i, values += 4) {
    const Box box{values[0], values[1], values[2], values[3]};
    const std::int64_t label = labels.data_ptr<std::int64_t>()[i];
    const std::string which = where + ", box " + std::to_string(i) + " " + describe(box);
    if (!is_finite(box)) throw Error(which + ": a coordinate is not a finite number");
    if (!(box.x_max > box.x_min && box.y_max > box.y_min)) {
      throw Error(which + ": has no area; x_max must be above x_min and y_max above y_min");
    }
    if (label < 1 || label > class_count) {
      throw Error(which + ": label " + std::to_string(label) + " is not in 1.." +
                  std::to_string(class_count));
    }
    objects.boxes.push_back(box);
    objects.labels.push_back(label);
  }
  return objects;
}

void resize_objects(Objects& objects, Size from, Size to) {
  const float x = static_cast<float>(to.width) / static_cast<float>(from.width);
  const float y = static_cast<float>(to.height) / static_cast<float>(from.height);
  for (Box& box : objects.boxes) box = scale(box, x, y);
}

RpnSamples sample_anchors(const std::vector<Box>& anchors, const std::vector<Objects>& objects,
                          const TrainingSettings& settings, RandomGenerator& random) {
  std::vector<std::vector<int>> matches(objects.size());
  at::parallel_for(
      0, static_cast<std::int64_t>(objects.size()), 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
          matches[i] = match(objects[i].boxes, anchors, settings.rpn_positive_iou, settings.rpn_negative_iou,
                             /*low_quality=*/true);
        }
      });
  RpnSamples samples;
  std::vector<std::int64_t> negatives;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    const Sample chosen = sample(matches[i], settings.rpn_samples, settings.rpn_positive_fraction, random);
    const auto first = static_cast<std::int64_t>(i * anchors.size());
    for (std::int64_t anchor : chosen.positive) {
      samples.anchors.push_back(first + anchor);
      const auto delta = encode(objects[i].boxes[matches[i][anchor]], anchors[anchor], rpn_coder);
      samples.deltas.insert(samples.deltas.end(), delta.begin(), delta.end());
    }
    for (std::int64_t anchor : chosen.negative) negatives.push_back(first + anchor);
  }
  samples.anchors.insert(samples.anchors.end(), negatives.begin(), negatives.end());
  return samples;
}

RoiSamples sample_proposals(std::vector<std::vector<Box>> proposals, const std::vector<Objects>& objects,
                            const TrainingSettings& settings, RandomGenerator& random) {
  RoiSamples samples;
  samples.boxes.resize(objects.size());
  for (std::size_t i = 0; i < objects.size(); ++i) {
    std::vector<Box>& boxes = proposals[i];
    boxes.insert(boxes.end(), objects[i].boxes.begin(), objects[i].boxes.end());
    const std::vector<int> matches = match(objects[i].boxes, boxes, settings.roi_positive_iou,
                                           settings.roi_positive_iou, /*low_quality=*/false);
    const Sample chosen = sample(matches, settings.roi_samples, settings.roi_positive_fraction, random);
    std::vector<std::int64_t> rows(chosen.positive);
    rows.insert(rows.end(), chosen.negative.begin(), chosen.negative.end());
    std::sort(rows.begin(), rows.end());
    for (std::int64_t row : rows) {
      samples.boxes[i].push_back(boxes[row]);
      if (matches[row] < 0) {
        samples.labels.push_back(0);
        continue;
      }
      samples.positive_rows.push_back(static_cast<std::int64_t>(samples.labels.size()));
      samples.labels.push_back(objects[i].labels[matches[row]]);
      const auto delta = encode(objects[i].boxes[matches[row]], boxes[row], box_head_coder);
      samples.deltas.insert(samples.deltas.end(), delta.begin(), delta.end());
    }
  }
  return samples;
}

}  // namespace smearscope::training
