#include "network/losses.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>

#include "network/upload.h"

namespace smearscope::training {
namespace {

// Nothing to learn from still has a place in the graph.
at::Tensor no_loss(const at::Tensor& output) {
  return output.sum() * 0;
}

// Of the whole batch, where processes share it.
double total(Processes* processes, double value) {
  if (!processes) return value;
  at::Tensor sum = at::tensor({value}, at::kDouble);
  processes->sum(sum);
  return sum.item<double>();
}

constexpr double smooth_l1_beta = 1.0 / 9;

}  // namespace

void rpn_losses(const RpnHeadImpl::Output& rpn, const RpnSamples& samples, Processes* processes,
                Losses& losses) {
  const at::Device device = rpn.logits.device();
  const auto anchors = static_cast<std::int64_t>(samples.anchors.size());
  const auto positives = static_cast<std::int64_t>(samples.deltas.size() / 4);
  const at::Tensor index = upload(samples.anchors, device);
  at::Tensor is_object = at::zeros({anchors}, rpn.logits.options());
  is_object.slice(0, 0, positives).fill_(1);
  const double count = std::max(1.0, total(processes, static_cast<double>(anchors)));
  losses.objectness = anchors == 0
                          ? no_loss(rpn.logits)
                          : at::binary_cross_entropy_with_logits(rpn.logits.flatten().index_select(0, index),
                                                                 is_object, {}, {}, at::Reduction::Sum) /
                                count;
  const at::Tensor deltas = upload(samples.deltas, rpn.deltas.options()).view({-1, 4});
  const at::Tensor answers = rpn.deltas.view({-1, 4}).index_select(0, index.slice(0, 0, positives));
  losses.rpn_box = at::smooth_l1_loss(answers, deltas, at::Reduction::Sum, smooth_l1_beta) / count;
}

namespace {

// Log probability of what each row may be: its label, or the sum over the classes that it may be, or between
// the two where an object's own name has a share.
at::Tensor target_log_probability(const at::Tensor& logits, const RoiSamples& samples,
                                  const at::Tensor& labels) {
  const at::Tensor log_probability = logits.log_softmax(1);
  const at::Tensor own = log_probability.gather(1, labels.unsqueeze(1)).squeeze(1);
  if (samples.allowed.empty()) return own;
  const at::Tensor forbidden = upload(samples.allowed, logits.device()).view({-1, logits.size(1)}).eq(0);
  constexpr double minus_infinity = -std::numeric_limits<double>::infinity();
  const at::Tensor any = log_probability.masked_fill(forbidden, minus_infinity).logsumexp(1);
  if (samples.own_name_share == 0) return any;
  return any + labels.gt(0) * samples.own_name_share * (own - any);
}

at::Tensor classification_loss(const at::Tensor& logits, const RoiSamples& samples, const at::Tensor& labels,
                               const ClassificationLoss& options, Processes* processes) {
  const at::Tensor log_probability = target_log_probability(logits, samples, labels);
  at::Tensor loss = -log_probability;
  if (options.focal_gamma > 0) {
    // 1 - p loses all digits near p = 1, where its power's slope is wanted; there the loss is 0 anyway.
    loss = loss * (1 - log_probability.exp()).clamp_min(1e-6).pow(options.focal_gamma);
  }
  double weight = static_cast<double>(labels.size(0));
  if (!options.class_weights.empty()) {
    loss = loss * upload(options.class_weights, loss.options()).index_select(0, labels);
    weight = 0;  // summed here: asking a GPU would mean to wait for it
    for (const std::int64_t label : samples.labels) weight += options.class_weights[label];
  }
  weight = total(processes, weight);
  return weight > 0 ? loss.sum() / weight : no_loss(logits);
}

}  // namespace

void box_head_losses(const BoxHeadImpl::Output& head, const RoiSamples& samples,
                     const ClassificationLoss& options, Processes* processes, Losses& losses) {
  const at::Device device = head.logits.device();
  const at::Tensor labels = upload(samples.labels, device);
  losses.classification = classification_loss(head.logits, samples, labels, options, processes);
  const at::Tensor rows = upload(samples.box_rows, device);
  const at::Tensor classes = upload(samples.box_classes, device);
  const at::Tensor deltas = upload(samples.deltas, head.deltas.options()).view({-1, 4});
  const at::Tensor answers = head.deltas.index({rows, classes});
  const double count = std::max(1.0, total(processes, static_cast<double>(labels.size(0))));
  if (samples.allowed.empty()) {
    losses.box = at::smooth_l1_loss(answers, deltas, at::Reduction::Sum, smooth_l1_beta) / count;
    return;
  }
  const at::Tensor weights = upload(samples.box_weights, head.deltas.options()).view({-1, 1});
  const at::Tensor each = at::smooth_l1_loss(answers, deltas, at::Reduction::None, smooth_l1_beta);
  losses.box = (each * weights).sum() / count;
}

}  // namespace smearscope::training
