// CUDA's runtime on the host.
#include <cuda_runtime.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "emulated_device.h"

using Work = std::function<void()>;
using Clock = std::chrono::steady_clock;

struct CUstream_st {
  bool recording = false;
  std::vector<Work> recorded;
};
struct CUevent_st {
  Clock::time_point time;
};
struct CUgraph_st {
  std::vector<Work> work;
};
struct CUgraphExec_st {
  std::vector<Work> work;
};

namespace smearscope::ops::emulated {

Machine machine;

namespace {

// Of the thread, as with cudaStreamCaptureModeThreadLocal.
thread_local CUstream_st* recording = nullptr;
thread_local int current_device = 0;

std::mutex mutex;  // guards these
std::map<void*, std::size_t> blocks;
std::size_t in_use = 0;
int calls = 0;
std::atomic<int> recordings{0};  // of all threads

using Lock = std::lock_guard<std::mutex>;

// What may not happen while a graph is recorded.
cudaError_t unless_recording() {
  return recording ? cudaErrorStreamCaptureUnsupported : cudaSuccess;
}

}  // namespace

std::size_t allocated_bytes() {
  const Lock lock(mutex);
  return in_use;
}
int allocations() {
  const Lock lock(mutex);
  return calls;
}
bool is_recording() {
  return recording != nullptr;
}

void enqueue(Work work) {
  if (recording)
    recording->recorded.push_back(std::move(work));
  else
    work();
}

}  // namespace smearscope::ops::emulated

using namespace smearscope::ops::emulated;

const char* cudaGetErrorName(cudaError_t) {
  return "an emulated error";
}
const char* cudaGetErrorString(cudaError_t status) {
  return status == cudaErrorStreamCaptureUnsupported ? "not allowed while a graph is recorded"
                                                     : "emulated failure";
}
cudaError_t cudaGetLastError() {
  return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) {
  *version = machine.driver;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceCount(int* count) {
  if (machine.driver < CUDART_VERSION) return cudaErrorInsufficientDriver;
  *count = machine.devices;
  return machine.devices == 0 ? cudaErrorNoDevice : cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (device < 0 || device >= machine.devices) return cudaErrorInvalidDevice;
  *properties = {"Emulated GPU", machine.architecture / 10, machine.architecture % 10};
  return cudaSuccess;
}
cudaError_t cudaGetDevice(int* device) {
  *device = current_device;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
  if (device < 0 || device >= machine.devices) return cudaErrorInvalidDevice;
  current_device = device;
  return cudaSuccess;
}
// Not even for a thread beside the one that records: the device is what records.
cudaError_t cudaDeviceSynchronize() {
  return recordings > 0 ? cudaErrorStreamCaptureUnsupported : cudaSuccess;
}

cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
  if (recording) return cudaErrorStreamCaptureUnsupported;
  const Lock lock(mutex);
  if (bytes > machine.memory || in_use > machine.memory - bytes) return cudaErrorMemoryAllocation;
  *memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  std::memset(*memory, 0xFF, bytes);
  blocks[*memory] = bytes;
  in_use += bytes;
  ++calls;
  return cudaSuccess;
}
cudaError_t cudaFree(void* memory) {
  if (recording) return cudaErrorStreamCaptureUnsupported;
  if (!memory) return cudaSuccess;
  const Lock lock(mutex);
  const auto found = blocks.find(memory);
  if (found == blocks.end()) return cudaErrorInvalidValue;
  in_use -= found->second;
  blocks.erase(found);
  std::free(memory);
  return cudaSuccess;
}
cudaError_t cudaMallocHost(void** memory, std::size_t bytes) {
  if (recording) return cudaErrorStreamCaptureUnsupported;
  *memory = std::malloc(bytes);
  const Lock lock(mutex);
  ++calls;
  return cudaSuccess;
}
cudaError_t cudaFreeHost(void* memory) {
  std::free(memory);
  return unless_recording();
}
cudaError_t cudaMemset(void* memory, int value, std::size_t bytes) {
  std::memset(memory, value, bytes);
  return unless_recording();
}
cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind) {
  std::memcpy(to, from, bytes);
  return unless_recording();
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind, cudaStream_t) {
  enqueue([=] { std::memcpy(to, from, bytes); });
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = new CUstream_st;
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  delete stream;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t) {
  return unless_recording();
}

cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned) {
  return cudaSuccess;  // work is done when it is enqueued
}

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  *event = new CUevent_st;
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t) {
  enqueue([=] { event->time = Clock::now(); });
  return cudaSuccess;
}
cudaError_t cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t stream, unsigned flags) {
  // The flag is for recording alone, and without it the event could not be read afterwards.
  if ((flags == cudaEventRecordExternal) != is_recording()) return cudaErrorInvalidValue;
  return cudaEventRecord(event, stream);
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t first, cudaEvent_t last) {
  *milliseconds = std::chrono::duration<float, std::milli>(last->time - first->time).count();
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  recording = stream;
  ++recordings;
  stream->recorded.clear();
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  recording = nullptr;
  --recordings;
  *graph = new CUgraph_st{std::move(stream->recorded)};
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t* executable, cudaGraph_t graph,
                                          unsigned long long) {
  *executable = new CUgraphExec_st{graph->work};
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  delete executable;
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t) {
  for (const Work& work : executable->work) work();
  return cudaSuccess;
}
