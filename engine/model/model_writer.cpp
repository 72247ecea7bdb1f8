// write_model and convert_model. The format: docs/model-format.md.
#include <algorithm>
#include <cstring>
#include <utility>

#include "model/file_writer.h"
#include "model/model_info.h"
#include "model/model_tensors.h"
#include "model/quantisation.h"
#include "model/safetensors.h"
#include "model/tensor_values.h"
#include "model/text.h"

namespace smearscope {
namespace {

void check_bytes(const TensorView& tensor) {
  const std::uint64_t needed =
      static_cast<std::uint64_t>(element_count(tensor.shape)) * size_of(tensor.dtype);
  if (tensor.data == nullptr || tensor.bytes != needed) {
    throw Error("tensor " + quoted(tensor.name) + ": has " + std::to_string(tensor.bytes) +
                " bytes, but its shape takes " + std::to_string(needed));
  }
}

// Larger elements first, so that every offset is a multiple of its element size without gaps.
std::vector<TensorView> in_file_order(std::vector<TensorView> tensors) {
  std::stable_sort(tensors.begin(), tensors.end(), [](const TensorView& a, const TensorView& b) {
    return size_of(a.dtype) > size_of(b.dtype);
  });
  return tensors;
}

std::vector<TensorPlace> place(const std::vector<TensorView>& tensors) {
  std::vector<TensorPlace> places;
  std::uint64_t end = 0;
  for (const TensorView& tensor : tensors) {
    const std::uint64_t begin = std::exchange(end, end + tensor.bytes);
    places.push_back({tensor.name, name_of(tensor.dtype), tensor.shape, begin, end});
  }
  return places;
}

// Convolutions and linear layers are nearly all of the bytes. Biases and batch norm stay f32: 16 bits would
// save a thousandth, and a running variance may not fit them.
DType stored_dtype(const TensorView& tensor, DType wanted) {
  return tensor.shape.size() >= 2 ? wanted : DType::f32;
}

}  // namespace

void write_model(const std::string& path, const ModelInfo& info, const std::vector<TensorView>& given) {
  std::vector<std::pair<const void*, std::size_t>> parts;
  std::string start;
  try {
    const std::string document = write_model_info(info);
    const std::vector<TensorView> tensors = in_file_order(given);
    SafetensorsHeader header;
    header.tensors = place(tensors);
    check_places(info, header.tensors);
    for (const TensorView& tensor : tensors) {
      check_bytes(tensor);
      check_values(tensor, info.architecture.batch_norm_eps);
      parts.emplace_back(tensor.data, tensor.bytes);
    }
    header.metadata = {
        {"format", "pt"}, {document_key, document}, {checksum_key, checksum_of(document, parts)}};
    start = write_safetensors_header(header);
    if (start.size() - 8 > header_bytes_limit) throw Error("the header would be too long");
    parts.insert(parts.begin(), {start.data(), start.size()});
  } catch (const Error& error) {
    throw Error(path + ": " + error.what());
  }
  replace_file(path, parts);
}

void write_model_as(const std::string& path, const ModelInfo& info, const Model& model, DType dtype) {
  std::vector<std::vector<std::uint8_t>> storage;
  std::vector<Quantised> quantised;
  quantised.reserve(model.tensors().size());
  std::vector<TensorView> tensors = model.tensors(), scales;
  for (TensorView& tensor : tensors) {
    const DType stored = stored_dtype(tensor, dtype);
    if (stored == DType::i8) {
      quantised.push_back(quantise(tensor));
      const Quantised& q = quantised.back();
      tensor = {tensor.name, DType::i8, tensor.shape, q.values.data(), q.values.size()};
      const std::vector<std::int64_t> channels{tensor.shape[0]};
      scales.push_back(
          {scale_name(tensor.name), DType::f32, channels, q.scales.data(), q.scales.size() * sizeof(float)});
      continue;
    }
    try {
      storage.push_back(store_as(tensor, stored));
    } catch (const Error& error) {
      throw Error(model.path() + ": " + error.what());
    }
    tensor.dtype = stored;
    tensor.data = storage.back().data();
    tensor.bytes = storage.back().size();
  }
  tensors.insert(tensors.end(), scales.begin(), scales.end());
  write_model(path, info, tensors);
}

void convert_model(const std::string& source, const std::string& destination, DType dtype) {
  const std::shared_ptr<const Model> model = Model::load(source);
  write_model_as(destination, model->info(), *model, dtype);
}

}  // namespace smearscope
