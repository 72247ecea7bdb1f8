#include "loop/checkpoint.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <utility>

#include "model/file_writer.h"
#include "model/safetensors.h"

namespace smearscope::training {
namespace {

constexpr const char* format = "smearscope-checkpoint-2";

const std::string& entry(const SafetensorsHeader& header, const char* key) {
  const auto found = header.metadata.find(key);
  if (found == header.metadata.end()) throw Error("has no \"" + std::string(key) + "\" in its metadata");
  return found->second;
}

std::uint64_t whole_number(const SafetensorsHeader& header, const char* key) {
  const std::string& text = entry(header, key);
  char* end = nullptr;
  const std::uint64_t value = std::strtoull(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0') throw Error("its \"" + std::string(key) + "\" is not a whole number");
  return value;
}

SafetensorsHeader read_header(std::ifstream& in) {
  unsigned char length_bytes[8];
  if (!in.read(reinterpret_cast<char*>(length_bytes), 8)) throw Error("is too short");
  const std::uint64_t length = read_u64(length_bytes);
  if (length > header_bytes_limit) throw Error("is not a checkpoint (its header would be too long)");
  std::string json(length, '\0');
  if (!in.read(json.data(), static_cast<std::streamsize>(length))) throw Error("is too short");
  return parse_safetensors_header(json);
}

Checkpoint read(std::ifstream& in, std::uint64_t file_bytes) {
  const SafetensorsHeader header = read_header(in);
  if (entry(header, "format") != format) throw Error("is not a checkpoint of this version");
  if (file_bytes != static_cast<std::uint64_t>(in.tellg()) + header.data_bytes()) {
    throw Error("is shorter or longer than its header says");
  }
  Checkpoint checkpoint;
  checkpoint.seed = whole_number(header, "seed");
  checkpoint.step = whole_number(header, "step");
  checkpoint.seconds = std::strtod(entry(header, "seconds").c_str(), nullptr);
  checkpoint.best_validation = std::strtod(entry(header, "best_validation").c_str(), nullptr);
  checkpoint.worse_validations = whole_number(header, "worse_validations");
  checkpoint.regimen = entry(header, "regimen");
  checkpoint.corpus_digest = entry(header, "corpus_digest");
  for (const TensorPlace& place : header.tensors) {
    if (place.dtype != "F32") throw Error("tensor \"" + place.name + "\" is not F32");
    SavedTensor tensor{place.name, place.shape,
                       std::vector<float>((place.end - place.begin) / sizeof(float))};
    if (!in.read(reinterpret_cast<char*>(tensor.values.data()),
                 static_cast<std::streamsize>(place.end - place.begin))) {
      throw Error("ends before tensor \"" + place.name + "\"");
    }
    checkpoint.tensors.push_back(std::move(tensor));
  }
  return checkpoint;
}

}  // namespace

void write_checkpoint(const std::string& path, const Checkpoint& checkpoint) {
  const auto exactly = [](double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.17g", value);
    return std::string(text);
  };
  SafetensorsHeader header;
  header.metadata = {{"format", format},
                     {"seed", std::to_string(checkpoint.seed)},
                     {"step", std::to_string(checkpoint.step)},
                     {"seconds", exactly(checkpoint.seconds)},
                     {"best_validation", exactly(checkpoint.best_validation)},
                     {"worse_validations", std::to_string(checkpoint.worse_validations)},
                     {"regimen", checkpoint.regimen},
                     {"corpus_digest", checkpoint.corpus_digest}};
  std::vector<std::pair<const void*, std::size_t>> parts(1);
  std::uint64_t end = 0;
  for (const SavedTensor& tensor : checkpoint.tensors) {
    const std::uint64_t bytes = tensor.values.size() * sizeof(float);
    header.tensors.push_back({tensor.name, "F32", tensor.shape, end, end + bytes});
    parts.emplace_back(tensor.values.data(), bytes);
    end += bytes;
  }
  const std::string first = write_safetensors_header(header);
  parts[0] = {first.data(), first.size()};
  replace_file(path, parts);
}

Checkpoint read_checkpoint(const std::string& path) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in) throw Error(path + ": cannot read the checkpoint");
  const auto bytes = static_cast<std::uint64_t>(in.tellg());
  in.seekg(0);
  try {
    return read(in, bytes);
  } catch (const Error& problem) {
    throw Error(path + ": " + problem.what());
  }
}

}  // namespace smearscope::training
