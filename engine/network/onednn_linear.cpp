#include "network/onednn_linear.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "ops/simd.h"

namespace smearscope::network {
namespace {

using dnnl::memory;
using tag = dnnl::memory::format_tag;

constexpr auto f32 = memory::data_type::f32;

// To the nearest number of steps, ties to even; what is out of reach becomes the last step. Adding and
// subtracting 1.5 * 2^23 rounds, as float has no bits left for fractions there.
SMEARSCOPE_VECTORISED void to_int8(const float* input, std::size_t count, float steps_per_unit,
                                   std::int8_t* output) {
  constexpr float rounder = 12582912.0F;
  for (std::size_t i = 0; i < count; ++i) {
    const float steps = std::min(std::max(-127.0F, input[i] * steps_per_unit), 127.0F);
    output[i] = static_cast<std::int8_t>(static_cast<int>(steps + rounder - rounder));
  }
}

// To the nearest bfloat16, ties to even, of finite numbers: the upper half of a float's bits.
SMEARSCOPE_VECTORISED void to_bf16(const float* input, std::size_t count, std::uint16_t* output) {
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t bits;
    std::memcpy(&bits, input + i, sizeof bits);
    output[i] = static_cast<std::uint16_t>((bits + 0x7FFFU + (bits >> 16U & 1U)) >> 16U);
  }
}

NumberType input_type(const Linear& linear, Precision precision) {
  if (precision == Precision::int8 && linear.input_range == 0) return {};
  return number_type(precision, linear.input_range, false);
}

// `type` is that of input and weights. `scales`, one per output, are those of oneDNN's sums of products.
dnnl::matmul::primitive_desc describe(const Linear& linear, memory::data_type type,
                                      const std::vector<float>& scales, const dnnl::engine& engine) {
  const memory::dim any_rows = DNNL_RUNTIME_DIM_VAL;
  const dnnl::matmul::desc desc(memory::desc({any_rows, linear.in_features}, type, tag::ab),
                                memory::desc({linear.in_features, linear.out_features}, type, tag::ba),
                                memory::desc({1, linear.out_features}, f32, tag::ab),
                                memory::desc({any_rows, linear.out_features}, f32, tag::ab));
  dnnl::post_ops after;
  if (linear.relu) after.append_eltwise(1.0F, dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
  dnnl::primitive_attr attributes;
  attributes.set_post_ops(after);
  if (!scales.empty()) attributes.set_output_scales(1 << 1, scales);
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return {desc, attributes, engine};
}

}  // namespace

OneDnnLinear::OneDnnLinear(Linear& linear, Precision precision, const dnnl::engine& engine)
    : linear_(linear), type_(input_type(linear, precision)), engine_(engine) {
  const memory::dims dims{linear.in_features, linear.out_features};
  bias_ = memory({{1, linear.out_features}, f32, tag::ab}, engine, linear.bias.data());
  std::vector<float> scales;
  switch (type_.type) {
    case memory::data_type::s8: {
      const Quantised quantised = quantise_layer(linear.name, linear.weights, linear.out_features);
      weights_ = memory({dims, memory::data_type::s8, tag::ba}, engine);
      std::copy(quantised.values.begin(), quantised.values.end(),
                static_cast<std::int8_t*>(weights_.get_data_handle()));
      bias_ = memory(bias_.get_desc(), engine);  // oneDNN adds the bias before it scales
      for (std::size_t out = 0; out < quantised.scales.size(); ++out) {
        scales.push_back(type_.scale * quantised.scales[out]);
        static_cast<float*>(bias_.get_data_handle())[out] = linear.bias[out] / scales.back();
      }
      break;
    }
    case memory::data_type::bf16:
      weights_ = memory({dims, memory::data_type::bf16, tag::ba}, engine);
      to_bf16(linear.weights.data(), linear.weights.size(),
              static_cast<std::uint16_t*>(weights_.get_data_handle()));
      break;
    default:
      weights_ = memory({dims, f32, tag::ba}, engine, linear.weights.data());
  }
  if (type_.type != f32) std::vector<float>().swap(linear.weights);
  desc_ = describe(linear, type_.type, scales, engine);
  primitive_ = dnnl::matmul(desc_);
  scratchpad_ = memory(desc_.scratchpad_desc(), engine);
}

// `input` in the numbers that the product takes.
void* OneDnnLinear::converted(const float* input, int rows) {
  if (type_.type == f32) return const_cast<float*>(input);  // oneDNN takes inputs as void*
  const std::size_t each = linear_.in_features;
  const bool bytes = type_.type == memory::data_type::s8;
  void* const output = input_.require(each * rows * (bytes ? 1 : 2));
#pragma omp parallel for
  for (int row = 0; row < rows; ++row) {
    const float* const from = input + row * each;
    if (bytes)
      to_int8(from, each, 1 / type_.scale, static_cast<std::int8_t*>(output) + row * each);
    else
      to_bf16(from, each, static_cast<std::uint16_t*>(output) + row * each);
  }
  return output;
}

const float* OneDnnLinear::run(const float* input, int rows, dnnl::stream& stream) {
  float* output = output_.require_floats(static_cast<std::size_t>(rows) * linear_.out_features);
  const memory source({{rows, linear_.in_features}, type_.type, tag::ab}, engine_, converted(input, rows));
  const memory destination({{rows, linear_.out_features}, f32, tag::ab}, engine_, output);
  primitive_.execute(stream, {{DNNL_ARG_SRC, source},
                              {DNNL_ARG_WEIGHTS, weights_},
                              {DNNL_ARG_BIAS, bias_},
                              {DNNL_ARG_DST, destination},
                              {DNNL_ARG_SCRATCHPAD, scratchpad_}});
  stream.wait();
  return output;
}

}  // namespace smearscope::network
