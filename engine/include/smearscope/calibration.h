// What a model needs to run in int8: how large the activations of each layer get.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "smearscope/frame.h"
#include "smearscope/model.h"

namespace smearscope {

// Runs a model in f32 on the CPU over frames of the kind that it is meant for, and keeps a histogram of each
// layer's activations. For one thread.
class Calibrator {
 public:
  // `threads` as in DetectorOptions. Throws Error where a Detector on the CPU would.
  explicit Calibrator(std::shared_ptr<const Model> model, int threads = 0);
  ~Calibrator();
  Calibrator(const Calibrator&) = delete;
  Calibrator& operator=(const Calibrator&) = delete;

  // Throws Error as Detector::detect does.
  void observe(const Frame& frame);

  // For ModelInfo::activation_ranges: of each layer the range at which storing its activations so far as int8
  // gives the least mean squared error, between rounding (step^2 / 12, as of evenly spread errors) and
  // cutting off what is beyond. Throws Error if a layer has had no activation but 0: no frame was observed,
  // or nothing was proposed in any.
  std::map<std::string, double> ranges() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace smearscope
