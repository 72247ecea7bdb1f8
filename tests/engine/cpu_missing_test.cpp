// A build without the CPU engine.
#include <gtest/gtest.h>

#include "expect_error.h"
#include "smearscope/detector.h"
#include "temporary_folder.h"
#include "tiny_model.h"

namespace smearscope {
namespace {

TEST(DetectorWithoutCpuEngine, SaysSo) {
  const testing::TemporaryFolder folder;
  testing::write_random_model(folder.file("m.safetensors"), testing::tiny_model_info(), 1);
  const auto model = Model::load(folder.file("m.safetensors"));
  testing::expect_error([&] { Detector detector(model, {}); }, "-Dcpu=enabled");
}

}  // namespace
}  // namespace smearscope
