// What the detector asks of a device.
#pragma once

#include <memory>
#include <vector>

#include "ops/transform.h"
#include "smearscope/detector.h"

namespace smearscope {

// One frame to detect in, and where its result goes.
struct DetectionJob {
  const Frame* frame = nullptr;
  ops::Size resized;
  Detections* detections = nullptr;
};

// A model on a device, called by one thread at a time.
class Backend {
 public:
  virtual ~Backend() = default;

  // Most jobs that one call of detect takes.
  virtual int max_batch() const = 0;

  // Whether it reads frames from this kind of memory.
  virtual bool accepts(MemoryKind memory) const = 0;

  // All jobs have the input size `padded`. Adds the time spent to `times`.
  virtual void detect(const std::vector<DetectionJob>& jobs, ops::Size padded, const Thresholds& thresholds,
                      StageTimes& times) = 0;
};

// Throws Error where the build has no CPU engine, or for a precision other than f32. `threads` as in
// DetectorOptions.
std::unique_ptr<Backend> make_cpu_backend(const Model& model, Precision precision, int threads);

// Throws Error where check_cuda_device does, or for a precision other than f32 and f16.
std::unique_ptr<Backend> make_cuda_backend(const Model& model, const Device& device, Precision precision);

// Throws Error, one line saying what is missing, unless networks can run on GPU `index`.
void check_cuda_device(int index);

}  // namespace smearscope
