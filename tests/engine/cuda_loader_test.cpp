// What a user reads where no GPU can be used. On a machine with a GPU the tests of its absence are skipped.
#include <gtest/gtest.h>

#include "expect_error.h"
#include "smearscope/detector.h"
#include "temporary_folder.h"
#include "tiny_model.h"

namespace smearscope {
namespace {

std::shared_ptr<const Model> tiny_model() {
  const testing::TemporaryFolder folder;
  testing::write_random_model(folder.file("m.safetensors"), testing::tiny_model_info(), 1);
  return Model::load(folder.file("m.safetensors"));
}

TEST(CudaDevice, OneThatIsNotThereIsRefusedByNameInOneLine) {
  testing::expect_error([] { Detector detector(tiny_model(), {Device::cuda(999), Precision::f32, 0}); }, "cuda:999");
  EXPECT_NE(why_no_cuda(999).find("cuda:999"), std::string::npos);
  EXPECT_EQ(why_no_cuda(999).find('\n'), std::string::npos);
}

TEST(CudaDevice, WhatIsMissingIsSaidAndWhatToDo) {
  if (why_no_cuda().empty()) GTEST_SKIP() << "there is a GPU";
  EXPECT_NE(why_no_cuda().find("device cuda:0 asked for, but "), std::string::npos) << why_no_cuda();
  EXPECT_NE(why_no_cuda().find("device cpu"), std::string::npos) << why_no_cuda();
  testing::expect_error([] { Detector detector(tiny_model(), {Device::cuda(), Precision::f16, 0}); }, why_no_cuda());
}

TEST(AutomaticDevice, IsTheGpuIfThereIsOneElseTheCpu) {
  const bool gpu = why_no_cuda().empty();
  EXPECT_EQ(resolve(Device::automatic()).to_string(), gpu ? "cuda:0" : "cpu");
  EXPECT_EQ(resolve(Device::cuda(7)).to_string(), "cuda:7") << "what was asked for stays";
  EXPECT_EQ(resolve(Device::cpu()).to_string(), "cpu");
  EXPECT_EQ(Detector(tiny_model(), {Device::automatic(), Precision::f32, 1}).options().device.to_string(),
            gpu ? "cuda:0" : "cpu");
}

TEST(AutomaticDevice, DoesNotChangeThePrecisionThatWasAskedFor) {
  if (why_no_cuda().empty()) GTEST_SKIP() << "there is a GPU";
  testing::expect_error([] { Detector detector(tiny_model(), {Device::automatic(), Precision::f16, 0}); }, "f16");
}

}  // namespace
}  // namespace smearscope
