#include "network/onednn_weights.h"

namespace smearscope::network {

using dnnl::memory;

PackedWeights::PackedWeights(std::vector<Convolution>& convolutions, const dnnl::engine& engine)
    : convolutions_(convolutions), engine_(engine) {
  for (Convolution& convolution : convolutions) {
    const memory::desc plain(
        {convolution.out_channels, convolution.in_channels, convolution.kernel, convolution.kernel},
        memory::data_type::f32, memory::format_tag::oihw);
    copies_.push_back({memory(plain, engine, convolution.weights.data())});
    biases_.emplace_back(
        memory::desc({convolution.out_channels}, memory::data_type::f32, memory::format_tag::x), engine,
        convolution.bias.data());
  }
}

const memory& PackedWeights::weights(int convolution, const memory::desc& wanted, dnnl::stream& stream) {
  std::vector<memory>& copies = copies_[convolution];
  for (const memory& copy : copies)
    if (copy.get_desc() == wanted) return copy;
  memory packed(wanted, engine_);
  dnnl::reorder(copies.front(), packed).execute(stream, copies.front(), packed);
  stream.wait();
  std::vector<float>& plain = convolutions_[convolution].weights;
  if (!plain.empty()) {
    copies.clear();
    std::vector<float>().swap(plain);
  }
  copies.push_back(packed);
  return copies.back();
}

}  // namespace smearscope::network
