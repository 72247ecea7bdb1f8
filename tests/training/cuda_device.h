// Whether tests can run on a CUDA device.
#pragma once

#include <string>

#include "network/device.h"
#include "smearscope/error.h"

namespace smearscope::testing {

// Empty where there is one.
inline std::string why_no_cuda() {
  try {
    training::device_named("cuda");
    return "";
  } catch (const Error& problem) {
    return problem.what();
  }
}

inline bool cuda_is_there() {
  return why_no_cuda().empty();
}

}  // namespace smearscope::testing
