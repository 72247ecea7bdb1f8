// What libsmearscope-engine-cuda.so gives to libsmearscope-engine.so, which loads it when a GPU is asked for.
// So one engine runs on machines with and without CUDA.
#pragma once

#include <memory>

#include "network/backend.h"

namespace smearscope {

struct CudaLibrary {
  const char* version;  // must be the engine's own: the two share C++ types

  // Throws Error saying why GPU `index` can't be used: no driver, one too old, no such device, one too old.
  void (*check_device)(int index);

  // Throws Error as make_cuda_backend does.
  std::unique_ptr<Backend> (*make_backend)(const Model& model, const Device& device, Precision precision);
};

inline constexpr const char* cuda_library_symbol = "smearscope_cuda_library";  // a CudaLibrary

}  // namespace smearscope
