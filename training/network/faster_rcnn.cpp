#include "network/faster_rcnn.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "network/autocast.h"
#include "network/backbone.h"
#include "network/boxes.h"
#include "network/cuda_operations.h"
#include "network/heads.h"
#include "network/image_batch.h"
#include "network/losses.h"
#include "network/processes.h"
#include "network/proposals.h"
#include "network/roi_align.h"
#include "network/targets.h"
#include "network/upload.h"

namespace smearscope::training {

struct Network {
  ModelInfo info;
  TrainingSettings settings;
  ResNet body{nullptr};
  FeaturePyramid pyramid{nullptr};
  RpnHead rpn{nullptr};
  BoxHead box_head{nullptr};
  // Anchors of the last padded size seen.
  Size anchors_for;
  AnchorSet anchors;
  Processes* processes = nullptr;

  // dtype and device of the weights
  at::TensorOptions options() const {
    const at::Tensor weight = pyramid->parameters().front();
    return at::TensorOptions(weight.device()).dtype(weight.scalar_type());
  }
};

namespace {

void check(bool holds, const std::string& problem) {
  if (!holds) throw Error(problem);
}

void check_class_settings(int classes, const TrainingSettings& s) {
  const std::vector<int>& parents = s.class_parents;
  check(parents.empty() || parents.size() == static_cast<std::size_t>(classes),
        "there must be one parent for each class, or none at all");
  for (std::size_t i = 0; i < parents.size(); ++i) {
    int above = static_cast<int>(i);
    for (int steps = 0; above >= 0; ++steps) {
      check(above < classes && steps <= classes, "the classes' parents go in a circle or are no classes");
      above = parents[static_cast<std::size_t>(above)];
    }
  }
  const std::vector<double>& weights = s.classification.class_weights;
  check(weights.empty() || weights.size() == static_cast<std::size_t>(classes) + 1,
        "there must be a weight for background and each class, or none at all");
  check(std::all_of(weights.begin(), weights.end(), [](double w) { return w > 0 && std::isfinite(w); }),
        "class weights must be positive numbers");
  check(s.classification.focal_gamma >= 0, "focal_gamma must not be negative");
  check(s.own_name_share >= 0 && s.own_name_share <= 1, "own_name_share must be in 0..1");
}

void check_settings(const ModelInfo& info, const TrainingSettings& s) {
  const Architecture& architecture = info.architecture;
  check(!info.classes.empty(), "the model has no classes: name at least one");
  check(architecture.fpn_channels > 0 && architecture.head_width > 0,
        "FPN channels and head width must be positive");
  check(!architecture.anchor_ratios.empty(), "the model has no anchor ratios: name at least one");
  for (const auto& sizes : architecture.anchor_sizes) {
    check(!sizes.empty() && sizes.size() == architecture.anchor_sizes[0].size(),
          "every pyramid level needs the same number of anchor sizes, at least one");
  }
  check(s.rpn_pre_nms_top_n > 0 && s.rpn_post_nms_top_n > 0, "RPN top-n numbers must be positive");
  check(s.rpn_samples > 0 && s.roi_samples > 0, "sample counts must be positive");
  const auto fraction = [](double value) { return value >= 0 && value <= 1; };
  check(fraction(s.rpn_positive_fraction) && fraction(s.roi_positive_fraction),
        "positive fractions must be in 0..1");
  check(s.rpn_negative_iou <= s.rpn_positive_iou, "rpn_negative_iou must not be above rpn_positive_iou");
  check(s.frozen_stages >= 0 && s.frozen_stages <= 5, "frozen_stages must be 0..5");
  check_class_settings(static_cast<int>(info.classes.size()), s);
}

// Detached tensor as floats in host memory.
at::Tensor to_host(const at::Tensor& tensor) {
  return tensor.detach().to(at::kCPU, at::kFloat).contiguous();
}

std::vector<std::vector<Box>> propose_all(const AnchorSet& anchors, const RpnHeadImpl::Output& rpn,
                                          const std::vector<Size>& sizes, const ProposalLimits& limits) {
  if (rpn.logits.is_cuda()) return cuda_propose(anchors, rpn.logits, rpn.deltas, sizes, limits);
  const at::Tensor logits = to_host(rpn.logits), deltas = to_host(rpn.deltas);
  const float* const logits_data = logits.data_ptr<float>();
  const float* const deltas_data = deltas.data_ptr<float>();
  const auto count = static_cast<std::int64_t>(anchors.boxes.size());
  std::vector<std::vector<Box>> proposals(sizes.size());
  at::parallel_for(0, static_cast<std::int64_t>(sizes.size()), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      proposals[i] = propose(anchors, logits_data + i * count, deltas_data + i * count * 4, sizes[i], limits);
    }
  });
  return proposals;
}

