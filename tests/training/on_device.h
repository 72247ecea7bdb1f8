// Tests that run on every device that a network can run on.
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <string>

#include "cuda_device.h"

namespace smearscope::testing {

// GetParam(): "cpu" or "cuda". What is missing here is skipped, and says why.
class OnDevice : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (std::string(GetParam()) == "cuda" && !cuda_is_there()) GTEST_SKIP() << why_no_cuda();
    at::globalContext().setAllowTF32CuDNN(false);  // which has ten bits, too few to compare
  }
  void TearDown() override { at::globalContext().setAllowTF32CuDNN(true); }
  c10::Device device() const { return training::device_named(GetParam()); }
};

inline std::string device_of_test(const ::testing::TestParamInfo<const char*>& info) {
  return info.param;
}

}  // namespace smearscope::testing
