// The model file's reader against arbitrary bytes: it may refuse them with Error, and nothing else may
// happen. What it accepts must read the same after writing. The first byte of the input tells what the rest
// is.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "model/json.h"
#include "model/model_info.h"
#include "model/safetensors.h"
#include "smearscope/model.h"

namespace smearscope {
namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

// Model::load of a file with these bytes, in memory. No input is long enough to hold all weights, so it must
// refuse.
void load(std::string_view bytes) {
  const int descriptor = ::memfd_create("model", MFD_CLOEXEC);
  require(descriptor >= 0);
  require(::write(descriptor, bytes.data(), bytes.size()) == static_cast<::ssize_t>(bytes.size()));
  bool refused = false;
  try {
    Model::load("/proc/self/fd/" + std::to_string(descriptor));
  } catch (const Error&) {
    refused = true;
  }
  ::close(descriptor);
  require(refused);
}

void read_header(std::string_view json) {
  std::string file;
  for (unsigned i = 0; i < 8; ++i)
    file += static_cast<char>(static_cast<std::uint64_t>(json.size()) >> (8 * i));
  load(file.append(json));

  const std::string written = write_safetensors_header(parse_safetensors_header(json));
  require(write_safetensors_header(parse_safetensors_header(std::string_view(written).substr(8))) == written);
}

void read_document(std::string_view json) {
  const std::string written = write_model_info(parse_model_info(json));
  require(write_model_info(parse_model_info(written)) == written);
}

void read_json(std::string_view json) {
  const std::string written = write_json(parse_json(json));
  require(write_json(parse_json(written)) == written);
}

void read(char kind, std::string_view bytes) {
  switch (kind) {
    case 'F':
      return load(bytes);
    case 'H':
      return read_header(bytes);
    case 'D':
      return read_document(bytes);
    default:
      return read_json(bytes);
  }
}

}  // namespace
}  // namespace smearscope

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  try {
    smearscope::read(input[0], input.substr(1));
  } catch (const smearscope::Error&) {
    // Refused, as it may be.
  }
  return 0;
}
