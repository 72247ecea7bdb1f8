// A model for one padded input size and number of images: everything from frames on the device to detections
// in pinned host memory, as one CUDA graph.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "network/cuda/device_model.h"
#include "network/memory_layout.h"
#include "ops/pooling.h"
#include "ops/postprocess.h"
#include "ops/proposals.h"
#include "ops/roi_align.h"

namespace smearscope::network {

// What the host writes for each batch. Taken twice: from pinned and from device memory.
struct BatchInputs {
  ops::DeviceFrame* frames = nullptr;
  ops::Size* resized = nullptr;
  ops::DeviceSelection* selections = nullptr;

  static BatchInputs take(ops::DeviceBlock& block, int images);
};

// Memory that all shapes share and whose addresses never change.
struct BatchMemory {
  explicit BatchMemory(int most_images);

  std::size_t input_bytes = 0;
  PinnedMemory host_inputs, host_results;
  DeviceMemory device_inputs, device_results;
  BatchInputs host, device;
  ops::DeviceDetections *results = nullptr, *device_detections = nullptr;  // one per image
};

// Ends of the stages of StageTimes, after the beginning.
enum class Mark { begin, preprocess, backbone, fpn, rpn, roi_pool, box_head, postprocess };
inline constexpr int marks = 8;

class CudaShape {
 public:
  // Refers to all of these. Nothing is allocated on the device yet.
  CudaShape(const DeviceModel& model, ops::Size padded, int images, CudaLibraries& libraries,
            BatchMemory& batch, Choices& choices);

  // Bytes of device memory that prepare needs for all that is alive during a run.
  std::size_t bytes() const { return bytes_; }

  // With other memory than before: chooses algorithms (the first time), runs once and records the graph. The
  // batch's inputs must be set. What was in `arena` is lost; it may be shared with shapes that don't run
  // meanwhile.
  void prepare(void* arena);

  // Starts the graph on the libraries' stream.
  void launch() const { graph_->launch(libraries_.stream().get()); }

  ops::Size padded() const { return padded_; }
  int images() const { return images_; }

  // After the run has ended: milliseconds from the mark before to `mark`.
  double milliseconds(Mark mark) const;

  // All that NMS kept of an image in the last run: ops::DevicePostprocessScratch of this shape.
  const ops::DevicePostprocessScratch& postprocess_scratch() const { return postprocess_; }

 private:
  // Places in the arena, by index into lifetimes_.
  struct Slots {
    int proposal_scratch = 0, proposals = 0, counts = 0, rois = 0, fc6 = 0, fc7 = 0, outputs = 0,
        postprocess = 0, workspace = 0;
  };

  void plan_memory();
  void plan_box_head();
  int add_slot(std::size_t bytes, int first, int last);
  void* at(int slot) const { return static_cast<char*>(arena_) + lifetimes_[slot].offset; }
  void make_convolutions();
  ConvolutionBuffers buffers_of(const Step& step) const;
  void place_outputs();
  void record(bool captured);
  void record_mark(Mark mark, bool captured);
  void record_stage(Stage stage);
  void record_step(const Step& step, std::size_t index);
  void record_box_head();

  const DeviceModel& model_;
  const ops::Size padded_;
  const int images_;
  CudaLibraries& libraries_;
  BatchMemory& batch_;
  Choices& choices_;
  std::vector<ops::Size> sizes_;     // per value
  std::vector<Lifetime> lifetimes_;  // one per value, then those of Slots
  Slots slots_;
  std::size_t bytes_ = 0;
  void* arena_ = nullptr;
  std::vector<std::unique_ptr<CudaConvolution>> convolutions_;  // per step; null for other steps
  std::unique_ptr<Gemm> fc6_, fc7_, predictor_;
  ops::DeviceRpn rpn_;
  ops::DevicePyramid pyramid_;
  ops::DeviceProposalScratch proposal_scratch_;
  ops::DevicePostprocessScratch postprocess_;
  std::array<Event, marks> events_;
  std::unique_ptr<Graph> graph_;
};

}  // namespace smearscope::network
