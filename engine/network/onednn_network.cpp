#include "network/onednn_network.h"

#include <algorithm>
#include <utility>

namespace smearscope::network {
namespace {

using dnnl::memory;
using tag = dnnl::memory::format_tag;

constexpr auto f32 = memory::data_type::f32;
constexpr std::size_t most_shapes = 16;  // a compiled shape is some hundred small objects

float* writable(const float* data) {
  return const_cast<float*>(data);
}  // oneDNN takes inputs as void*

dnnl::matmul::primitive_desc describe(const Linear& linear, const dnnl::engine& engine) {
  const memory::dim any_rows = DNNL_RUNTIME_DIM_VAL;
  const dnnl::matmul::desc desc(memory::desc({any_rows, linear.in_features}, f32, tag::ab),
                                memory::desc({linear.in_features, linear.out_features}, f32, tag::ba),
                                memory::desc({1, linear.out_features}, f32, tag::ab),
                                memory::desc({any_rows, linear.out_features}, f32, tag::ab));
  dnnl::post_ops after;
  if (linear.relu) after.append_eltwise(1.0F, dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
  dnnl::primitive_attr attributes;
  attributes.set_post_ops(after);
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return {desc, attributes, engine};
}

}  // namespace

OneDnnLinear::OneDnnLinear(const Linear& linear, const dnnl::engine& engine)
    : linear_(linear),
      engine_(engine),
      desc_(describe(linear, engine)),
      primitive_(desc_),
      weights_({{linear.in_features, linear.out_features}, f32, tag::ba}, engine,
               writable(linear.weights.data())),
      bias_({{1, linear.out_features}, f32, tag::ab}, engine, writable(linear.bias.data())),
      scratchpad_(desc_.scratchpad_desc(), engine) {}

const float* OneDnnLinear::run(const float* input, int rows, dnnl::stream& stream) {
  float* output = output_.require_floats(static_cast<std::size_t>(rows) * linear_.out_features);
  const memory source({{rows, linear_.in_features}, f32, tag::ab}, engine_, writable(input));
  const memory destination({{rows, linear_.out_features}, f32, tag::ab}, engine_, output);
  primitive_.execute(stream, {{DNNL_ARG_SRC, source},
                              {DNNL_ARG_WEIGHTS, weights_},
                              {DNNL_ARG_BIAS, bias_},
                              {DNNL_ARG_DST, destination},
                              {DNNL_ARG_SCRATCHPAD, scratchpad_}});
  stream.wait();
  return output;
}

OneDnnNetwork::OneDnnNetwork(Plan plan)
    : plan_(std::move(plan)),
      weights_(plan_.convolutions, engine_),
      fc6_(plan_.fc6, engine_),
      fc7_(plan_.fc7, engine_),
      predictor_(plan_.predictor, engine_) {}

const CompiledShape& OneDnnNetwork::compiled(ops::Size padded) {
  const auto known = std::find_if(shapes_.begin(), shapes_.end(),
                                  [&](const CompiledShape& shape) { return shape.size() == padded; });
  if (known != shapes_.end()) {
    shapes_.splice(shapes_.begin(), shapes_, known);
    return shapes_.front();
  }
  CompiledShape shape(plan_, padded, layout_, weights_, stream_);
  if (shape.bytes() > arena_.bytes()) shapes_.clear();  // they are bound to the memory that is replaced now
  shape.bind(arena_.require(shape.bytes()));
  if (shapes_.size() == most_shapes) shapes_.pop_back();
  shapes_.push_front(std::move(shape));
  return shapes_.front();
}

const float* OneDnnNetwork::box_head(const float* rois, int count) {
  const float* hidden = fc6_.run(rois, count, stream_);
  hidden = fc7_.run(hidden, count, stream_);
  return predictor_.run(hidden, count, stream_);
}

}  // namespace smearscope::network
