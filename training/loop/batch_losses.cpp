#include "loop/batch_losses.h"

#include <ATen/ATen.h>

namespace smearscope::training {
namespace {

// A view.
at::Tensor tensor_of(const cv::Mat& rgb) {
  return at::from_blob(rgb.data, {rgb.rows, rgb.cols, 3}, at::kByte).permute({2, 0, 1});
}

at::Tensor tensor_of(const std::vector<corpus::Box>& boxes) {
  std::vector<float> values;
  for (const corpus::Box& box : boxes) {
    for (double v : {box.x_min, box.y_min, box.x_max, box.y_max}) values.push_back(static_cast<float>(v));
  }
  return at::tensor(values, at::kFloat).view({-1, 4});
}

Target target_of(const Sample& sample) {
  std::vector<corpus::Box> boxes;
  std::vector<std::int64_t> labels;
  for (const corpus::Annotation& a : sample.annotations) {
    boxes.push_back(a.box);
    labels.push_back(a.category + 1);
  }
  Target target{tensor_of(boxes), at::tensor(labels, at::kLong)};
  if (!sample.ignore_regions.empty()) target.ignore_regions = tensor_of(sample.ignore_regions);
  for (const int open : sample.open_classes) target.open_classes.push_back(open + 1);
  return target;
}

}  // namespace

Losses losses_of(FasterRcnn& network, const Batch& batch, std::size_t first, std::size_t end) {
  std::vector<at::Tensor> images;
  std::vector<Target> targets;
  for (std::size_t i = first; i < end; ++i) {
    images.push_back(tensor_of(batch.samples[i].image));
    targets.push_back(target_of(batch.samples[i]));
  }
  LossOptions options;
  options.sampling_seed = batch.sampling_seed + batch.first + first;
  options.min_side = batch.min_side;
  return network->losses(images, targets, options);
}

LossValues values_of(const Losses& losses) {
  const at::NoGradGuard no_gradient;
  const at::Tensor all =  // together, so that a GPU is waited for once
      at::stack({losses.objectness, losses.rpn_box, losses.classification, losses.box})
          .to(at::kCPU, at::kDouble);
  const double* const values = all.data_ptr<double>();
  return {values[0], values[1], values[2], values[3]};
}

void add(LossValues& sum, const LossValues& values, double weight) {
  sum.objectness += weight * values.objectness;
  sum.rpn_box += weight * values.rpn_box;
  sum.classification += weight * values.classification;
  sum.box += weight * values.box;
}

}  // namespace smearscope::training
