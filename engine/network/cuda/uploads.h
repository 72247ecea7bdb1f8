// Frames on their way from host memory to the device, while the device computes.
#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <vector>

#include "network/backend.h"
#include "network/cuda/memory.h"

namespace smearscope::network {

class UploadSlots;

// One frame's planes, copied row after row without gaps into pinned memory by the calling thread, and from
// there by the device.
class CudaUpload : public FrameUpload {
 public:
  // Where one plane lies on the device: rows of `stride` bytes.
  struct DevicePlane {
    const std::uint8_t* data;
    std::ptrdiff_t stride;
  };

  ~CudaUpload() override;  // waits for the copies
  CudaUpload(const CudaUpload&) = delete;
  CudaUpload& operator=(const CudaUpload&) = delete;

  DevicePlane plane(int index) const;
  // What is enqueued on `stream` from now on starts when the pixels are there.
  void before(cudaStream_t stream) const;
  double milliseconds() const { return milliseconds_; }  // that the calling thread copied

 private:
  friend class UploadSlots;
  // Memory for one frame, used again by later ones.
  struct Slot {
    PinnedMemory staging;
    DeviceMemory pixels;
    Stream stream;
    Event done;
  };
  struct Plane {
    std::size_t offset;
    std::ptrdiff_t row_bytes;
    int rows;
  };

  CudaUpload(UploadSlots& slots, std::unique_ptr<Slot> slot) : slots_(slots), slot_(std::move(slot)) {}
  void copy(const Frame& frame, int plane);

  UploadSlots& slots_;
  std::unique_ptr<Slot> slot_;
  std::array<Plane, 3> planes_{};
  double milliseconds_ = 0;
};

// Of one device. May be used by several threads at once; must live longer than its uploads.
class UploadSlots {
 public:
  explicit UploadSlots(int device) : device_(device) {}

  // Begins to copy `frame`, of host memory. Throws Error or std::bad_alloc.
  std::unique_ptr<CudaUpload> begin(const Frame& frame);

 private:
  friend class CudaUpload;
  std::unique_ptr<CudaUpload::Slot> take();
  void give_back(std::unique_ptr<CudaUpload::Slot> slot);

  const int device_;
  std::mutex mutex_;  // guards free_
  std::vector<std::unique_ptr<CudaUpload::Slot>> free_;
};

}  // namespace smearscope::network
