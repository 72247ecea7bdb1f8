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

bool is_box_list(const at::Tensor& boxes) {
  return boxes.defined() && boxes.dim() == 2 && boxes.size(1) == 4 && boxes.scalar_type() == at::kFloat;
}

std::vector<Box> checked_boxes(const at::Tensor& tensor, const std::string& where) {
  const at::Tensor boxes = tensor.to(at::kCPU).contiguous();
  const float* values = boxes.data_ptr<float>();
  std::vector<Box> checked;
  for (std::int64_t i = 0; i < boxes.size(0); ++i, values += 4) {
    const Box box{values[0], values[1], values[2], values[3]};
    const std::string which = where + std::to_string(i) + " " + describe(box);
    if (!is_finite(box)) throw Error(which + ": a coordinate is not a finite number");
    if (!(box.x_max > box.x_min && box.y_max > box.y_min)) {
      throw Error(which + ": has no area; x_max must be above x_min and y_max above y_min");
    }
    checked.push_back(box);
  }
  return checked;
}

}  // namespace

Objects checked_objects(const Target& target, std::size_t index, int class_count) {
  const std::string where = "target " + std::to_string(index);
  const bool fits = is_box_list(target.boxes) && target.labels.defined() && target.labels.dim() == 1 &&
                    target.labels.scalar_type() == at::kLong && target.labels.size(0) == target.boxes.size(0);
  if (!fits) throw Error(where + ": boxes must be [n, 4] f32 and labels [n] i64");
  if (target.ignore_regions.defined() && !is_box_list(target.ignore_regions))
    throw Error(where + ": ignore regions must be [m, 4] f32");
  const at::Tensor labels = target.labels.to(at::kCPU).contiguous();
  Objects objects;
  objects.boxes = checked_boxes(target.boxes, where + ", box ");
  for (std::int64_t i = 0; i < labels.size(0); ++i) {
    const std::int64_t label = labels.data_ptr<std::int64_t>()[i];
    if (label < 1 || label > class_count) {
      throw Error(where + ", box " + std::to_string(i) + " " + describe(objects.boxes[i]) + ": label " +
                  std::to_string(label) + " is not in 1.." + std::to_string(class_count));
    }
    objects.labels.push_back(label);
  }
  if (target.ignore_regions.defined())
    objects.ignore_regions = checked_boxes(target.ignore_regions, where + ", ignore region ");
  for (const int open : target.open_classes) {
    if (open < 1 || open > class_count)
      throw Error(where + ": open class " + std::to_string(open) + " is not in 1.." +
                  std::to_string(class_count));
  }
  objects.open_classes = target.open_classes;
  return objects;
}

void resize_objects(Objects& objects, Size from, Size to) {
  const float x = static_cast<float>(to.width) / static_cast<float>(from.width);
  const float y = static_cast<float>(to.height) / static_cast<float>(from.height);
  for (std::vector<Box>* boxes : {&objects.boxes, &objects.ignore_regions}) {
    for (Box& box : *boxes) box = scale(box, x, y);
  }
}

namespace {

// What matches no box, but may be a cell that nobody labelled, is no background: what lies mostly in an
// ignore region.
void leave_out_ignored(const std::vector<Box>& candidates, const Objects& objects,
                       std::vector<int>& matches) {
  constexpr float most = 0.5F;
  for (const Box& region : objects.ignore_regions) {
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      if (matches[i] == below_low_threshold && covered_share(candidates[i], region) > most)
        matches[i] = between_thresholds;
    }
  }
}

// The same where classes are open: what overlaps no box.
void leave_out_unknown(const std::vector<Box>& candidates, const Objects& objects, const CandidatesNear& near,
                       std::vector<int>& matches) {
  if (objects.open_classes.empty()) return;
  std::vector<char> overlaps(candidates.size());
  for (const Box& cell : objects.boxes) {
    for (const IndexRange& range : near(cell)) {
      for (std::size_t i = range.first; i < range.end; ++i)
        overlaps[i] |= static_cast<char>(covered_share(candidates[i], cell) > 0);
    }
  }
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (matches[i] == below_low_threshold && !overlaps[i]) matches[i] = between_thresholds;
  }
}

}  // namespace

RpnSamples sample_anchors(const AnchorSet& anchors, const std::vector<Objects>& objects,
                          const TrainingSettings& settings, std::vector<RandomGenerator>& random) {
  const std::vector<Box>& boxes = anchors.boxes;
  const CandidatesNear near = [&](const Box& box) { return anchors_near(anchors, box); };
  std::vector<std::vector<int>> matches(objects.size());
  std::vector<Sample> chosen(objects.size());
  const auto choose = [&](std::size_t i) {
    matches[i] = match(objects[i].boxes, boxes, settings.rpn_positive_iou, settings.rpn_negative_iou,
                       /*low_quality=*/true, near);
    leave_out_ignored(boxes, objects[i], matches[i]);
    leave_out_unknown(boxes, objects[i], near, matches[i]);
    chosen[i] = sample(matches[i], settings.rpn_samples, settings.rpn_positive_fraction, random[i]);
  };
  at::parallel_for(0, static_cast<std::int64_t>(objects.size()), 1,
                   [&](std::int64_t begin, std::int64_t end) {
                     for (std::int64_t i = begin; i < end; ++i) choose(static_cast<std::size_t>(i));
                   });
  RpnSamples samples;
  std::vector<std::int64_t> negatives;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    const auto first = static_cast<std::int64_t>(i * boxes.size());
    for (std::int64_t anchor : chosen[i].positive) {
      samples.anchors.push_back(first + anchor);
      const auto delta = encode(objects[i].boxes[matches[i][anchor]], boxes[anchor], rpn_coder);
      samples.deltas.insert(samples.deltas.end(), delta.begin(), delta.end());
    }
    for (std::int64_t anchor : chosen[i].negative) negatives.push_back(first + anchor);
  }
  samples.anchors.insert(samples.anchors.end(), negatives.begin(), negatives.end());
  return samples;
}

