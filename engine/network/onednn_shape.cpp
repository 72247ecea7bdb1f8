#include "network/onednn_shape.h"

#include <algorithm>
#include <utility>

#include "network/memory_layout.h"
#include "ops/anchors.h"

namespace smearscope::network {
namespace {

using dnnl::memory;
using tag = dnnl::memory::format_tag;

constexpr auto f32 = memory::data_type::f32;
constexpr auto inference = dnnl::prop_kind::forward_inference;

// Memory comes later, from bind.
memory unbound(const memory::desc& desc, const dnnl::engine& engine) {
  return {desc, engine, DNNL_MEMORY_NONE};
}

float* floats(const memory& memory) {
  return static_cast<float*>(memory.get_data_handle());
}

dnnl::primitive_attr user_scratchpad() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

}  // namespace

tag preferred_layout(const dnnl::engine& engine) {
  const memory::desc activation({1, 256, 64, 64}, f32, tag::any);
  const dnnl::convolution_forward::desc desc(inference, dnnl::algorithm::convolution_direct, activation,
                                             memory::desc({256, 256, 3, 3}, f32, tag::any), activation,
                                             {1, 1}, {1, 1}, {1, 1});
  const memory::desc chosen = dnnl::convolution_forward::primitive_desc(desc, engine).dst_desc();
  for (const tag candidate : {tag::nChw8c, tag::nChw16c})
    if (chosen == memory::desc(chosen.dims(), f32, candidate)) return candidate;
  return tag::nhwc;
}

CompiledShape::CompiledShape(const Plan& plan, ops::Size size, tag layout, PackedWeights& weights,
                             dnnl::stream& stream)
    : size_(size),
      engine_(stream.get_engine()),
      sizes_(value_sizes(plan, size)),
      input_(plan.input),
      channels_last_input_(layout == tag::nhwc) {
  for (std::size_t value = 0; value < sizes_.size(); ++value) {
    const bool planar = static_cast<int>(value) == plan.input && !channels_last_input_;
    const memory::dims dims{1, plan.channels[value], sizes_[value].height, sizes_[value].width};
    values_.push_back(unbound({dims, f32, planar ? tag::nchw : layout}, engine_));
  }
  for (const Step& step : plan.steps) switch (step.kind) {
      case Step::Kind::convolve:
        add_convolution(step, plan.convolutions[step.convolution], weights, stream);
        break;
      case Step::Kind::max_pool:
        add_pooling(step, 3);
        break;
      case Step::Kind::subsample:
        add_pooling(step, 1);
        break;
      case Step::Kind::upsample:
        add_upsampling(step);
        break;
    }
  for (int level = 0; level < ops::roi_levels; ++level)
    features_[level] = add_channels_last_copy(plan.pyramid[level], Stage::fpn);
  for (int level = 0; level < ops::pyramid_levels; ++level) {
    rpn_[level] = add_channels_last_copy(plan.rpn[level], Stage::rpn);
    anchors_[level] = ops::anchor_grid(plan.cell_anchors[level], sizes_[plan.rpn[level]], size);
  }
  place(plan);
}

void CompiledShape::add_convolution(const Step& step, const Convolution& convolution, PackedWeights& weights,
                                    dnnl::stream& stream) {
  const int kernel = convolution.kernel;
  const memory::dims strides{convolution.stride, convolution.stride};
  const memory::dims padding{(kernel - 1) / 2, (kernel - 1) / 2};
  const memory& output = values_[step.output];
  const dnnl::convolution_forward::desc desc(
      inference, dnnl::algorithm::convolution_direct, values_[step.input].get_desc(),
      memory::desc({convolution.out_channels, convolution.in_channels, kernel, kernel}, f32, tag::any),
      memory::desc({convolution.out_channels}, f32, tag::x), output.get_desc(), strides, padding, padding);
  dnnl::post_ops after;
  if (step.accumulate) after.append_sum(1.0F);
  if (convolution.relu) after.append_eltwise(1.0F, dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
  dnnl::primitive_attr attributes = user_scratchpad();
  attributes.set_post_ops(after);
  const dnnl::convolution_forward::primitive_desc primitive(desc, attributes, engine_);
  add_command(step.stage, dnnl::convolution_forward(primitive), primitive.scratchpad_desc(),
              {{DNNL_ARG_SRC, values_[step.input]},
               {DNNL_ARG_WEIGHTS, weights.weights(step.convolution, primitive.weights_desc(), stream)},
               {DNNL_ARG_BIAS, weights.bias(step.convolution)},
               {DNNL_ARG_DST, output}});
}

void CompiledShape::add_pooling(const Step& step, int kernel) {
  const memory& input = values_[step.input];
  const memory& output = values_[step.output];
  const ops::Size in = sizes_[step.input], out = sizes_[step.output];
  const int before = (kernel - 1) / 2;
  const auto after = [&](int in_length, int out_length) {
    return 2 * (out_length - 1) + kernel - in_length - before;
  };
  const dnnl::pooling_forward::desc desc(inference, dnnl::algorithm::pooling_max, input.get_desc(),
                                         output.get_desc(), {2, 2}, {kernel, kernel}, {before, before},
                                         {after(in.height, out.height), after(in.width, out.width)});
  const dnnl::pooling_forward::primitive_desc primitive(desc, user_scratchpad(), engine_);
  add_command(step.stage, dnnl::pooling_forward(primitive), primitive.scratchpad_desc(),
              {{DNNL_ARG_SRC, input}, {DNNL_ARG_DST, output}});
}

void CompiledShape::add_upsampling(const Step& step) {
  const memory& input = values_[step.input];
  const memory& output = values_[step.output];
  const dnnl::resampling_forward::desc desc(inference, dnnl::algorithm::resampling_nearest, input.get_desc(),
                                            output.get_desc());
  const dnnl::resampling_forward::primitive_desc primitive(desc, user_scratchpad(), engine_);
  add_command(step.stage, dnnl::resampling_forward(primitive), primitive.scratchpad_desc(),
              {{DNNL_ARG_SRC, input}, {DNNL_ARG_DST, output}});
}

memory CompiledShape::add_channels_last_copy(int value, Stage stage) {
  const memory::desc source = values_[value].get_desc();
  const memory::desc wanted(source.dims(), f32, tag::nhwc);
  if (source == wanted) return values_[value];
  memory copy = unbound(wanted, engine_);
  const dnnl::reorder::primitive_desc primitive(engine_, source, engine_, wanted, user_scratchpad());
  add_command(stage, dnnl::reorder(primitive), primitive.scratchpad_desc(),
              {{DNNL_ARG_FROM, values_[value]}, {DNNL_ARG_TO, copy}});
  return copy;
}

void CompiledShape::add_command(Stage stage, const dnnl::primitive& primitive, const memory::desc& scratchpad,
                                std::unordered_map<int, memory> arguments) {
  if (scratchpad.get_size() > 0) {
    scratchpads_.push_back(unbound(scratchpad, engine_));
    arguments[DNNL_ARG_SCRATCHPAD] = scratchpads_.back();
  }
  commands_.push_back({stage, primitive, std::move(arguments)});
}

// Activations share memory where their lifetimes don't overlap. Results stay until the next run; all
// scratchpads are one, since primitives run one after another.
void CompiledShape::place(const Plan& plan) {
  const int end = static_cast<int>(plan.steps.size());
  std::vector<memory> memories = values_;
  std::vector<Lifetime> lifetimes;
  for (const memory& value : values_) lifetimes.push_back({value.get_desc().get_size(), end, 0});
  lifetimes[plan.input].first = 0;
  for (int step = 0; step < end; ++step)
    for (const int value : {plan.steps[step].input, plan.steps[step].output}) {
      lifetimes[value].first = std::min(lifetimes[value].first, step);
      lifetimes[value].last = step;
    }
  for (const auto* results : {plan.pyramid.data(), plan.rpn.data()})
    for (int level = 0; level < ops::pyramid_levels; ++level) lifetimes[results[level]].last = end;
  const auto add = [&](const memory& memory, int first) {
    memories.push_back(memory);
    lifetimes.push_back({memory.get_desc().get_size(), first, end});
  };
  for (const memory& feature : features_) add(feature, 0);
  for (const memory& outputs : rpn_) add(outputs, 0);
  std::size_t scratchpad = 0;
  for (const memory& one : scratchpads_) scratchpad = std::max(scratchpad, one.get_desc().get_size());
  lifetimes.push_back({scratchpad, 0, end});
  bytes_ = lay_out(lifetimes);
  for (std::size_t i = 0; i < memories.size(); ++i) placements_.push_back({memories[i], lifetimes[i].offset});
  for (const memory& one : scratchpads_) placements_.push_back({one, lifetimes.back().offset});
}

void CompiledShape::bind(void* memory) {
  for (Placement& placement : placements_)
    placement.memory.set_data_handle(static_cast<char*>(memory) + placement.offset);
}

void CompiledShape::run(Stage stage, dnnl::stream& stream) const {
  for (const Command& command : commands_)
    if (command.stage == stage) command.primitive.execute(stream, command.arguments);
  stream.wait();
}

ops::InputView CompiledShape::input() const {
  const std::ptrdiff_t pixels = static_cast<std::ptrdiff_t>(size_.width) * size_.height;
  float* data = floats(values_[input_]);
  if (channels_last_input_) return {data, 1, 3 * static_cast<std::ptrdiff_t>(size_.width), 3, size_};
  return {data, pixels, size_.width, 1, size_};
}

ops::FeatureMap CompiledShape::feature(int level) const {
  const memory::dims dims = features_[level].get_desc().dims();
  return {floats(features_[level]), static_cast<int>(dims[3]), static_cast<int>(dims[2])};
}

ops::RpnLevel CompiledShape::rpn_level(int level) const {
  return {floats(rpn_[level]), &anchors_[level]};
}

}  // namespace smearscope::network
