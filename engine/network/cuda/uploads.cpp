#include "network/cuda/uploads.h"

#include <chrono>
#include <cstring>
#include <new>
#include <utility>

#include "network/cuda/device.h"
#include "ops/preprocess.h"

namespace smearscope::network {
namespace {

constexpr std::size_t alignment = 256;  // of a plane's first byte

}  // namespace

CudaUpload::~CudaUpload() {
  if (!slot_) return;
  cudaStreamSynchronize(slot_->stream.get());  // a lost device has nothing under way
  slots_.give_back(std::move(slot_));
}

CudaUpload::DevicePlane CudaUpload::plane(int index) const {
  const Plane& plane = planes_.at(static_cast<std::size_t>(index));
  return {static_cast<const std::uint8_t*>(slot_->pixels.get()) + plane.offset, plane.row_bytes};
}

void CudaUpload::before(cudaStream_t stream) const {
  check(cudaStreamWaitEvent(stream, slot_->done.get(), 0), "waiting for a frame");
}

// The device takes each plane while the next one is copied to pinned memory.
void CudaUpload::copy(const Frame& frame, int index) {
  const Plane& plane = planes_[static_cast<std::size_t>(index)];
  const smearscope::Plane& source = frame.planes[index];
  const auto row_bytes = static_cast<std::size_t>(plane.row_bytes);
  char* const staged = static_cast<char*>(slot_->staging.get()) + plane.offset;
  if (source.stride == plane.row_bytes)
    std::memcpy(staged, source.data, row_bytes * plane.rows);
  else
    for (int row = 0; row < plane.rows; ++row)
      std::memcpy(staged + row * row_bytes, source.data + row * source.stride, row_bytes);
  check(cudaMemcpyAsync(static_cast<char*>(slot_->pixels.get()) + plane.offset, staged,
                        row_bytes * plane.rows, cudaMemcpyHostToDevice, slot_->stream.get()),
        "uploading a frame");
}

std::unique_ptr<CudaUpload> UploadSlots::begin(const Frame& frame) {
  const DeviceScope scope(device_);
  const auto start = std::chrono::steady_clock::now();
  std::unique_ptr<CudaUpload> upload(new CudaUpload(*this, take()));
  std::size_t bytes = 0;
  for (int plane = 0; plane < plane_count(frame.format); ++plane) {
    const std::ptrdiff_t row_bytes = ops::row_bytes(frame.format, plane, frame.width);
    const int rows = plane == 0 ? frame.height : (frame.height + 1) / 2;
    upload->planes_.at(plane) = {bytes, row_bytes, rows};
    bytes += (static_cast<std::size_t>(row_bytes) * rows + alignment - 1) / alignment * alignment;
  }
  CudaUpload::Slot& slot = *upload->slot_;
  slot.staging.require(bytes);
  slot.pixels.require(bytes);
  for (int plane = 0; plane < plane_count(frame.format); ++plane) upload->copy(frame, plane);
  check(cudaEventRecord(slot.done.get(), slot.stream.get()), "marking a frame");
  const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - start;
  upload->milliseconds_ = taken.count();
  return upload;
}

std::unique_ptr<CudaUpload::Slot> UploadSlots::take() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!free_.empty()) {
      auto slot = std::move(free_.back());
      free_.pop_back();
      return slot;
    }
  }
  return std::make_unique<CudaUpload::Slot>();
}

void UploadSlots::give_back(std::unique_ptr<CudaUpload::Slot> slot) {
  const std::lock_guard<std::mutex> lock(mutex_);
  try {
    free_.push_back(std::move(slot));
  } catch (const std::bad_alloc&) {
    // Then the next frame makes its own.
  }
}

}  // namespace smearscope::network
