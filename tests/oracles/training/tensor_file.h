// Named tensors in and out of safetensors files, for the programs that oracles run.
#pragma once

#include <ATen/ATen.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "model/safetensors.h"
#include "smearscope/error.h"

namespace smearscope::oracles {

using Tensors = std::map<std::string, at::Tensor>;

inline Tensors read_tensors(const std::string& path) {
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

inline void write_tensors(const std::string& path, const Tensors& tensors) {
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

}  // namespace smearscope::oracles
