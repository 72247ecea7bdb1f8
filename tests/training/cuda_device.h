// Whether tests can run on a CUDA device.
#pragma once

#include <cstdlib>
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

// Where $SMEARSCOPE_REQUIRE_CUDA is set (tests/gpu/run.sh), a device that is missing is an error, so that
// nothing passes by being skipped.
inline bool cuda_is_there() {
  const std::string reason = why_no_cuda();
  if (!reason.empty() && std::getenv("SMEARSCOPE_REQUIRE_CUDA")) throw Error(reason);
  return reason.empty();
}

}  // namespace smearscope::testing
