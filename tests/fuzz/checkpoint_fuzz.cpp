// The reader of PyTorch's checkpoints against arbitrary bytes: it may refuse them with Error of one line, and
// nothing else may happen. The first byte of the input tells what the rest is.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "import/checkpoint_file.h"
#include "import/recognise.h"
#include "import/state_dict.h"
#include "model/tensor_values.h"

namespace smearscope::checkpoint {
namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void look_for_network(const Pickle& pickle) {
  const StateDict dict = find_state_dict(pickle);
  Shapes shapes;
  for (const auto& [name, tensor] : dict.tensors) shapes.emplace(name, tensor->shape);
  recognise(shapes);
}

void read_file(std::string_view bytes) {
  CheckpointFile file({bytes.begin(), bytes.end()});
  std::int64_t read = 0;
  for (const Tensor& tensor : file.pickle().tensors) {
    read += element_count(tensor.shape);
    if (read > 1'000'000) break;  // expanded tensors: more of the same takes long
    try {
      const std::vector<float> values = file.values(tensor);
      require(values.size() == static_cast<std::size_t>(element_count(tensor.shape)));
    } catch (const Error&) {
      // This one is refused; the others may be good.
    }
  }
  look_for_network(file.pickle());
}

void read(char kind, std::string_view bytes) {
  if (kind == 'F') return read_file(bytes);
  look_for_network(read_pickle(bytes));
}

}  // namespace
}  // namespace smearscope::checkpoint

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  try {
    smearscope::checkpoint::read(input[0], input.substr(1));
  } catch (const smearscope::Error& error) {
    smearscope::checkpoint::require(std::string_view(error.what()).find('\n') == std::string_view::npos);
  }
  return 0;
}
