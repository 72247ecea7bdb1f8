#include "smearscope/calibration.h"

#include <new>
#include <utility>

#include "network/backend.h"
#include "network/magnitude_histogram.h"
#include "network/plan.h"
#include "ops/preprocess.h"

namespace smearscope {

struct Calibrator::State {
  struct Layer {
    network::MagnitudeHistogram histogram;
    int steps = 0;
  };

  std::shared_ptr<const Model> model;
  std::map<std::string, Layer> layers;
  std::unique_ptr<Backend> backend;
};

Calibrator::Calibrator(std::shared_ptr<const Model> model, int threads) : state_(std::make_unique<State>()) {
  if (!model) throw Error("no model given to the calibrator; load one with Model::load");
  check_options({Device::cpu(), Precision::f32, threads});
  state_->model = std::move(model);
  const auto observe = [state = state_.get()](const LayerActivations& layer) {
    State::Layer& seen = state->layers[std::string(layer.name)];
    seen.steps = layer.non_negative ? 255 : 127;
    seen.histogram.add(layer.values, layer.count);
  };
  try {
    state_->backend = make_cpu_backend(*state_->model, Precision::f32, threads, observe);
  } catch (const std::bad_alloc&) {
    throw Error(state_->model->path() + ": not enough memory for its network");
  }
}

Calibrator::~Calibrator() = default;

void Calibrator::observe(const Frame& frame) {
  ops::check_frame(frame);
  if (!state_->backend->accepts(frame.memory))
    throw Error("the frame lies in memory that device cpu can't read; download it first");
  const ModelInfo& info = state_->model->info();
  Detections found;
  StageTimes times;
  const ops::Size resized = ops::resized_size({frame.width, frame.height}, info.transform);
  try {
    state_->backend->detect({{&frame, resized, &found, nullptr}}, ops::padded_size(resized), info.thresholds,
                            times);
  } catch (const std::bad_alloc&) {
    throw Error("not enough memory to detect in these frames; use smaller ones");
  }
}

std::map<std::string, double> Calibrator::ranges() const {
  std::map<std::string, double> ranges;
  for (const auto& [name, layer] : state_->layers) {
    if (layer.histogram.empty())
      throw Error(state_->model->path() + ": all activations of " + name + " were 0, so they have no range");
    ranges[name] = layer.histogram.best_range(layer.steps);
  }
  if (ranges.count(network::roi_pool_name) == 0)
    throw Error(state_->model->path() +
                ": no image was looked at, or nothing proposed in any, so activations have no range");
  return ranges;
}

}  // namespace smearscope
