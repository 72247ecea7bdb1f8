// Two processes that share a batch, played by two threads: together they compute what one alone does.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "network/faster_rcnn.h"
#include "network/processes.h"

namespace smearscope::training {
namespace {

// Where two threads meet and combine what they bring.
class Meeting {
 public:
  void combine(at::Tensor& values,
               const std::function<at::Tensor(const at::Tensor&, const at::Tensor&)>& how) {
    std::unique_lock lock(mutex_);
    if (!waiting_) {
      waiting_ = &values;
      arrived_.wait(lock, [this, before = meetings_] { return meetings_ != before; });
      return;
    }
    const at::NoGradGuard no_gradient;
    const at::Tensor result = how(*waiting_, values);
    waiting_->copy_(result);
    values.copy_(result);
    waiting_ = nullptr;
    ++meetings_;
    arrived_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  at::Tensor* waiting_ = nullptr;
  std::size_t meetings_ = 0;
};

class OneOfTwo : public Processes {
 public:
  OneOfTwo(Meeting& meeting, int rank) : meeting_(meeting), rank_(rank) {}
  int rank() const override { return rank_; }
  int count() const override { return 2; }
  void sum(at::Tensor& values) override {
    meeting_.combine(values, [](const at::Tensor& a, const at::Tensor& b) { return a + b; });
  }
  void take_largest(at::Tensor& values) override {
    meeting_.combine(values, [](const at::Tensor& a, const at::Tensor& b) { return at::maximum(a, b); });
  }

 private:
  Meeting& meeting_;
  int rank_;
};

ModelInfo small_info() {
  ModelInfo info;
  info.name = "test";
  info.architecture.backbone = "resnet18";
  info.architecture.fpn_channels = 16;
  info.architecture.head_width = 32;
  info.architecture.anchor_sizes = {{{12}, {20}, {28}, {40}, {60}}};
  info.classes = {"wbc", "rbc", "platelet"};
  info.transform.min_side = 64;
  info.transform.max_side = 128;
  return info;
}

FasterRcnn small_network(const TrainingSettings& settings) {
  at::manual_seed(7);
  FasterRcnn network(small_info(), settings);
  network->to(at::kDouble);
  network->train();
  return network;
}

Target target(const std::vector<float>& boxes, const std::vector<std::int64_t>& labels) {
  return {at::tensor(boxes, at::kFloat).view({-1, 4}), at::tensor(labels, at::kLong)};
}

// Of different sizes and numbers of cells; the second process has the larger share.
struct Images {
  std::vector<at::Tensor> images;
  std::vector<Target> targets;
};
Images three_images() {
  at::manual_seed(8);
  return {{at::rand({3, 60, 90}), at::rand({3, 64, 64}), at::rand({3, 50, 100})},
          {target({10, 10, 40, 30, 50, 5, 88, 58}, {1, 3}), target({20, 20, 52, 52}, {2}),
           target({5, 5, 25, 25, 40, 20, 60, 45, 70, 3, 95, 40}, {2, 2, 1})}};
}

at::Tensor losses_and_gradients(FasterRcnn& network, const Images& all, std::size_t first, std::size_t end,
                                Processes* processes) {
  const auto from = static_cast<std::ptrdiff_t>(first), to = static_cast<std::ptrdiff_t>(end);
  network->share_batches(processes);
  const Losses losses =
      network->losses({all.images.begin() + from, all.images.begin() + to},
                      {all.targets.begin() + from, all.targets.begin() + to}, {5 + first, {}});
  losses.total().backward();
  std::vector<at::Tensor> parts{losses.objectness.detach().view(1), losses.rpn_box.detach().view(1),
                                losses.classification.detach().view(1), losses.box.detach().view(1)};
  for (const at::Tensor& parameter : network->parameters()) {
    if (parameter.requires_grad()) parts.push_back(parameter.grad().flatten());
  }
  return at::cat(parts);
}

void expect_the_same(const TrainingSettings& settings) {
  const Images all = three_images();
  FasterRcnn alone = small_network(settings);
  const at::Tensor expected = losses_and_gradients(alone, all, 0, 3, nullptr);

  FasterRcnn first = small_network(settings), second = small_network(settings);
  Meeting meeting;
  OneOfTwo rank0(meeting, 0), rank1(meeting, 1);
  at::Tensor of_first, of_second;
  std::thread other([&] { of_second = losses_and_gradients(second, all, 1, 3, &rank1); });
  of_first = losses_and_gradients(first, all, 0, 1, &rank0);
  other.join();

  const at::Tensor together = of_first + of_second;
  EXPECT_LT((together - expected).norm().item<double>(), 1e-6 * expected.norm().item<double>());
  const auto buffers = alone->named_buffers();
  for (const auto& buffer : first->named_buffers()) {
    EXPECT_TRUE(at::allclose(buffer.value(), buffers[buffer.key()], 1e-6, 1e-9)) << buffer.key();
    EXPECT_TRUE(at::equal(buffer.value(), second->named_buffers()[buffer.key()])) << buffer.key();
  }
}

TEST(SharedBatch, LossesGradientsAndStatisticsAreTheWholeBatchs) {
  expect_the_same({});
}

TEST(SharedBatch, SoTheyAreWithClassWeights) {
  TrainingSettings settings;
  settings.classification.class_weights = {1, 0.5, 2, 3};
  settings.classification.focal_gamma = 2;
  expect_the_same(settings);
}

}  // namespace
}  // namespace smearscope::training
