#include "network/onednn_numbers.h"

namespace smearscope::network {

using type = dnnl::memory::data_type;

NumberType number_type(Precision precision, float range, bool positive) {
  if (precision == Precision::bf16) return {type::bf16, 1};
  if (precision != Precision::int8) return {type::f32, 1};
  if (positive) return {type::u8, range / 255};
  return {type::s8, range / 127};
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
