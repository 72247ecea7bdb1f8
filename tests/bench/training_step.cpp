// Time of one training step of the LibTorch network, on random images and boxes:
//   training_step [BACKBONE [FPN_CHANNELS [HEAD_WIDTH [MIN_SIDE [BATCH [STEPS [SAMPLES]]]]]]]
// SAMPLES proposals (and half as many anchors) per image go into the losses.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/optim/sgd.h>
#include <torch/version.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

#include "network/faster_rcnn.h"

namespace {

using smearscope::ModelInfo;
using namespace smearscope::training;

double milliseconds() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  const auto number = [&](int i, int otherwise) { return argc > i ? std::atoi(argv[i]) : otherwise; };
  ModelInfo info;
  info.architecture.backbone = argc > 1 ? argv[1] : "resnet18";
  info.architecture.fpn_channels = number(2, 128);
  info.architecture.head_width = number(3, 512);
  info.classes = {"wbc", "rbc", "platelet"};
  info.transform.min_side = number(4, 320);
  const int batch = number(5, 4), steps = number(6, 10), samples = number(7, 512);
  TrainingSettings settings;
  settings.roi_samples = samples;
  settings.rpn_samples = samples / 2;
  settings.rpn_post_nms_top_n = std::max(1000, samples);
  for (auto& sizes : info.architecture.anchor_sizes) sizes[0] /= 2;

  at::manual_seed(1);
  FasterRcnn network(info, settings);
  network->train();
  torch::optim::SGD optimiser(network->parameters(), torch::optim::SGDOptions(0.001).momentum(0.9));
  std::vector<at::Tensor> images;
  std::vector<Target> targets;
  for (int i = 0; i < batch; ++i) {
    images.push_back(at::rand({3, 480, 640}));
    const at::Tensor corner = at::rand({20, 2}) * 400;
    targets.push_back(
        {at::cat({corner, corner + 30 + at::rand({20, 2}) * 40}, 1), at::randint(1, 4, {20}, at::kLong)});
  }

  std::vector<double> forward, backward, update, whole, processor;
  for (int step = 0; step < steps + 2; ++step) {
    const double start = milliseconds();
    const std::clock_t processor_start = std::clock();
    const at::Tensor total = network->losses(images, targets, {static_cast<std::uint64_t>(step), {}}).total();
    const double after_forward = milliseconds();
    optimiser.zero_grad();
    total.backward();
    const double after_backward = milliseconds();
    optimiser.step();
    const double end = milliseconds();
    if (step < 2) continue;  // warm-up
    forward.push_back((after_forward - start) / batch);
    backward.push_back((after_backward - after_forward) / batch);
    update.push_back((end - after_backward) / batch);
    whole.push_back((end - start) / batch);
    processor.push_back((std::clock() - processor_start) * 1e3 / CLOCKS_PER_SEC / batch);
  }
  std::printf("LibTorch %s, %d thread(s), %s, FPN %d, head %d, min side %d, batch %d, %d samples\n",
              TORCH_VERSION, at::get_num_threads(), info.architecture.backbone.c_str(),
              info.architecture.fpn_channels, info.architecture.head_width, info.transform.min_side, batch,
              samples);
  std::printf(
      "ms per image, median of %d steps: forward %.1f, backward %.1f, update %.1f, whole %.1f, CPU time "
      "%.1f\n",
      steps, median(forward), median(backward), median(update), median(whole), median(processor));
}