at::Tensor rois_of(const std::vector<std::vector<Box>>& boxes, const at::TensorOptions& options) {
  std::vector<float> rows;
  for (std::size_t image = 0; image < boxes.size(); ++image) {
    for (const Box& box : boxes[image]) {
      rows.insert(rows.end(), {static_cast<float>(image), box.x_min, box.y_min, box.x_max, box.y_max});
    }
  }
  return upload(rows, options).view({-1, 5});
}

// Box head outputs for all images' boxes, image after image; P6 is not pooled from.
BoxHeadImpl::Output run_box_head(BoxHead& head, const std::array<at::Tensor, 5>& levels,
                                 const std::vector<std::vector<Box>>& boxes, MixedPrecision mixed) {
  const at::Tensor rois = rois_of(boxes, levels[0].options());
  const at::Tensor pooled = roi_align({levels[0], levels[1], levels[2], levels[3]}, rois);
  const Autocast autocast(mixed, pooled.device().type());
  return head(pooled);
}

}  // namespace

FasterRcnnImpl::FasterRcnnImpl(const ModelInfo& info, const TrainingSettings& settings)
    : network_(std::make_unique<Network>()) {
  check_settings(info, settings);
  const Architecture& architecture = info.architecture;
  network_->info = info;
  network_->settings = settings;
  network_->body = ResNet(architecture.backbone,
                          BatchNormOptions{architecture.batch_norm_eps, settings.frozen_batch_norm});
  network_->body->freeze_stages(settings.frozen_stages);
  network_->pyramid = FeaturePyramid(network_->body->channels(), architecture.fpn_channels);
  const auto anchors_per_position = architecture.anchor_sizes[0].size() * architecture.anchor_ratios.size();
  network_->rpn = RpnHead(architecture.fpn_channels, static_cast<int>(anchors_per_position));
  network_->box_head =
      BoxHead(architecture.fpn_channels, architecture.head_width, static_cast<int>(info.classes.size()) + 1);
  auto backbone = register_module("backbone", std::make_shared<torch::nn::Module>());
  backbone->register_module("body", network_->body);
  backbone->register_module("fpn", network_->pyramid);
  register_module("rpn", network_->rpn);
  register_module("roi_heads", network_->box_head);
}

FasterRcnnImpl::~FasterRcnnImpl() = default;

const ModelInfo& FasterRcnnImpl::info() const {
  return network_->info;
}
const TrainingSettings& FasterRcnnImpl::settings() const {
  return network_->settings;
}

void FasterRcnnImpl::share_batches(Processes* processes) {
  network_->processes = processes;
  network_->body->share_batches(processes);
}

namespace {

// The padded size of the whole batch, of which `images` is this process's share.
Size shared_padded_size(const std::vector<at::Tensor>& images, const Transform& transform, int min_side,
                        Processes* processes) {
  if (!processes) return {};
  const Size own = padded_size(images, transform, min_side);
  at::Tensor sides = at::tensor({own.height, own.width}, at::kLong);
  processes->take_largest(sides);
  return {sides[0].item<int>(), sides[1].item<int>()};
}

struct Features {
  std::array<at::Tensor, 5> levels;
  RpnHeadImpl::Output rpn;
};

// Everything up to the RPN's outputs; leaves the matching anchors in `network`.
Features run_dense_part(Network& network, const ImageBatch& batch) {
  Features features;
  // What f32 convolutions on a CPU make of channels-last images differs more from torchvision's.
  const bool channels_last = network.settings.autocast != MixedPrecision::off || batch.images.is_cuda();
  const auto format = channels_last ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
  {
    const Autocast autocast(network.settings.autocast, batch.images.device().type());
    features.levels = network.pyramid(network.body(batch.images.contiguous(format)));
    features.rpn = network.rpn(features.levels);
  }
  // RoIAlign and losses keep the weights' precision.
  const at::TensorOptions options = network.options();
  for (at::Tensor& level : features.levels) level = level.to(options);
  features.rpn = {features.rpn.logits.to(options), features.rpn.deltas.to(options)};
  const Size padded{static_cast<int>(batch.images.size(2)), static_cast<int>(batch.images.size(3))};
  if (!(padded == network.anchors_for)) {
    std::vector<Size> grids;
    for (const at::Tensor& level : features.levels) {
      grids.push_back({static_cast<int>(level.size(2)), static_cast<int>(level.size(3))});
    }
    network.anchors = make_anchors(network.info.architecture, grids, padded);
    network.anchors_for = padded;
  }
  return features;
}

}  // namespace

