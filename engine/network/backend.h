// What the detector asks of a device.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "ops/transform.h"
#include "smearscope/detector.h"

namespace smearscope {

// A frame that is on its way to the device. It lives until the detection in it has ended.
class FrameUpload {
 public:
  virtual ~FrameUpload() = default;
};

// One frame to detect in, and where its result goes.
struct DetectionJob {
  const Frame* frame = nullptr;
  ops::Size resized;
  Detections* detections = nullptr;
  const FrameUpload* upload = nullptr;  // what Backend::upload gave for the frame; null: detect sees to it
};

// A model on a device, called by one thread at a time, but for `upload`.
class Backend {
 public:
  virtual ~Backend() = default;

  // What it computes in; never `automatic`.
  virtual Precision precision() const = 0;

  // Most jobs that one call of detect takes.
  virtual int max_batch() const = 0;

  // Whether it reads frames from this kind of memory.
  virtual bool accepts(MemoryKind memory) const = 0;

  // Begins to bring the frame's pixels to the device, and returns when the frame itself is no longer needed.
  // May be called by any thread, also while detect runs. Null where detect reads frames where they lie.
  virtual std::unique_ptr<FrameUpload> upload(const Frame&) { return nullptr; }

  // All jobs have the input size `padded`. Adds the time spent to `times`.
  virtual void detect(const std::vector<DetectionJob>& jobs, ops::Size padded, const Thresholds& thresholds,
                      StageTimes& times) = 0;
};

// What a layer has computed, in no particular order. `name` is that of ModelInfo::activation_ranges.
struct LayerActivations {
  std::string_view name;
  const float* values;
  std::size_t count;
  bool non_negative;
};
using Observer = std::function<void(const LayerActivations&)>;

// Throws Error where the build has no CPU engine, or for a precision that the processor lacks instructions
// for (f16 always) or the model ranges; none is thrown for `automatic`. `threads` as in DetectorOptions.
// `observe`, for f32 only, is called for each layer whose range int8 needs, as detect goes.
std::unique_ptr<Backend> make_cpu_backend(const Model& model, Precision precision, int threads,
                                          Observer observe = nullptr);

// Throws Error where check_cuda_device does, or for a precision other than f32 and f16.
std::unique_ptr<Backend> make_cuda_backend(const Model& model, const Device& device, Precision precision);

// Throws Error on options out of range.
void check_options(const DetectorOptions& options);

// Throws Error, one line saying what is missing, unless networks can run on GPU `index`.
void check_cuda_device(int index);

}  // namespace smearscope
