#include "network/onednn_network.h"

#include <algorithm>
#include <utility>

namespace smearscope::network {
namespace {

constexpr std::size_t most_shapes = 16;  // a compiled shape is some hundred small objects

}  // namespace

OneDnnNetwork::OneDnnNetwork(Plan plan, Precision precision, Observer observe)
    : plan_(std::move(plan)),
      precision_(precision),
      observe_(std::move(observe)),
      weights_(plan_.convolutions, precision, engine_),
      fc6_(plan_.fc6, precision, engine_),
      fc7_(plan_.fc7, precision, engine_),
      predictor_(plan_.predictor, precision, engine_) {}

const CompiledShape& OneDnnNetwork::compiled(ops::Size padded) {
  const auto known = std::find_if(shapes_.begin(), shapes_.end(),
                                  [&](const CompiledShape& shape) { return shape.size() == padded; });
  if (known != shapes_.end()) {
    shapes_.splice(shapes_.begin(), shapes_, known);
    return shapes_.front();
  }
  CompiledShape shape(plan_, padded, precision_, layout_, weights_, stream_);
  if (shape.bytes() > arena_.bytes()) shapes_.clear();  // they are bound to the memory that is replaced now
  shape.bind(arena_.require(shape.bytes()));
  if (shapes_.size() == most_shapes) shapes_.pop_back();
  shapes_.push_front(std::move(shape));
  return shapes_.front();
}

void OneDnnNetwork::run(const CompiledShape& shape, Stage stage) {
  if (!observe_) return shape.run(stage, stream_);
  shape.run(stage, stream_, [&](int index, const dnnl::memory& memory) {
    const Convolution& convolution = plan_.convolutions[index];
    observe_({convolution.name, static_cast<const float*>(memory.get_data_handle()),
              memory.get_desc().get_size() / sizeof(float), convolution.relu});
  });
}

const float* OneDnnNetwork::box_head(const float* rois, int count) {
  const auto observe = [&](const char* name, const float* values, int features, bool positive) {
    if (observe_) observe_({name, values, static_cast<std::size_t>(count) * features, positive});
  };
  observe(roi_pool_name, rois, plan_.fc6.in_features, false);
  const float* hidden = fc6_.run(rois, count, stream_);
  observe(fc6_name, hidden, plan_.fc7.in_features, false);
  hidden = fc7_.run(hidden, count, stream_);
  return predictor_.run(hidden, count, stream_);
}

}  // namespace smearscope::network
