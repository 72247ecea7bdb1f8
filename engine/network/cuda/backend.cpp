// The detector on a GPU: the whole way from frames to boxes.
#include <algorithm>
#include <chrono>
#include <cstring>
#include <list>
#include <utility>

#include "network/cuda/device.h"
#include "network/cuda/shape.h"
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
      : scope_(device), device_(device), model_(model, element), batch_(largest_batch) {
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

  int max_batch() const override { return largest_batch; }
  bool accepts(MemoryKind) const override { return true; }

  void detect(const std::vector<DetectionJob>& jobs, ops::Size padded, const Thresholds& thresholds,
              StageTimes& times) override {
    const network::DeviceScope scope(device_);
    const auto start = std::chrono::steady_clock::now();
    set_inputs(jobs, thresholds);
    CudaShape& shape = prepared(padded, static_cast<int>(jobs.size()));
    const std::chrono::duration<double, std::milli> upload = std::chrono::steady_clock::now() - start;
    shape.launch();
    libraries_.stream().wait();
    for (std::size_t i = 0; i < jobs.size(); ++i)
      *jobs[i].detections = read(shape, static_cast<int>(i), thresholds.max_detections);

    times.preprocess += upload.count() + shape.milliseconds(Mark::preprocess);
    times.backbone += shape.milliseconds(Mark::backbone);
    times.fpn += shape.milliseconds(Mark::fpn);
    times.rpn += shape.milliseconds(Mark::rpn);
    times.roi_pool += shape.milliseconds(Mark::roi_pool);
    times.box_head += shape.milliseconds(Mark::box_head);
    times.postprocess += shape.milliseconds(Mark::postprocess);
  }

 private:
  // Where one plane of a host frame goes: to this offset of the staging memory, rows without gaps.
  struct Upload {
    const std::uint8_t* data;
    std::ptrdiff_t stride, row_bytes;
    int rows;
    std::size_t offset;
    std::size_t bytes() const { return static_cast<std::size_t>(row_bytes) * rows; }
  };

  // Frames in host memory are copied to the device, and the batch's inputs describe them all.
  void set_inputs(const std::vector<DetectionJob>& jobs, const Thresholds& thresholds) {
    std::vector<Upload>& uploads = uploads_;
    uploads.clear();
    std::size_t bytes = 0, scratch_floats = 0;
    for (const DetectionJob& job : jobs) {
      const Frame& frame = *job.frame;
      if (model_.sharpens()) scratch_floats += ops::unsharp_scratch_floats(frame.width, frame.height);
      if (frame.memory == MemoryKind::cuda) continue;
      for (int plane = 0; plane < plane_count(frame.format); ++plane) {
        const Plane& source = frame.planes[plane];
        uploads.push_back({source.data, source.stride, ops::row_bytes(frame.format, plane, frame.width),
                           plane == 0 ? frame.height : (frame.height + 1) / 2, bytes});
        bytes += (uploads.back().bytes() + 255) / 256 * 256;
      }
    }
    staging_.require(bytes);
    pixels_.require(bytes);
    scratch_.require(scratch_floats * sizeof(float));
    describe(jobs, thresholds);
    copy_pixels();
  }

  void describe(const std::vector<DetectionJob>& jobs, const Thresholds& thresholds) {
    auto* scratch = static_cast<float*>(scratch_.get());
    auto upload = uploads_.begin();
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      const Frame& frame = *jobs[i].frame;
      ops::DeviceFrame& device = batch_.host.frames[i];
      device = ops::device_frame(frame, jobs[i].resized);
      for (int plane = 0; plane < plane_count(frame.format); ++plane) {
        const bool is_host = frame.memory == MemoryKind::host;
        device.planes[plane] = is_host ? static_cast<const std::uint8_t*>(pixels_.get()) + upload->offset
                                       : frame.planes[plane].data;
        device.strides[plane] = is_host ? upload->row_bytes : frame.planes[plane].stride;
        if (is_host) ++upload;
      }
      if (model_.sharpens()) {
        device.scratch = scratch;
        scratch += ops::unsharp_scratch_floats(frame.width, frame.height);
      }
      batch_.host.resized[i] = jobs[i].resized;
      batch_.host.selections[i] = {jobs[i].resized,
                                   {frame.width, frame.height},
                                   ops::round_down(thresholds.score),
                                   ops::round_down(thresholds.nms),
                                   thresholds.max_detections};
    }
  }

  // The device takes each plane while the next one is copied to pinned memory.
  void copy_pixels() {
    for (const Upload& upload : uploads_) {
      char* const staged = static_cast<char*>(staging_.get()) + upload.offset;
      if (upload.stride == upload.row_bytes)
        std::memcpy(staged, upload.data, upload.bytes());
      else
        for (int row = 0; row < upload.rows; ++row)
          std::memcpy(staged + row * upload.row_bytes, upload.data + row * upload.stride,
                      static_cast<std::size_t>(upload.row_bytes));
      network::check(cudaMemcpyAsync(static_cast<char*>(pixels_.get()) + upload.offset, staged,
                                     upload.bytes(), cudaMemcpyHostToDevice, libraries_.stream().get()),
                     "uploading a frame");
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
  network::PinnedMemory staging_;  // frames on their way
  network::DeviceMemory pixels_;   // frames that came from the host
  network::DeviceMemory scratch_;  // of the unsharp mask
  network::DeviceMemory arena_;    // activations of all shapes
  std::vector<Upload> uploads_;    // of the batch under way
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
