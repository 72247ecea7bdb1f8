// CUDA's driver without a GPU, as far as GStreamer's CUDA library and celldetect use it: one device, whose
// memory is the host's, and contexts that know which memory is theirs. Built as libcuda.so.1 for tests that
// look for it.
#include <cuda.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <vector>

struct CUctx_st {};

namespace {

struct Allocation {
  CUcontext context;
  std::size_t bytes;
};

std::mutex mutex;
std::map<CUdeviceptr, Allocation> allocations;
thread_local std::vector<CUcontext> current;

CUcontext primary() {
  static CUctx_st context;
  return &context;
}

// Whether these bytes are memory of that context.
bool owns(CUcontext context, CUdeviceptr start, std::size_t bytes) {
  const std::lock_guard<std::mutex> lock(mutex);
  auto after = allocations.upper_bound(start);
  if (after == allocations.begin()) return false;
  const auto& [first, allocation] = *--after;
  return allocation.context == context && start + bytes <= first + allocation.bytes;
}

CUresult allocate(CUdeviceptr* pointer, std::size_t bytes) {
  if (current.empty()) return CUDA_ERROR_INVALID_CONTEXT;
  void* memory = std::malloc(bytes);
  std::memset(memory, 0xA5, bytes);
  *pointer = reinterpret_cast<CUdeviceptr>(memory);
  const std::lock_guard<std::mutex> lock(mutex);
  allocations[*pointer] = {current.back(), bytes};
  return CUDA_SUCCESS;
}

}  // namespace

extern "C" {

unsigned emulated_copies_between_contexts = 0;

CUresult cuInit(unsigned) {
  return CUDA_SUCCESS;
}
CUresult cuDriverGetVersion(int* version) {
  return *version = CUDA_VERSION, CUDA_SUCCESS;
}
CUresult cuGetErrorName(CUresult, const char** name) {
  return *name = "CUDA_ERROR", CUDA_SUCCESS;
}
CUresult cuGetErrorString(CUresult, const char** text) {
  return *text = "emulated error", CUDA_SUCCESS;
}

CUresult cuDeviceGetCount(int* count) {
  return *count = 1, CUDA_SUCCESS;
}
CUresult cuDeviceGet(CUdevice* device, int index) {
  *device = index;
  return index == 0 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}
CUresult cuDeviceGetName(char* name, int size, CUdevice) {
  return std::strncpy(name, "emulated", static_cast<std::size_t>(size)), CUDA_SUCCESS;
}
CUresult cuDeviceGetAttribute(int* value, CUdevice_attribute, CUdevice) {
  return *value = 8, CUDA_SUCCESS;
}
CUresult cuDeviceCanAccessPeer(int* can, CUdevice, CUdevice) {
  return *can = 0, CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice) {
  return *context = primary(), CUDA_SUCCESS;
}
// GStreamer's version of it, which the newest cuda.h declares no more.
CUresult cuCtxCreate_v2(CUcontext* context, unsigned, CUdevice) {
  *context = new CUctx_st;
  current.push_back(*context);
  return CUDA_SUCCESS;
}
CUresult cuCtxDestroy(CUcontext context) {
  return delete context, CUDA_SUCCESS;
}
CUresult cuCtxPushCurrent(CUcontext context) {
  return current.push_back(context), CUDA_SUCCESS;
}
CUresult cuCtxPopCurrent(CUcontext* context) {
  if (current.empty()) return CUDA_ERROR_INVALID_CONTEXT;
  if (context) *context = current.back();
  return current.pop_back(), CUDA_SUCCESS;
}

CUresult cuMemAlloc(CUdeviceptr* pointer, std::size_t bytes) {
  return allocate(pointer, bytes);
}
CUresult cuMemAllocPitch(CUdeviceptr* pointer, std::size_t* pitch, std::size_t width, std::size_t height,
                         unsigned) {
  *pitch = (width + 511) / 512 * 512;
  return allocate(pointer, *pitch * height);
}
CUresult cuMemFree(CUdeviceptr pointer) {
  const std::lock_guard<std::mutex> lock(mutex);
  if (allocations.erase(pointer) == 0) return CUDA_ERROR_INVALID_VALUE;
  return std::free(reinterpret_cast<void*>(pointer)), CUDA_SUCCESS;
}
CUresult cuMemAllocHost(void** pointer, std::size_t bytes) {
  return *pointer = std::malloc(bytes), CUDA_SUCCESS;
}
CUresult cuMemFreeHost(void* pointer) {
  return std::free(pointer), CUDA_SUCCESS;
}

CUresult cuMemcpyPeer(CUdeviceptr to, CUcontext to_context, CUdeviceptr from, CUcontext from_context,
                      std::size_t bytes) {
  if (!owns(to_context, to, bytes) || !owns(from_context, from, bytes)) return CUDA_ERROR_INVALID_VALUE;
  ++emulated_copies_between_contexts;
  return std::memcpy(reinterpret_cast<void*>(to), reinterpret_cast<void*>(from), bytes), CUDA_SUCCESS;
}
CUresult cuMemcpy2D(const CUDA_MEMCPY2D* copy) {
  const bool from_host = copy->srcMemoryType == CU_MEMORYTYPE_HOST,
             to_host = copy->dstMemoryType == CU_MEMORYTYPE_HOST;
  const auto* from =
      from_host ? static_cast<const char*>(copy->srcHost) : reinterpret_cast<const char*>(copy->srcDevice);
  auto* to = to_host ? static_cast<char*>(copy->dstHost) : reinterpret_cast<char*>(copy->dstDevice);
  for (std::size_t row = 0; row < copy->Height; ++row)
    std::memcpy(to + row * copy->dstPitch, from + row * copy->srcPitch, copy->WidthInBytes);
  return CUDA_SUCCESS;
}
CUresult cuMemcpy2DAsync(const CUDA_MEMCPY2D* copy, CUstream) {
  return cuMemcpy2D(copy);
}

CUresult cuStreamCreate(CUstream* stream, unsigned) {
  return *stream = nullptr, CUDA_SUCCESS;
}
#undef cuStreamDestroy  // GStreamer looks for the first version
CUresult cuStreamDestroy(CUstream) {
  return CUDA_SUCCESS;
}
CUresult cuStreamSynchronize(CUstream) {
  return CUDA_SUCCESS;
}
}
