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
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "model/safetensors.h"
#include "network/faster_rcnn.h"

namespace {

using namespace smearscope;
using namespace smearscope::training;
using Tensors = std::map<std::string, at::Tensor>;

Tensors read_tensors(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (bytes.size() < 8) throw Error(path + ": can't be read");
  const std::uint64_t header_bytes = read_u64(reinterpret_cast<const unsigned char*>(bytes.data()));
  Tensors tensors;
  for (const TensorPlace& place :
       parse_safetensors_header(std::string_view(bytes).substr(8, header_bytes)).tensors) {
    const at::ScalarType type = place.dtype == "I64" ? at::kLong : at::kFloat;
    const at::Tensor tensor = at::empty(place.shape, type);
    std::memcpy(tensor.data_ptr(), bytes.data() + 8 + header_bytes + place.begin, place.end - place.begin);
    tensors[place.name] = tensor;
  }
  return tensors;
}

void write_tensors(const std::string& path, const Tensors& tensors) {
  SafetensorsHeader header;
  std::vector<at::Tensor> dense;
  std::uint64_t offset = 0;
  for (const char* dtype : {"I64", "F32"}) {  // the wider first, so that each is aligned
    for (const auto& [name, tensor] : tensors) {
      if ((tensor.scalar_type() == at::kLong) != (dtype[0] == 'I')) continue;
      dense.push_back((dtype[0] == 'I' ? tensor : tensor.to(at::kFloat)).contiguous());
      header.tensors.push_back({name, dtype, tensor.sizes().vec(), offset, offset + dense.back().nbytes()});
      offset += dense.back().nbytes();
    }
  }
  std::ofstream file(path, std::ios::binary);
  file << write_safetensors_header(header);
  for (const at::Tensor& tensor : dense)
    file.write(static_cast<const char*>(tensor.data_ptr()), tensor.nbytes());
  if (!file.flush()) throw Error(path + ": can't be written");
}

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
