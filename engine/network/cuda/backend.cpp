// The detector on a GPU: the whole way from frames to boxes.
#include <algorithm>
#include <array>
#include <list>
#include <utility>

#include "network/cuda/device.h"
#include "network/cuda/shape.h"
#include "network/cuda/uploads.h"
#include "network/cuda_library.h"

namespace smearscope {
namespace {

using network::CudaShape;
using network::Mark;

constexpr int largest_batch = 8;
constexpr std::size_t most_shapes = 16;

class CudaBackend : public Backend {
 public:
  CudaBackend(const Model& model, int device, ops::Element element)
      : scope_(device), device_(device), model_(model, element), batch_(largest_batch), uploads_(device) {
    scope_.reset();
  }
  ~CudaBackend() override {
    cudaStreamSynchronize(libraries_.stream().get());
    try {
      scope_.emplace(device_);
    } catch (const Error&) {
      // The device is lost: there is nothing left to free.
    }
  }

  Precision precision() const override {
    return model_.element == ops::Element::f32 ? Precision::f32 : Precision::f16;
  }
  int max_batch() const override { return largest_batch; }
  bool accepts(MemoryKind) const override { return true; }

  std::unique_ptr<FrameUpload> upload(const Frame& frame) override {
    if (frame.memory == MemoryKind::cuda) return nullptr;
    return uploads_.begin(frame);
  }

  void detect(const std::vector<DetectionJob>& jobs, ops::Size padded, const Thresholds& thresholds,
              StageTimes& times) override {
    const network::DeviceScope scope(device_);
    std::vector<std::unique_ptr<FrameUpload>> own;  // of frames that nobody has begun to bring
    Uploads uploads{};
    double upload_ms = 0;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      const FrameUpload* begun = jobs[i].upload;
      if (!begun && jobs[i].frame->memory == MemoryKind::host)
        begun = own.emplace_back(upload(*jobs[i].frame)).get();
      uploads[i] = static_cast<const network::CudaUpload*>(begun);
      if (begun) upload_ms += uploads[i]->milliseconds();
    }
    set_inputs(jobs, uploads, thresholds);
    CudaShape& shape = prepared(padded, static_cast<int>(jobs.size()));
    shape.launch();
    libraries_.stream().wait();
    for (std::size_t i = 0; i < jobs.size(); ++i)
      *jobs[i].detections = read(shape, static_cast<int>(i), thresholds.max_detections);

    times.preprocess += upload_ms + shape.milliseconds(Mark::preprocess);
    times.backbone += shape.milliseconds(Mark::backbone);
    times.fpn += shape.milliseconds(Mark::fpn);
    times.rpn += shape.milliseconds(Mark::rpn);
    times.roi_pool += shape.milliseconds(Mark::roi_pool);
    times.box_head += shape.milliseconds(Mark::box_head);
    times.postprocess += shape.milliseconds(Mark::postprocess);
  }

 private:
  using Uploads = std::array<const network::CudaUpload*, largest_batch>;  // null: of a frame on the device

  // The batch's inputs describe all frames, and the device waits for those that are still on their way.
  void set_inputs(const std::vector<DetectionJob>& jobs, const Uploads& uploads,
                  const Thresholds& thresholds) {
    std::size_t scratch_floats = 0;
    if (model_.sharpens())
      for (const DetectionJob& job : jobs)
        scratch_floats += ops::unsharp_scratch_floats(job.frame->width, job.frame->height);
    scratch_.require(scratch_floats * sizeof(float));
    describe(jobs, uploads, thresholds);
  }

  void describe(const std::vector<DetectionJob>& jobs, const Uploads& uploads, const Thresholds& thresholds) {
    auto* scratch = static_cast<float*>(scratch_.get());
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      const Frame& frame = *jobs[i].frame;
      ops::DeviceFrame& device = batch_.host.frames[i];
      device = ops::device_frame(frame, jobs[i].resized);
      const network::CudaUpload* const upload = uploads[i];
      for (int plane = 0; plane < plane_count(frame.format); ++plane) {
        device.planes[plane] = upload ? upload->plane(plane).data : frame.planes[plane].data;
        device.strides[plane] = upload ? upload->plane(plane).stride : frame.planes[plane].stride;
      }
      if (upload) upload->before(libraries_.stream().get());
      if (model_.sharpens()) {
        device.scratch = scratch;
        scratch += ops::unsharp_scratch_floats(frame.width, frame.height);
      }
      batch_.host.resized[i] = jobs[i].resized;
      batch_.host.selections[i] = {jobs[i].resized,
                                   {frame.width, frame.height},
                                   ops::round_down(thresholds.score),
                                   ops::round_down(thresholds.nms),
                                   thresholds.max_detections,
                                   thresholds.sum_kinds ? model_.summed.view() : model_.single.view()};
    }
  }

  // The graph for this size, made on first use; the sizes used last are kept.
  CudaShape& prepared(ops::Size padded, int images) {
    auto found = std::find_if(shapes_.begin(), shapes_.end(), [&](const CudaShape& shape) {
      return shape.padded() == padded && shape.images() == images;
    });
    if (found == shapes_.end()) {
      if (shapes_.size() == most_shapes) shapes_.pop_back();
      shapes_.emplace_front(model_, padded, images, libraries_, batch_, network::Choices::shared());
      found = shapes_.begin();
    }
    shapes_.splice(shapes_.begin(), shapes_, found);
    arena_.require(shapes_.front().bytes());
    shapes_.front().prepare(arena_.get());
    return shapes_.front();
  }

  Detections read(const CudaShape& shape, int image, int max_detections) const {
    const ops::DeviceDetections& result = batch_.results[image];
    const int wanted = std::min(result.count, max_detections);
    if (wanted <= ops::most_detections) return {result.best, result.best + wanted};
    const int each = model_.architecture.rpn_post_nms_top_n;
    const std::size_t first = std::size_t{1} * image * model_.classes * each;
    std::vector<unsigned long long> keys(result.count);
    std::vector<Box> boxes(result.count);
    network::check(cudaMemcpy(keys.data(), shape.postprocess_scratch().kept_keys + first,
                              keys.size() * sizeof(keys[0]), cudaMemcpyDeviceToHost),
                   "downloading detections");
    network::check(cudaMemcpy(boxes.data(), shape.postprocess_scratch().kept_boxes + first,
                              boxes.size() * sizeof(boxes[0]), cudaMemcpyDeviceToHost),
                   "downloading detections");
    return ops::sort_detections(keys, boxes, each, max_detections);
  }

  std::optional<network::DeviceScope>
      scope_;  // first: the members below are made and freed on their own device
  const int device_;
  network::CudaLibraries libraries_;
  const network::DeviceModel model_;
  network::BatchMemory batch_;
  network::UploadSlots uploads_;
  network::DeviceMemory scratch_;  // of the unsharp mask
  network::DeviceMemory arena_;    // activations of all shapes
  std::list<CudaShape> shapes_;    // used last first
};

std::unique_ptr<Backend> make_backend(const Model& model, const Device& device, Precision precision) {
  if (precision != Precision::f32 && precision != Precision::f16)
    throw Error(std::string("precision ") + name_of(precision) + " asked for, but device " +
                device.to_string() + " computes in f32 or f16");
  const ops::Element element = precision == Precision::f32 ? ops::Element::f32 : ops::Element::f16;
  return std::make_unique<CudaBackend>(model, device.index, element);
}

}  // namespace
}  // namespace smearscope

extern "C" const smearscope::CudaLibrary smearscope_cuda_library{
    SMEARSCOPE_VERSION, smearscope::network::check_device, smearscope::make_backend};