Losses FasterRcnnImpl::losses(const std::vector<torch::Tensor>& images, const std::vector<Target>& targets,
                              const LossOptions& options) {
  check(images.size() == targets.size(), "losses: " + std::to_string(images.size()) + " images but " +
                                             std::to_string(targets.size()) + " targets");
  const TrainingSettings& s = settings();
  const int min_side = options.min_side.value_or(info().transform.min_side);
  Processes* const processes = is_training() ? network_->processes : nullptr;
  const Size least = shared_padded_size(images, info().transform, min_side, processes);
  const ImageBatch batch = make_batch(images, info().transform, min_side, network_->options(), least);
  std::vector<Objects> objects;
  std::vector<RandomGenerator> random;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    random.emplace_back(options.sampling_seed + i);
    objects.push_back(checked_objects(targets[i], i, static_cast<int>(info().classes.size())));
    resize_objects(objects[i], batch.original[i], batch.resized[i]);
  }

  const Features features = run_dense_part(*network_, batch);
  Losses losses;
  // A GPU computes the features meanwhile.
  rpn_losses(features.rpn, sample_anchors(network_->anchors, objects, s, random), processes, losses);

  const ProposalLimits limits{s.rpn_pre_nms_top_n, s.rpn_post_nms_top_n,
                              info().architecture.rpn_nms_threshold};
  const auto proposals = propose_all(network_->anchors, features.rpn, batch.resized, limits);
  const int classes = static_cast<int>(info().classes.size());
  const RoiSamples samples = sample_proposals(proposals, objects, classes, s, random);
  const auto head = run_box_head(network_->box_head, features.levels, samples.boxes, s.autocast);
  box_head_losses(head, samples, s.classification, processes, losses);
  return losses;
}

namespace {

// Softmax scores and class deltas of one image's proposals -> its detections (roi_heads.py,
// postprocess_detections). scores: [R, classes], deltas: [R, classes, 4] in host memory, class 0 background.
Found select_detections(const std::vector<Box>& proposals, const float* scores, const float* deltas,
                        int classes, Size resized, Size original, const Thresholds& thresholds) {
  struct Candidate {
    float score;
    int label;
    int proposal;
    Box box;
  };
  constexpr float least_side = 1e-2F;
  std::vector<Candidate> kept;
  for (int label = 1; label < classes; ++label) {
    std::vector<Candidate> candidates;
    for (int p = 0; p < static_cast<int>(proposals.size()); ++p) {
      const std::size_t row = static_cast<std::size_t>(p) * classes + label;
      if (!(scores[row] > static_cast<float>(thresholds.score))) continue;
      const Box box = clip(decode(deltas + row * 4, proposals[p], box_head_coder), resized);
      if (has_sides(box, least_side)) candidates.push_back({scores[row], label, p, box});
    }
    const auto better = [](const Candidate& a, const Candidate& b) { return a.score > b.score; };
    std::stable_sort(candidates.begin(), candidates.end(), better);
    std::vector<Box> boxes;
    for (const Candidate& candidate : candidates) boxes.push_back(candidate.box);
    for (int i : non_maximum_suppression(boxes, thresholds.nms, thresholds.max_detections)) {
      kept.push_back(candidates[i]);
    }
  }
  std::stable_sort(kept.begin(), kept.end(),
                   [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
  kept.resize(std::min(kept.size(), static_cast<std::size_t>(thresholds.max_detections)));

  const float x = static_cast<float>(original.width) / static_cast<float>(resized.width);
  const float y = static_cast<float>(original.height) / static_cast<float>(resized.height);
  std::vector<float> box_rows, score_rows;
  std::vector<std::int64_t> label_rows;
  for (const Candidate& candidate : kept) {
    const Box box = scale(candidate.box, x, y);
    box_rows.insert(box_rows.end(), {box.x_min, box.y_min, box.x_max, box.y_max});
    score_rows.push_back(candidate.score);
    label_rows.push_back(candidate.label);
  }
  return {at::tensor(box_rows, at::kFloat).view({-1, 4}), at::tensor(score_rows, at::kFloat),
          at::tensor(label_rows, at::kLong)};
}

}  // namespace

std::vector<Found> FasterRcnnImpl::detect(const std::vector<torch::Tensor>& images) {
  check(!is_training(), "detect needs the network in evaluation mode: call eval() first");
  const at::NoGradGuard no_gradient;
  const Architecture& architecture = info().architecture;
  const ImageBatch batch =
      make_batch(images, info().transform, info().transform.min_side, network_->options());
  const Features features = run_dense_part(*network_, batch);
  const ProposalLimits limits{architecture.rpn_pre_nms_top_n, architecture.rpn_post_nms_top_n,
                              architecture.rpn_nms_threshold};
  const auto proposals = propose_all(network_->anchors, features.rpn, batch.resized, limits);
  const BoxHeadImpl::Output head =
      run_box_head(network_->box_head, features.levels, proposals, settings().autocast);
  const at::Tensor scores = to_host(head.logits.softmax(1)), deltas = to_host(head.deltas);
  const int classes = static_cast<int>(scores.size(1));
  std::vector<Found> found;
  std::int64_t row = 0;
  for (std::size_t i = 0; i < images.size(); ++i) {
    found.push_back(select_detections(proposals[i], scores.data_ptr<float>() + row * classes,
                                      deltas.data_ptr<float>() + row * classes * 4, classes, batch.resized[i],
                                      batch.original[i], info().thresholds));
    row += static_cast<std::int64_t>(proposals[i].size());
  }
  return found;
}

}  // namespace smearscope::training
