// Loads the CUDA backend from its own library, which lies beside this one, when it is first asked for.
#include <dlfcn.h>

#include <cstring>
#include <string>

#include "network/cuda_library.h"

namespace smearscope {
namespace {

constexpr const char* file_name = "libsmearscope-engine-cuda.so";

// The folder of the library that holds this function, with a slash; empty if the loader doesn't say.
std::string own_folder() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&check_cuda_device), &info) == 0 || !info.dli_fname) return "";
  const std::string path = info.dli_fname;
  return path.substr(0, path.rfind('/') + 1);
}

std::string last_loader_error() {
  const char* text = dlerror();
  return text ? text : "no reason given";
}

const CudaLibrary& load() {
  const std::string path = own_folder() + file_name;
  // Never closed: CUDA does not like to be unloaded.
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) throw Error("the CUDA engine can't be loaded: " + last_loader_error());
  const auto* found = static_cast<const CudaLibrary*>(dlsym(library, cuda_library_symbol));
  if (!found) throw Error(path + " is not the CUDA engine: " + last_loader_error());
  if (std::strcmp(found->version, SMEARSCOPE_VERSION) != 0)
    throw Error(path + " is of version " + found->version + ", but the engine of " + SMEARSCOPE_VERSION +
                "; install both from one build");
  return *found;
}

// A failure is not remembered: the library may be installed while the process runs.
const CudaLibrary& library() {
  static const CudaLibrary& loaded = load();
  return loaded;
}

}  // namespace

void check_cuda_device(int index) {
  const std::string wish = "device " + Device::cuda(index).to_string() + " asked for, but ";
  try {
    library().check_device(index);
  } catch (const Error& error) {
    throw Error(wish + error.what());
  }
}

std::unique_ptr<Backend> make_cuda_backend(const Model& model, const Device& device, Precision precision) {
  check_cuda_device(device.index);
  return library().make_backend(model, device, precision);
}

}  // namespace smearscope
