// For loss_curve.py: the losses of a training run on given weights, images and targets.
//   loss_curve MODEL INPUT OUTPUT STEPS BATCH RATE
// INPUT as network_gradients's; step s sees the images s * BATCH ... of them, round and round. OUTPUT: losses
// [STEPS] F32. Every candidate is sampled, so nothing here is random.
#include <cstdio>
#include <cstdlib>

#include "loop/weight_update.h"
#include "network/faster_rcnn.h"
#include "tensor_file.h"

namespace {

using namespace smearscope;
using namespace smearscope::training;

at::Tensor losses_of_run(const std::string& model_path, const oracles::Tensors& input, int steps,
                         std::size_t batch, double rate) {
  const auto model = Model::load(model_path);
  TrainingSettings settings;
  settings.rpn_samples = settings.roi_samples = 100'000'000;
  FasterRcnn network(model->info(), settings);
  load_weights(network, *model);
  network->train();
  Optimisation optimisation;
  optimisation.momentum = 0.9;
  optimisation.weight_decay = 1e-4;
  WeightUpdate update(network, optimisation);
  std::size_t count = 0;
  while (input.count("image." + std::to_string(count))) ++count;
  std::vector<double> totals;
  for (int step = 0; step < steps; ++step) {
    std::vector<at::Tensor> images;
    std::vector<Target> targets;
    for (std::size_t i = 0; i < batch; ++i) {
      const std::string number = std::to_string((static_cast<std::size_t>(step) * batch + i) % count);
      images.push_back(input.at("image." + number));
      targets.push_back({input.at("boxes." + number), input.at("labels." + number)});
    }
    const at::Tensor total = network->losses(images, targets).total();
    totals.push_back(total.item<double>());
    total.backward();
    update.step(rate, static_cast<std::size_t>(step));
  }
  return at::tensor(totals, at::kFloat);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fprintf(stderr, "usage: loss_curve MODEL INPUT OUTPUT STEPS BATCH RATE\n");
    return 2;
  }
  try {
    const at::Tensor losses = losses_of_run(argv[1], oracles::read_tensors(argv[2]), std::atoi(argv[4]),
                                            static_cast<std::size_t>(std::atoi(argv[5])), std::atof(argv[6]));
    oracles::write_tensors(argv[3], {{"losses", losses}});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "loss_curve: %s\n", error.what());
    return 1;
  }
}
