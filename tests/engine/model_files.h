// Good and damaged model files, made byte by byte.
#pragma once

#include <cstdint>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

namespace smearscope::testing {

inline std::string read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline void write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary);
  file << bytes;
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

// A safetensors file taken apart: the JSON header and the raw tensors.
struct Container {
  std::string header;
  std::string data;

  static Container of(const std::string& file) {
    std::uint64_t length = 0;
    for (std::size_t i = 0; i < 8; ++i)
      length |= static_cast<std::uint64_t>(static_cast<unsigned char>(file[i])) << (8 * i);
    return {file.substr(8, length), file.substr(8 + length)};
  }

  std::string file() const {
    std::string length;
    for (unsigned i = 0; i < 8; ++i)
      length += static_cast<char>(static_cast<std::uint64_t>(header.size()) >> (8 * i));
    return length + header + data;
  }

  // Replaces the first `from` in the header, which must be there.
  Container& edit(const std::string& from, const std::string& to) {
    const std::size_t at = header.find(from);
    if (at == std::string::npos) throw std::runtime_error("the header has no " + from);
    header.replace(at, from.size(), to);
    return *this;
  }

  // Takes the checksum out, so that a test reaches the rule behind it.
  Container& without_checksum() {
    const std::size_t at = header.find("\"smearscope_crc32\":\"");
    if (at == std::string::npos) throw std::runtime_error("the header has no checksum");
    const std::size_t end = header.find('"', at + 20) + 1;
    header.erase(header[at - 1] == ',' ? at - 1 : at, end - at + 1);
    return *this;
  }
};

}  // namespace smearscope::testing
