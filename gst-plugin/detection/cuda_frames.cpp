#include "detection/cuda_frames.h"

#include <dlfcn.h>
#include <gst/cuda/gstcudamemory.h>
#include <gst/cuda/gstcudautils.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "smearscope/error.h"

namespace smearscope {
namespace {

struct Symbol {
  void* address;
  template <typename Function>
  operator Function*() const {
    return reinterpret_cast<Function*>(address);
  }
};

// Never closed: CUDA does not like to be unloaded, nor does GObject like its types to be.
class Library {
 public:
  explicit Library(const char* name) : name_(name), handle_(dlopen(name, RTLD_NOW | RTLD_LOCAL)) {
    if (!handle_) throw Error(std::string("a library can't be loaded: ") + dlerror());
  }
  Symbol find_if_there(const char* symbol) const { return {dlsym(handle_, symbol)}; }
  Symbol find(const char* symbol) const {
    const Symbol found = find_if_there(symbol);
    if (!found.address) throw Error(std::string(name_) + " is of a version that lacks " + symbol);
    return found;
  }

 private:
  const char* name_;
  void* handle_;
};

// GStreamer's CUDA library, from 1.22 on.
struct GstCuda {
  Library library{"libgstcuda-1.0.so.0"};
  decltype(&gst_cuda_load_library) load_driver = library.find("gst_cuda_load_library");
  decltype(&gst_cuda_context_new_wrapped) wrap_context = library.find("gst_cuda_context_new_wrapped");
  decltype(&gst_cuda_context_get_handle) handle_of = library.find("gst_cuda_context_get_handle");
  decltype(&gst_cuda_context_push) push = library.find("gst_cuda_context_push");
  decltype(&gst_cuda_context_pop) pop = library.find("gst_cuda_context_pop");
  decltype(&gst_cuda_handle_context_query) answer_query = library.find("gst_cuda_handle_context_query");
  decltype(&gst_is_cuda_memory) is_cuda_memory = library.find("gst_is_cuda_memory");
  // Since 1.24. Elements of 1.22 wait for their work before they push a buffer; later ones leave that to the
  // reader.
  void (*sync)(GstCudaMemory*) = library.find_if_there("gst_cuda_memory_sync");
};

// The driver's functions that libgstcuda has not; cuda.h gives some of them the names of their second
// version.
struct Driver {
  Library library{"libcuda.so.1"};
  decltype(&cuInit) init = library.find("cuInit");
  decltype(&cuDeviceGet) device_get = library.find("cuDeviceGet");
  decltype(&cuDevicePrimaryCtxRetain) retain_primary_context = library.find("cuDevicePrimaryCtxRetain");
  decltype(&cuGetErrorString) error_string = library.find("cuGetErrorString");
  decltype(&cuMemAlloc) allocate = library.find("cuMemAlloc_v2");
  decltype(&cuMemFree) free = library.find("cuMemFree_v2");
  decltype(&cuMemcpyPeer) copy = library.find("cuMemcpyPeer");
  decltype(&cuStreamSynchronize) wait = library.find("cuStreamSynchronize");

  void check(CUresult result, const char* doing) const {
    if (result == CUDA_SUCCESS) return;
    const char* text = nullptr;
    error_string(result, &text);
    throw Error(std::string("CUDA failed at ") + doing + ": " + (text ? text : "unknown error"));
  }
};

struct Libraries {
  GstCuda gst;
  Driver driver;
};

// A failure is not remembered: what is missing may be installed while the process runs.
const Libraries& libraries() {
  static const Libraries loaded;
  return loaded;
}

// The primary context of each GPU, as GStreamer's object; kept for good, as the context itself is.
GstCudaContext* context_of(int device) {
  static std::mutex mutex;
  static std::map<int, GstCudaContext*> contexts;
  const std::lock_guard<std::mutex> lock(mutex);
  GstCudaContext*& context = contexts[device];
  if (context) return context;

  const auto& [gst, driver] = libraries();
  if (!gst.load_driver()) throw Error("GStreamer's CUDA library can't use the NVIDIA driver");
  CUdevice handle = 0;
  CUcontext primary = nullptr;
  driver.check(driver.init(0), "its start");
  driver.check(driver.device_get(&handle, device), "choosing the GPU");
  driver.check(driver.retain_primary_context(&primary, handle), "choosing a context");
  context = gst.wrap_context(primary, handle);
  if (!context) throw Error("GStreamer's CUDA library can't use the engine's CUDA context");
  GST_OBJECT_FLAG_SET(context, GST_OBJECT_FLAG_MAY_BE_LEAKED);
  return context;
}

// The context current in this thread while this lives.
class ContextScope {
 public:
  ContextScope(const GstCuda& gst, GstCudaContext* context) : gst_(gst) {
    if (!gst_.push(context)) throw Error("CUDA failed at entering a context");
  }
  ~ContextScope() { gst_.pop(nullptr); }
  ContextScope(const ContextScope&) = delete;
  ContextScope& operator=(const ContextScope&) = delete;

