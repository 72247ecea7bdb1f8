// The CUDA engine as test bodies use it: on a GPU through Detector, on the emulator through its backend
// alone.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "smearscope/detector.h"

#if defined(SMEARSCOPE_EMULATED_KERNELS)
#include "network/cuda_library.h"
extern "C" const smearscope::CudaLibrary smearscope_cuda_library;
#endif

namespace smearscope::testing {

class GpuDetector {
 public:
#if defined(SMEARSCOPE_EMULATED_KERNELS)
  GpuDetector(std::shared_ptr<const Model> model, Precision precision, int device = 0)
      : model_(std::move(model)),
        backend_((smearscope_cuda_library.check_device(device),
                  smearscope_cuda_library.make_backend(*model_, Device::cuda(device), precision))) {}

  // As Detector does, but all frames have one padded input size and are one batch.
  std::vector<Detections> detect(const std::vector<Frame>& frames, const Thresholds& thresholds) {
    std::vector<Detections> found(frames.size());
    std::vector<DetectionJob> jobs;
    std::vector<std::unique_ptr<FrameUpload>> uploads;
    for (std::size_t i = 0; i < frames.size(); ++i) {
      uploads.push_back(backend_->upload(frames[i]));
      jobs.push_back({&frames[i],
                      ops::resized_size({frames[i].width, frames[i].height}, model_->info().transform),
                      &found[i], uploads.back().get()});
    }
    const std::lock_guard<std::mutex> lock(one_at_a_time_);
    times_ = {};
    backend_->detect(jobs, ops::padded_size(jobs.at(0).resized), thresholds, times_);
    return found;
  }
  StageTimes last_times() const {
    return times_;
  }

 private:
  std::shared_ptr<const Model> model_;
  std::unique_ptr<Backend> backend_;
  std::mutex one_at_a_time_;
  StageTimes times_;
#else
  GpuDetector(std::shared_ptr<const Model> model, Precision precision, int device = 0)
      : detector_(std::move(model), {Device::cuda(device), precision, 0}) {}

  std::vector<Detections> detect(const std::vector<Frame>& frames, const Thresholds& thresholds) {
    return detector_.detect(frames, thresholds);
  }
  StageTimes last_times() const {
    return detector_.last_times();
  }

 private:
  Detector detector_;
#endif
};

}  // namespace smearscope::testing
