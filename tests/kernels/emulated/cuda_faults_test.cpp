// What happens on machines without a GPU, with a wrong one, or with too little memory; and what a frame may
// not do.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "cuda_models.h"
#include "emulated_device.h"
#include "expect_error.h"
#include "gpu_detector.h"
#include "network/cuda/choices.h"

namespace smearscope {
namespace {

using testing::cuda_model_info;
using testing::expect_error;
using testing::GpuDetector;
using testing::make_model;
using testing::random_frame;

// The emulated machine as a test wants it, and as it was afterwards.
class CudaFaults : public ::testing::Test {
 protected:
  ~CudaFaults() override { ops::emulated::machine = {}; }
  ops::emulated::Machine& machine = ops::emulated::machine;
};

void check_device(int index) {
  smearscope_cuda_library.check_device(index);
}

TEST_F(CudaFaults, EveryMissingPieceHasItsOwnMessage) {
  machine.driver = 0;
  expect_error([] { check_device(0); }, "no NVIDIA driver");
  machine.driver = 11080;
  expect_error([] { check_device(0); }, "too old: it has CUDA 11.8, and this build needs 12.4");
  machine.driver = 13000;
  machine.devices = 0;
  expect_error([] { check_device(0); }, "no GPU");
  machine.devices = 2;
  expect_error([] { check_device(2); }, "2 GPUs");
  machine.devices = 1;
  expect_error([] { check_device(1); }, "1 GPU,");
  machine.architecture = 61;
  expect_error([] { check_device(0); }, "Emulated GPU has compute capability 6.1, and this build needs 7.5");
  machine.architecture = 75;
  EXPECT_NO_THROW(check_device(0));
}

TEST_F(CudaFaults, TooLittleMemoryIsSaidAndLeavesTheDetectorUsable) {
  const std::size_t before = ops::emulated::allocated_bytes();
  {
    GpuDetector gpu(make_model(cuda_model_info()), Precision::f32);
    const auto frame = random_frame(PixelFormat::rgb, 75, 61, 1);
    machine.memory = ops::emulated::allocated_bytes() + (1 << 20);
    for (int i = 0; i < 2; ++i)
      expect_error([&] { gpu.detect({frame->frame()}, {}); }, "not enough memory on the GPU");
    machine.memory = ops::emulated::Machine().memory;
    EXPECT_FALSE(gpu.detect({frame->frame()}, {})[0].empty());
    machine.memory = ops::emulated::allocated_bytes();
    expect_error([&] { GpuDetector other(make_model(cuda_model_info()), Precision::f32); },
                 "not enough memory");
  }
  EXPECT_EQ(ops::emulated::allocated_bytes(), before) << "everything is given back";
}

TEST_F(CudaFaults, NothingIsAllocatedOnceASizeIsKnown) {
  GpuDetector gpu(make_model(cuda_model_info()), Precision::f32);
  const auto frame = random_frame(PixelFormat::rgb, 75, 61, 1),
             other = random_frame(PixelFormat::gray8, 75, 61, 2);
  gpu.detect({frame->frame()}, {});
  const int before = ops::emulated::allocations();
  gpu.detect({frame->frame()}, {});
  gpu.detect({other->frame()}, {});
  EXPECT_EQ(ops::emulated::allocations(), before);
}

TEST(Choices, TheFirstIsKeptAlsoForOtherProcesses) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.file("new/folder/choices");
  network::Choices one(path), other(path);
  EXPECT_FALSE(one.find("a"));
  EXPECT_EQ(one.keep("a", "x"), "x");
  EXPECT_EQ(one.keep("a", "y"), "x");
  EXPECT_EQ(other.keep("a", "z"), "x") << "another process chose meanwhile";
  EXPECT_EQ(other.keep("b", "z"), "z");
  EXPECT_EQ(network::Choices(path).find("b").value_or(""), "z");
}

TEST(Choices, AFileThatIsNoneIsPassedOver) {
  const testing::TemporaryFolder folder;
  std::ofstream(folder.file("choices")) << "no tab\n\tno key\nkey\tvalue\n" << std::string(5, '\0');
  network::Choices choices(folder.file("choices"));
  EXPECT_EQ(choices.find("key").value_or(""), "value");
  EXPECT_FALSE(choices.find("no tab"));
  network::Choices unwritable("/proc/no/such/folder/choices");
  EXPECT_EQ(unwritable.keep("a", "x"), "x");
  EXPECT_EQ(unwritable.find("a").value_or(""), "x");
}

TEST_F(CudaFaults, ChoicesNameGpuVersionsAndShape) {
  GpuDetector(make_model(cuda_model_info()), Precision::f32)
      .detect({random_frame(PixelFormat::rgb, 75, 61, 1)->frame()}, {});
  std::ifstream file(std::string(std::getenv("SMEARSCOPE_CACHE_DIR")) + "/cuda-choices");
  std::string line;
  ASSERT_TRUE(std::getline(file, line));
  EXPECT_NE(line.find("Emulated GPU, cuDNN 90000, cuBLASLt 120000, f32 n1 c"), std::string::npos) << line;
}

}  // namespace
}  // namespace smearscope