 private:
  const GstCuda& gst_;
};

}  // namespace

struct CudaFrames::State {
  explicit State(int device) : context(context_of(device)) {}
  ~State() {
    try {
      release();
    } catch (const Error&) {
      // The device is lost: there is nothing left to free.
    }
  }

  void release() {
    if (copy_bytes == 0) return;
    const ContextScope scope(gst, context);
    copy_bytes = 0;
    driver.free(copy);
  }

  void require(std::size_t bytes) {
    if (bytes <= copy_bytes) return;
    release();
    const ContextScope scope(gst, context);
    driver.check(driver.allocate(&copy, bytes), "allocating a copy of a frame");
    copy_bytes = bytes;
  }

  // The memory as a whole, so that offsets and strides stay. In both contexts this comes after all work so
  // far.
  void take_over(const GstMapInfo& from, CUcontext source, Frame& view) {
    require(from.size);
    const ContextScope scope(gst, context);
    driver.check(driver.copy(copy, own(), reinterpret_cast<CUdeviceptr>(from.data), source, from.size),
                 "copying a frame from another context");
    driver.check(driver.wait(nullptr), "copying a frame from another context");
    // NOLINTNEXTLINE(performance-no-int-to-ptr): CUDA's type for a pointer is an integer.
    const auto* start = reinterpret_cast<const std::uint8_t*>(copy);
    for (Plane& plane : view.planes) {
      if (plane.data) plane.data = start + (plane.data - from.data);
    }
  }

  CUcontext own() const { return static_cast<CUcontext>(gst.handle_of(context)); }

  const GstCuda& gst = libraries().gst;
  const Driver& driver = libraries().driver;
  GstCudaContext* const context;
  CUdeviceptr copy = 0;
  std::size_t copy_bytes = 0;
};

const int CudaFrames::map_flag = GST_MAP_CUDA;

CudaFrames::CudaFrames(int device) : state_(std::make_unique<State>(device)) {}
CudaFrames::~CudaFrames() = default;

void CudaFrames::check(GstBuffer* buffer) const {
  const guint memories = gst_buffer_n_memory(buffer);
  if (memories != 1 || !state_->gst.is_cuda_memory(gst_buffer_peek_memory(buffer, 0)))
    throw Error("a buffer does not lie in CUDA memory, as its caps say");
  // Rows of CUDA memory are padded, which only this meta tells.
  if (!gst_buffer_get_video_meta(buffer)) throw Error("a buffer in CUDA memory lacks its GstVideoMeta");
}

void CudaFrames::settle(GstBuffer* buffer, const GstVideoFrame& mapped, Frame& view) {
  auto* memory = reinterpret_cast<GstCudaMemory*>(gst_buffer_peek_memory(buffer, 0));
  if (state_->gst.sync) state_->gst.sync(memory);
  const auto source = static_cast<CUcontext>(state_->gst.handle_of(memory->context));
  if (source != state_->own()) state_->take_over(mapped.map[0], source, view);
  view.memory = MemoryKind::cuda;
}

bool answer_cuda_context(GstElement* element, GstQuery* query, int device) {
  const gchar* type = nullptr;
  if (GST_QUERY_TYPE(query) != GST_QUERY_CONTEXT || !gst_query_parse_context_type(query, &type) ||
      g_strcmp0(type, GST_CUDA_CONTEXT_TYPE) != 0)
    return false;
  try {
    return libraries().gst.answer_query(element, query, context_of(device));
  } catch (const Error& error) {
    GST_INFO_OBJECT(element, "no CUDA context for neighbours: %s", error.what());
    return false;
  }
}

}  // namespace smearscope
