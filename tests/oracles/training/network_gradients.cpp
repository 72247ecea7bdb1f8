// For compare.py: the LibTorch network's losses, gradients and detections on given weights, images and
// targets.
//   network_gradients MODEL INPUT OUTPUT f32|f64 ordinary|frozen
// The last two say in which precision the network runs and how batch norm behaves.
// MODEL is a model file. INPUT and OUTPUT are safetensors: image.N [3, H, W] F32, boxes.N [n, 4] F32 and
// labels.N [n] I64 in; loss.NAME [], gradient.PARAMETER, found.N.boxes, found.N.scores and found.N.labels
// out. Every candidate is sampled (the counts below are above any number of them), so nothing here is random.
#include <ATen/ATen.h>

#include <cstdio>
#include <cstring>
#include <string>

#include "network/faster_rcnn.h"
#include "tensor_file.h"

namespace {

using namespace smearscope;
using namespace smearscope::training;
using oracles::read_tensors;
using oracles::Tensors;
using oracles::write_tensors;
Tensors run(const std::string& model_path, const Tensors& input, bool f64, bool frozen_batch_norm) {
  const auto model = Model::load(model_path);
  TrainingSettings settings;
  settings.rpn_samples = settings.roi_samples = 100'000'000;
  settings.frozen_batch_norm = frozen_batch_norm;
  FasterRcnn network(model->info(), settings);
  if (f64) network->to(at::kDouble);
  load_weights(network, *model);
  std::vector<at::Tensor> images;
  std::vector<Target> targets;
  for (std::size_t i = 0; input.count("image." + std::to_string(i)); ++i) {
    const std::string number = std::to_string(i);
    images.push_back(input.at("image." + number));
    targets.push_back({input.at("boxes." + number), input.at("labels." + number)});
  }

  Tensors output;
  network->eval();
  const std::vector<Found> found = network->detect(images);
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::string prefix = "found." + std::to_string(i);
    output[prefix + ".boxes"] = found[i].boxes;
    output[prefix + ".scores"] = found[i].scores;
    output[prefix + ".labels"] = found[i].labels;
  }
  network->train();
  const Losses losses = network->losses(images, targets);
  losses.total().backward();
  output["loss.objectness"] = losses.objectness.detach();
  output["loss.rpn_box"] = losses.rpn_box.detach();
  output["loss.classification"] = losses.classification.detach();
  output["loss.box"] = losses.box.detach();
  for (const auto& item : network->named_parameters()) {
    if (item.value().grad().defined()) output["gradient." + item.key()] = item.value().grad();
  }
  return output;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: network_gradients MODEL INPUT OUTPUT f32|f64 ordinary|frozen\n");
    return 2;
  }
  try {
    const bool f64 = std::strcmp(argv[4], "f64") == 0, frozen = std::strcmp(argv[5], "frozen") == 0;
    write_tensors(argv[3], run(argv[1], read_tensors(argv[2]), f64, frozen));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "network_gradients: %s\n", error.what());
    return 1;
  }
}
