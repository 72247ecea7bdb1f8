#include "network/onednn_weights.h"

#include <algorithm>

#include "network/onednn_numbers.h"

namespace smearscope::network {

using dnnl::memory;

PackedWeights::PackedWeights(std::vector<Convolution>& convolutions, Precision precision,
                             const dnnl::engine& engine)
    : convolutions_(convolutions), engine_(engine), scales_(convolutions.size()) {
  for (Convolution& convolution : convolutions) {
    const memory::desc plain(
        {convolution.out_channels, convolution.in_channels, convolution.kernel, convolution.kernel},
        memory::data_type::f32, memory::format_tag::oihw);
    copies_.push_back({memory(plain, engine, convolution.weights.data())});
    biases_.emplace_back(
        memory::desc({convolution.out_channels}, memory::data_type::f32, memory::format_tag::x), engine,
        convolution.bias.data());
  }
  if (precision == Precision::int8) quantise_all();
}

void PackedWeights::quantise_all() {
  for (std::size_t i = 0; i < convolutions_.size(); ++i) {
    std::vector<float>& weights = convolutions_[i].weights;
    Quantised quantised = quantise_layer(convolutions_[i].name, weights, convolutions_[i].out_channels);
    scales_[i] = std::move(quantised.scales);
    memory plain({copies_[i].front().get_desc().dims(), memory::data_type::s8, memory::format_tag::oihw},
                 engine_);
    std::copy(quantised.values.begin(), quantised.values.end(),
              static_cast<std::int8_t*>(plain.get_data_handle()));
    copies_[i].front() = plain;
    std::vector<float>().swap(weights);
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