namespace {

// Which classes (0: background) each label may stand for; a row of flags for each.
class LabelSets {
 public:
  LabelSets(int class_count, const std::vector<int>& parents)
      : columns_(static_cast<std::size_t>(class_count) + 1), sets_(columns_ * columns_) {
    for (std::size_t label = 0; label < columns_; ++label) sets_[label * columns_ + label] = 1;
    for (std::size_t label = 1; label < columns_ && !parents.empty(); ++label) {
      for (int above = parents[label - 1]; above >= 0; above = parents[static_cast<std::size_t>(above)])
        sets_[(static_cast<std::size_t>(above) + 1) * columns_ + label] = 1;
    }
  }
  const std::uint8_t* of(std::int64_t label) const {
    return &sets_[static_cast<std::size_t>(label) * columns_];
  }
  std::size_t columns() const { return columns_; }

 private:
  std::size_t columns_;
  std::vector<std::uint8_t> sets_;
};

// Of one image.
struct ChosenProposals {
  std::vector<int> matches;        // of all proposals
  std::vector<std::int64_t> rows;  // the chosen ones, ascending
};

ChosenProposals choose_proposals(const std::vector<Box>& boxes, const Objects& objects,
                                 const TrainingSettings& settings, RandomGenerator& random) {
  ChosenProposals chosen;
  chosen.matches = match(objects.boxes, boxes, settings.roi_positive_iou, settings.roi_positive_iou,
                         /*low_quality=*/false);
  leave_out_ignored(boxes, objects, chosen.matches);
  const Sample drawn = sample(chosen.matches, settings.roi_samples, settings.roi_positive_fraction, random);
  chosen.rows = drawn.positive;
  chosen.rows.insert(chosen.rows.end(), drawn.negative.begin(), drawn.negative.end());
  std::sort(chosen.rows.begin(), chosen.rows.end());
  return chosen;
}

// Row by row; forgets itself if no row may be more than one class.
class RoiSampler {
 public:
  RoiSampler(int class_count, const TrainingSettings& settings)
      : settings_(settings), sets_(class_count, settings.class_parents) {}

  void add_image(const std::vector<Box>& boxes, const Objects& objects, const ChosenProposals& chosen) {
    samples_.boxes.emplace_back();
    for (std::int64_t row : chosen.rows) {
      samples_.boxes.back().push_back(boxes[row]);
      const int match = chosen.matches[row];
      if (match < 0) {
        add_background(objects);
      } else {
        add_object(boxes[row], objects.boxes[match], objects.labels[match]);
      }
    }
  }

  RoiSamples take() {
    if (!any_choice_) samples_.allowed.clear();
    samples_.own_name_share = settings_.own_name_share;
    return std::move(samples_);
  }

 private:
  void add_background(const Objects& objects) {
    samples_.labels.push_back(0);
    const std::size_t first = samples_.allowed.size();
    samples_.allowed.insert(samples_.allowed.end(), sets_.of(0), sets_.of(0) + sets_.columns());
    for (const int open : objects.open_classes) {
      for (std::size_t c = 0; c < sets_.columns(); ++c) samples_.allowed[first + c] |= sets_.of(open)[c];
    }
    any_choice_ |= !objects.open_classes.empty();
  }

  void add_object(const Box& proposal, const Box& truth, std::int64_t label) {
    const auto row = static_cast<std::int64_t>(samples_.labels.size());
    samples_.labels.push_back(label);
    const std::uint8_t* const set = sets_.of(label);
    samples_.allowed.insert(samples_.allowed.end(), set, set + sets_.columns());
    const auto kinds = std::count(set, set + sets_.columns(), 1);
    any_choice_ |= kinds > 1;
    const double own = settings_.own_name_share;
    const auto delta = encode(truth, proposal, box_head_coder);
    for (std::size_t c = 0; c < sets_.columns(); ++c) {
      if (!set[c]) continue;
      samples_.box_rows.push_back(row);
      samples_.box_classes.push_back(static_cast<std::int64_t>(c));
      const double shared = (1 - own) / static_cast<double>(kinds);
      samples_.box_weights.push_back(
          static_cast<float>(static_cast<std::int64_t>(c) == label ? own + shared : shared));
      samples_.deltas.insert(samples_.deltas.end(), delta.begin(), delta.end());
    }
  }

  const TrainingSettings& settings_;
  LabelSets sets_;
  RoiSamples samples_;
  bool any_choice_ = false;
};

}  // namespace

RoiSamples sample_proposals(std::vector<std::vector<Box>> proposals, const std::vector<Objects>& objects,
                            int class_count, const TrainingSettings& settings,
                            std::vector<RandomGenerator>& random) {
  std::vector<ChosenProposals> chosen(objects.size());
  at::parallel_for(0, static_cast<std::int64_t>(objects.size()), 1,
                   [&](std::int64_t begin, std::int64_t end) {
                     for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
                       std::vector<Box>& boxes = proposals[i];
                       boxes.insert(boxes.end(), objects[i].boxes.begin(), objects[i].boxes.end());
                       chosen[i] = choose_proposals(boxes, objects[i], settings, random[i]);
                     }
                   });
  RoiSampler sampler(class_count, settings);
  for (std::size_t i = 0; i < objects.size(); ++i) sampler.add_image(proposals[i], objects[i], chosen[i]);
  return sampler.take();
}

}  // namespace smearscope::training
