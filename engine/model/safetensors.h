// The container: safetensors (8 bytes little-endian header length, JSON header, raw tensors).
// docs/model-format.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "smearscope/error.h"

namespace smearscope {

// A longer header is refused: a ResNet-50 model's has about 40,000 bytes.
inline constexpr std::uint64_t header_bytes_limit = 1U << 20U;

// Where one tensor lies. begin and end are byte offsets from the end of the header.
struct TensorPlace {
  std::string name;
  std::string dtype;  // safetensors' word: "F32", "F16", "BF16", "I64", ...
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

struct SafetensorsHeader {
  std::map<std::string, std::string> metadata;
  std::vector<TensorPlace> tensors;  // in file order
  std::uint64_t data_bytes() const { return tensors.empty() ? 0 : tensors.back().end; }
};

// Reads the JSON header (without the 8 length bytes). Throws Error, naming the tensor, unless the dtypes are
// known, each tensor's bytes are what its shape and dtype take, its offset is a multiple of its element size,
// and the tensors follow each other from offset 0 without gap or overlap.
SafetensorsHeader parse_safetensors_header(std::string_view json);

// The first bytes of a file: length and header, padded with spaces to a multiple of 64 bytes.
std::string write_safetensors_header(const SafetensorsHeader& header);

// Little-endian value of the 8 bytes at `data`.
std::uint64_t read_u64(const unsigned char* data);

}  // namespace smearscope
