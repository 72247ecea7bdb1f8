// Model::load. The file is read into private memory, not mapped: a mapped file that is cut short or written
// over while a stream plays would end the program (SIGBUS) or change weights after they were checked. What
// the copy costs stands in docs/model-format.md, "Why it is read and not mapped".
#include <cstdlib>
#include <mutex>
#include <new>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "model/checksum.h"
#include "model/input_file.h"
#include "model/model_info.h"
#include "model/model_tensors.h"
#include "model/quantisation.h"
#include "model/safetensors.h"
#include "model/tensor_values.h"
#include "model/text.h"

namespace smearscope {
namespace {

struct Free {
  void operator()(std::uint8_t* data) const { std::free(data); }
};
using Buffer = std::unique_ptr<std::uint8_t[], Free>;

// The data section, at the alignment that vector code likes best.
Buffer allocate(std::uint64_t bytes) {
  constexpr std::size_t alignment = 64;
  const std::size_t rounded = (static_cast<std::size_t>(bytes) + alignment - 1) / alignment * alignment;
  Buffer buffer(static_cast<std::uint8_t*>(std::aligned_alloc(alignment, rounded)));
  if (!buffer) throw Error("not enough memory for " + std::to_string(bytes) + " bytes of weights");
  return buffer;
}

// The 8 length bytes and the JSON header.
std::string read_header(InputFile& file) {
  if (file.size() < 8) throw Error("has " + std::to_string(file.size()) + " bytes: not a model file");
  std::string header(8, '\0');
  file.read(header.data(), 8);
  const std::uint64_t length = read_u64(reinterpret_cast<const unsigned char*>(header.data()));
  if (header.compare(0, 4, "PK\x03\x04") == 0) {
    throw Error(
        "is a zip archive, not a safetensors model file; of a PyTorch checkpoint smearscope-train import "
        "makes "
        "one");
  }
  if (length > header_bytes_limit) {
    throw Error("its header claims " + std::to_string(length) + " bytes, but may have " +
                std::to_string(header_bytes_limit) + ": damaged, or not a model file");
  }
  if (length > file.size() - 8) {
    throw Error("its header claims " + std::to_string(length) + " bytes, but the file has " +
                std::to_string(file.size()) + ": cut short, or not a model file");
  }
  header.resize(8 + length);
  file.read(header.data() + 8, length);
  return header;
}

ModelInfo read_info(const std::map<std::string, std::string>& metadata) {
  const auto document = metadata.find(document_key);
  if (document == metadata.end()) {
    throw Error("has no '" + std::string(document_key) +
                "' entry in __metadata__: safetensors, but not a Smearscope model");
  }
  for (const auto& [key, value] : metadata) {
    if (key != document_key && key != checksum_key && key != "format") {
      throw Error("unknown entry " + quoted(key) + " in __metadata__");
    }
    if (key == "format" && value != "pt") throw Error("the entry 'format' in __metadata__ must be 'pt'");
  }
  return parse_model_info(document->second);
}

class LoadedModel final : public Model {
 public:
  explicit LoadedModel(const std::string& path) : path_(path) {
    InputFile file(path);
    header_ = read_header(file);
    const SafetensorsHeader header = parse_safetensors_header(std::string_view(header_).substr(8));
    info_ = read_info(header.metadata);
    check_places(info_, header.tensors);
    check_size(header, file.size());
    data_bytes_ = header.data_bytes();
    data_ = allocate(data_bytes_);
    file.read(data_.get(), data_bytes_);
    check_sum(header.metadata);
    add_tensors(header.tensors);
    for (const TensorView& tensor : tensors_) check_values(tensor, info_.architecture.batch_norm_eps);
  }

  const ModelInfo& info() const override { return info_; }
  const std::vector<TensorView>& tensors() const override { return tensors_; }
  const std::vector<TensorView>& stored_tensors() const override { return stored_; }
  const std::string& path() const override { return path_; }

  const TensorView* find(std::string_view name) const override {
    const auto found = index_.find(name);
    return found == index_.end() ? nullptr : &tensors_[found->second];
  }

  const std::string& digest() const override {
    std::call_once(digest_once_, [this] {
      Sha256 sum;
      sum.add(header_.data(), header_.size());
      sum.add(data_.get(), data_bytes_);
      digest_ = sum.finish();
    });
    return digest_;
  }

 private:
  void check_size(const SafetensorsHeader& header, std::uint64_t file_bytes) const {
    const std::uint64_t needed = header_.size() + header.data_bytes();
    if (file_bytes == needed) return;
    throw Error("has " + std::to_string(file_bytes) + " bytes, but its header tells of " +
                std::to_string(needed) +
                (file_bytes < needed ? ": cut short" : ": something was added at the end"));
  }

  void check_sum(const std::map<std::string, std::string>& metadata) const {
    const auto stored = metadata.find(checksum_key);
    if (stored == metadata.end()) return;
    const std::string found = checksum_of(metadata.at(document_key), {{data_.get(), data_bytes_}});
    if (stored->second == found) return;
    throw Error("the checksum is " + found + ", but " + quoted(stored->second) +
                " was written: damaged, or changed by a program that kept the entry '" + checksum_key + "'");
  }

  void add_tensors(const std::vector<TensorPlace>& places) {
    for (const TensorPlace& place : places) {
      if (is_batch_counter(place)) continue;
      stored_.push_back({place.name, *weight_dtype(place.dtype), place.shape, data_.get() + place.begin,
                         static_cast<std::size_t>(place.end - place.begin)});
    }
    std::unordered_map<std::string_view, const TensorView*> by_name;
    std::unordered_set<std::string> scales;
    for (const TensorView& tensor : stored_) {
      by_name.emplace(tensor.name, &tensor);
      if (tensor.dtype == DType::i8) scales.insert(scale_name(tensor.name));
    }
    for (const TensorView& tensor : stored_) {
      if (scales.count(tensor.name) > 0) continue;
      tensors_.push_back(tensor);
      if (tensor.dtype != DType::i8) continue;
      dequantised_.push_back(dequantise(tensor, *by_name.at(scale_name(tensor.name))));
      const std::vector<float>& values = dequantised_.back();
      tensors_.back() = {tensor.name, DType::f32, tensor.shape, values.data(), values.size() * sizeof(float)};
    }
    for (std::size_t i = 0; i < tensors_.size(); ++i) index_.emplace(tensors_[i].name, i);
  }

  std::string path_;
  std::string header_;
  ModelInfo info_;
  Buffer data_;
  std::uint64_t data_bytes_ = 0;
  std::vector<TensorView> stored_, tensors_;
  std::vector<std::vector<float>> dequantised_;
  std::unordered_map<std::string_view, std::size_t> index_;  // keys point into tensors_
  mutable std::once_flag digest_once_;
  mutable std::string digest_;
};

}  // namespace

std::shared_ptr<const Model> Model::load(const std::string& path) {
  try {
    return std::make_shared<LoadedModel>(path);
  } catch (const Error& error) {
    throw Error(path + ": " + error.what());
  } catch (const std::bad_alloc&) {
    throw Error(path + ": not enough memory to load it");
  }
}

}  // namespace smearscope
