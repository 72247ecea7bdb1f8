#include "network/onednn_numbers.h"

#include <algorithm>
#include <cmath>

namespace smearscope::network {

using type = dnnl::memory::data_type;

NumberType number_type(Precision precision, float range, bool non_negative) {
  if (precision == Precision::bf16) return {type::bf16, 1};
  if (precision != Precision::int8) return {type::f32, 1};
  if (non_negative) return {type::u8, range / 255};
  return {type::s8, range / 127};
}

Quantised quantise_layer(const std::string& layer, const std::vector<float>& weights, int out_channels) {
  for (const float weight : weights)
    if (!std::isfinite(weight))
      throw Error("weights of " + layer + " are not finite with batch norm folded in; use precision f32");
  Quantised quantised =
      quantise({layer, DType::f32, {out_channels}, weights.data(), weights.size() * sizeof(float)});
  constexpr float smallest =
      1e-20F;  // a bias divided by this and by the step of a range of 1e-6 is still finite
  const std::size_t each = weights.size() / static_cast<std::size_t>(out_channels);
  for (std::size_t channel = 0; channel < quantised.scales.size(); ++channel) {
    if (quantised.scales[channel] >= smallest) continue;
    quantised.scales[channel] = 1;
    std::fill_n(quantised.values.begin() + static_cast<std::ptrdiff_t>(channel * each), each, std::int8_t{0});
  }
  return quantised;
}

bool processor_computes_in(Precision precision) {
  const auto has = [](dnnl::cpu_isa isa) {
    // oneDNN's values are sets of bits: what includes all of another's has its instructions.
    const auto wanted = static_cast<unsigned>(isa);
    return (static_cast<unsigned>(dnnl::get_effective_cpu_isa()) & wanted) == wanted;
  };
  switch (precision) {
    case Precision::f32:
      return true;
    case Precision::bf16:
      return has(dnnl::cpu_isa::avx512_core_bf16);
    case Precision::int8:
      return has(dnnl::cpu_isa::avx512_core_vnni) || has(dnnl::cpu_isa::avx2_vnni);
    case Precision::f16:
    case Precision::automatic:
      break;
  }
  return false;
}

}  // namespace smearscope::network
