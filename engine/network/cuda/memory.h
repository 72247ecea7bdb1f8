// Owners of what CUDA gives out. All belong to the device that is current when they are made.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <mutex>
#include <utility>
#include <vector>

#include "network/cuda/check.h"

namespace smearscope::network {

// Held while a graph is recorded, and by whoever waits for the whole device: the one forbids the other, also
// to other threads and detectors (CUDA Programming Guide, "Prohibited and Unhandled Operations").
inline std::mutex recording;

class DeviceMemory {
 public:
  DeviceMemory() = default;
  ~DeviceMemory() { cudaFree(data_); }
  DeviceMemory(DeviceMemory&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  DeviceMemory& operator=(DeviceMemory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }

  // At least `bytes`, aligned to 256, set to 0 when it grows: what it held is lost then. Waits for the device
  // if it grows. Returns whether it did.
  bool require(std::size_t bytes) {
    if (bytes <= bytes_) return false;
    const std::lock_guard<std::mutex> lock(recording);
    check(cudaDeviceSynchronize(), "waiting for the GPU");
    cudaFree(std::exchange(data_, nullptr));
    bytes_ = 0;
    check(cudaMalloc(&data_, bytes), "allocating memory");
    bytes_ = bytes;
    check(cudaMemset(data_, 0, bytes), "clearing memory");
    check(cudaDeviceSynchronize(), "clearing memory");
    return true;
  }

  template <typename T>
  void upload(const std::vector<T>& values) {
    require(values.size() * sizeof(T));
    check(cudaMemcpy(data_, values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice),
          "uploading weights");
  }

  void* get() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

// Host memory that the device copies from and to while the host goes on.
class PinnedMemory {
 public:
  PinnedMemory() = default;
  ~PinnedMemory() { cudaFreeHost(data_); }
  PinnedMemory(const PinnedMemory&) = delete;
  PinnedMemory& operator=(const PinnedMemory&) = delete;

  // As DeviceMemory::require, but not cleared. No copy from or to it may be under way.
  void require(std::size_t bytes) {
    if (bytes <= bytes_) return;
    cudaFreeHost(std::exchange(data_, nullptr));
    bytes_ = 0;
    check(cudaMallocHost(&data_, bytes), "allocating pinned memory");
    bytes_ = bytes;
  }

  void* get() const { return data_; }

 private:
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

class Stream {
 public:
  Stream() { check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "making a stream"); }
  ~Stream() { cudaStreamDestroy(stream_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  cudaStream_t get() const { return stream_; }
  void wait() const { check(cudaStreamSynchronize(stream_), "computing"); }

 private:
  cudaStream_t stream_ = nullptr;
};

class Event {
 public:
  Event() { check(cudaEventCreate(&event_), "making an event"); }
  ~Event() { cudaEventDestroy(event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  cudaEvent_t get() const { return event_; }

 private:
  cudaEvent_t event_ = nullptr;
};

inline float milliseconds_between(const Event& first, const Event& last) {
  float milliseconds = 0;
  check(cudaEventElapsedTime(&milliseconds, first.get(), last.get()), "reading a time");
  return milliseconds;
}

// What `record(stream)` enqueues, once recorded and then started as a whole.
class Graph {
 public:
  template <typename Record>
  Graph(cudaStream_t stream, Record record) {
    const std::lock_guard<std::mutex> lock(recording);
    check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "starting a graph");
    cudaGraph_t graph = nullptr;
    try {
      record();
    } catch (...) {
      cudaStreamEndCapture(stream, &graph);
      if (graph) cudaGraphDestroy(graph);
      cudaGetLastError();
      throw;
    }
    check(cudaStreamEndCapture(stream, &graph), "ending a graph");
    const cudaError_t status = cudaGraphInstantiateWithFlags(&executable_, graph, 0);
    cudaGraphDestroy(graph);
    check(status, "compiling a graph");
  }
  ~Graph() { cudaGraphExecDestroy(executable_); }
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  void launch(cudaStream_t stream) const { check(cudaGraphLaunch(executable_, stream), "starting a graph"); }

 private:
  cudaGraphExec_t executable_ = nullptr;
};

}  // namespace smearscope::network
