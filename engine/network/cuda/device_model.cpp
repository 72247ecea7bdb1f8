#include "network/cuda/device_model.h"

#include <utility>

namespace smearscope::network {
namespace {

void check_limits(const Model& model) {
  const Architecture& architecture = model.info().architecture;
  for (const auto& [name, value] :
       {std::pair<const char*, int>{"rpn_pre_nms_top_n", architecture.rpn_pre_nms_top_n},
        std::pair<const char*, int>{"rpn_post_nms_top_n", architecture.rpn_post_nms_top_n}})
    if (value > ops::most_sorted)
      throw Error(model.path() + ": architecture." + name + " is " + std::to_string(value) +
                  ", but device cuda sorts at most " + std::to_string(ops::most_sorted) + "; use device cpu");
}

std::vector<DeviceWeights> upload(const Plan& plan, ops::Element element) {
  std::vector<DeviceWeights> result;
  result.reserve(plan.convolutions.size());
  for (const Convolution& convolution : plan.convolutions) result.emplace_back(convolution, element);
  return result;
}

void forget_values(Plan& plan) {
  for (Convolution& convolution : plan.convolutions) std::vector<float>().swap(convolution.weights);
  for (Linear* linear : {&plan.fc6, &plan.fc7, &plan.predictor}) std::vector<float>().swap(linear->weights);
}

}  // namespace

DeviceKinds::DeviceKinds(const ops::Kinds& of) {
  first.upload(of.first);
  kinds.upload(of.kinds);
}

DeviceModel::DeviceModel(const Model& model, ops::Element element)
    : DeviceModel(model, element, (check_limits(model), make_plan(model))) {}

DeviceModel::DeviceModel(const Model& model, ops::Element element, Plan made)
    : element(element),
      plan(std::move(made)),
      architecture(model.info().architecture),
      transform(model.info().transform),
      classes(static_cast<int>(model.info().classes.size())),
      convolutions(upload(plan, element)),
      fc6(plan.fc6, architecture.fpn_channels, element, element),
      fc7(plan.fc7, plan.fc7.in_features, element, element),
      predictor(plan.predictor, plan.predictor.in_features, element, ops::Element::f32),
      single(ops::each_alone(classes)),
      summed(ops::with_all_kinds(model.info().parents, classes)),
      device_transform(ops::device_transform(transform)) {
  forget_values(plan);
  for (int level = 0; level < ops::pyramid_levels; ++level)
    cell_anchors[level].upload(plan.cell_anchors[level]);
  if (!sharpens()) return;
  const std::vector<float> weights = ops::gaussian_weights(transform.adjustment.unsharp_sigma);
  gaussian.upload(weights);
  device_transform.gaussian = static_cast<const float*>(gaussian.get());
  device_transform.gaussian_count = static_cast<int>(weights.size());
}

}  // namespace smearscope::network
