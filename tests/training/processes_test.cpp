// One process that talks to itself, on every device: on a GPU through NCCL. That several agree is tested on
// CPUs (distributed_test.cpp, shared_batch_test.cpp).
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "distributed/device_choice.h"
#include "distributed/nccl_processes.h"
#include "distributed/process_group.h"
#include "network/faster_rcnn.h"
#include "on_device.h"

namespace smearscope::training {
namespace {

class ProcessesOn : public testing::OnDevice {
 protected:
  void SetUp() override {
    OnDevice::SetUp();
    if (IsSkipped()) return;
    if (device().is_cuda() && !has_nccl()) GTEST_SKIP() << "built without NCCL";
    ProcessLayout layout;
    layout.port = 20000 + (getpid() + 7000) % 20000;
    try {
      processes_ = join_processes(layout, device(), 60);
    } catch (const Error& error) {
      if (std::string(error.what()).find("built without Gloo") == std::string::npos) throw;
      GTEST_SKIP() << error.what();
    }
  }
  std::unique_ptr<Processes> processes_;
};

INSTANTIATE_TEST_SUITE_P(Devices, ProcessesOn, ::testing::Values("cpu", "cuda"), testing::device_of_test);

TEST_P(ProcessesOn, AnythingCombinedWithNothingIsItself) {
  EXPECT_EQ(processes_->count(), 1);
  for (const c10::Device where : {c10::Device(at::kCPU), device()}) {
    for (const at::ScalarType type : {at::kFloat, at::kDouble, at::kLong}) {
      const at::Tensor values = at::arange(1, 1000, at::TensorOptions(where).dtype(type));
      at::Tensor sum = values.clone(), largest = values.clone();
      processes_->sum(sum);
      processes_->take_largest(largest);
      EXPECT_TRUE(sum.equal(values)) << where << type;
      EXPECT_TRUE(largest.equal(values)) << where << type;
    }
  }
}

// Batch norm's statistics, the losses' means and the padded size go through the processes.
TEST_P(ProcessesOn, ANetworkThatSharesItsBatchWithNobodyComputesWhatItDoesAlone) {
  ModelInfo info;
  info.name = "test";
  info.architecture.backbone = "resnet18";
  info.architecture.fpn_channels = 16;
  info.architecture.head_width = 32;
  info.classes = {"wbc", "rbc"};
  info.transform.min_side = 96;
  info.transform.max_side = 160;
  TrainingSettings settings;
  settings.rpn_samples = settings.roi_samples = 100'000;  // all, so that rounding draws no others
  settings.rpn_positive_fraction = settings.roi_positive_fraction = 1;
  const auto gradient_of = [&](Processes* processes, double* objectness) {
    at::manual_seed(7);
    FasterRcnn network(info, settings);
    move_to(network, device());
    network->train();
    network->share_batches(processes);
    const std::vector<at::Tensor> images{at::randint(256, {3, 60, 90}, at::kByte),
                                         at::randint(256, {3, 64, 64}, at::kByte)};
    const Target target{at::tensor({10.F, 10.F, 40.F, 30.F}).view({1, 4}), at::ones({1}, at::kLong)};
    const Losses losses = network->losses(images, {target, target});
    *objectness = losses.objectness.item<double>();
    (losses.objectness + losses.rpn_box).backward();
    return network->named_parameters()["backbone.body.layer1.0.conv1.weight"].grad().to(at::kCPU,
                                                                                        at::kDouble);
  };
  double alone = 0, shared = 0;
  const at::Tensor expected = gradient_of(nullptr, &alone), found = gradient_of(processes_.get(), &shared);
  EXPECT_NEAR(shared, alone, 1e-4 * alone);
  EXPECT_LT((found - expected).norm().item<double>(), 1e-2 * expected.norm().item<double>());
}

}  // namespace
}  // namespace smearscope::training
