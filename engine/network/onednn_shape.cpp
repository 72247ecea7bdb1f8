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

tag preferred_layout(Precision precision, const dnnl::engine& engine) {
  const memory::data_type type = number_type(precision, 1, true).type;
  const memory::data_type weights = number_type(precision, 1, false).type;
  const memory::desc activation({1, 256, 64, 64}, type, tag::any);
  const dnnl::convolution_forward::desc desc(inference, dnnl::algorithm::convolution_direct, activation,
                                             memory::desc({256, 256, 3, 3}, weights, tag::any), activation,
                                             {1, 1}, {1, 1}, {1, 1});
  const memory::desc chosen = dnnl::convolution_forward::primitive_desc(desc, engine).dst_desc();
  for (const tag candidate : {tag::nChw8c, tag::nChw16c})
    if (chosen == memory::desc(chosen.dims(), type, candidate)) return candidate;
  return tag::nhwc;
}

CompiledShape::CompiledShape(const Plan& plan, ops::Size size, Precision precision, tag layout,
                             PackedWeights& weights, dnnl::stream& stream)
    : size_(size),
      precision_(precision),
      layout_(layout),
      engine_(stream.get_engine()),
      sizes_(value_sizes(plan, size)),
      channels_(plan.channels),
      values_(sizes_.size()),
      scales_(sizes_.size(), 1.0F),
      buffers_(static_cast<int>(sizes_.size())) {
  open_input(plan);
  for (const Step& step : plan.steps) switch (step.kind) {
      case Step::Kind::convolve:
        add_convolution(step, plan, weights, stream);
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

// Its place is that of `buffer`: a value's, or a new one's.
memory CompiledShape::add_view(const memory::desc& desc, int buffer) {
  views_.push_back({unbound(desc, engine_), buffer});
  return views_.back().memory;
}

// From here on the value holds numbers of this type.
void CompiledShape::open_value(int value, const NumberType& type) {
  const memory::dims dims{1, channels_[value], sizes_[value].height, sizes_[value].width};
  const memory::desc desc(dims, type.type, layout_);
  if (!values_[value] || values_[value].get_desc() != desc) values_[value] = add_view(desc, value);
  scales_[value] = type.scale;
}

// The image comes as floats, channel by channel unless all activations are channels last.
void CompiledShape::open_input(const Plan& plan) {
  const memory::desc desc({1, plan.channels[plan.input], size_.height, size_.width}, f32,
                          layout_ == tag::nhwc ? tag::nhwc : tag::nchw);
  if (precision_ == Precision::f32) {
    input_ = values_[plan.input] = add_view(desc, plan.input);
    return;
  }
  input_ = add_view(desc, buffers_++);
  open_value(plan.input, number_type(precision_, plan.input_range, false));
  add_reorder(Stage::backbone, input_, 1 / scales_[plan.input], values_[plan.input]);
}

// oneDNN's int8 convolution: numbers = scales * (sum of products of numbers + bias), then the numbers that
// are there already times the sum's scale are added.
void CompiledShape::add_convolution(const Step& step, const Plan& plan, PackedWeights& weights,
                                    dnnl::stream& stream) {
  const Convolution& convolution = plan.convolutions[step.convolution];
  const int kernel = convolution.kernel;
  const memory::dims strides{convolution.stride, convolution.stride};
  const memory::dims padding{(kernel - 1) / 2, (kernel - 1) / 2};
  const bool is_result = std::find(plan.rpn.begin(), plan.rpn.end(), step.output) != plan.rpn.end();
  const memory before = values_[step.output];
  const float before_scale = scales_[step.output];
  open_value(step.output,
             is_result ? NumberType{} : number_type(precision_, convolution.range, convolution.relu));
  const memory::data_type weights_type = number_type(precision_, 1, false).type;
  const dnnl::convolution_forward::desc desc(
      inference, dnnl::algorithm::convolution_direct, values_[step.input].get_desc(),
      memory::desc({convolution.out_channels, convolution.in_channels, kernel, kernel}, weights_type,
                   tag::any),
      memory::desc({convolution.out_channels}, f32, tag::x), values_[step.output].get_desc(), strides,
      padding, padding);
  dnnl::post_ops after;
  if (step.accumulate) after.append_sum(before_scale / scales_[step.output], before.get_desc().data_type());
  if (convolution.relu) after.append_eltwise(1.0F, dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
  dnnl::primitive_attr attributes = user_scratchpad();
  attributes.set_post_ops(after);
  memory bias = weights.bias(step.convolution);
  if (precision_ == Precision::int8) {
    std::vector<float> scales = weights.scales(step.convolution);
    bias = memory({{convolution.out_channels}, f32, tag::x}, engine_);
    for (std::size_t out = 0; out < scales.size(); ++out) {
      const float product = scales_[step.input] * scales[out];
      floats(bias)[out] = convolution.bias[out] / product;
      scales[out] = product / scales_[step.output];
    }
    attributes.set_output_scales(1 << 1, scales);
  }
  const dnnl::convolution_forward::primitive_desc primitive(desc, attributes, engine_);
  add_command(step.stage, dnnl::convolution_forward(primitive), primitive.scratchpad_desc(),
              {{DNNL_ARG_SRC, values_[step.input]},
               {DNNL_ARG_WEIGHTS, weights.weights(step.convolution, primitive.weights_desc(), stream)},
               {DNNL_ARG_BIAS, bias},
               {DNNL_ARG_DST, values_[step.output]}});
  if (!is_result) commands_.back().convolution = step.convolution;
}

// As its input's numbers.
void CompiledShape::open_alike(const Step& step) {
  open_value(step.output, {values_[step.input].get_desc().data_type(), scales_[step.input]});
}

void CompiledShape::add_pooling(const Step& step, int kernel) {
  open_alike(step);
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
  open_alike(step);
  const memory& input = values_[step.input];
  const memory& output = values_[step.output];
  const dnnl::resampling_forward::desc desc(inference, dnnl::algorithm::resampling_nearest, input.get_desc(),
                                            output.get_desc());
  const dnnl::resampling_forward::primitive_desc primitive(desc, user_scratchpad(), engine_);
  add_command(step.stage, dnnl::resampling_forward(primitive), primitive.scratchpad_desc(),
              {{DNNL_ARG_SRC, input}, {DNNL_ARG_DST, output}});
}

memory CompiledShape::add_channels_last_copy(int value, Stage stage) {
  const memory::desc wanted(values_[value].get_desc().dims(), f32, tag::nhwc);
  if (values_[value].get_desc() == wanted) return values_[value];
  memory copy = add_view(wanted, buffers_++);
  add_reorder(stage, values_[value], scales_[value], copy);
  return copy;
}

void CompiledShape::add_reorder(Stage stage, const memory& from, float scale, const memory& to) {
  dnnl::primitive_attr attributes = user_scratchpad();
  if (scale != 1) attributes.set_output_scales(0, {scale});
  const dnnl::reorder::primitive_desc primitive(engine_, from.get_desc(), engine_, to.get_desc(), attributes);
  add_command(stage, dnnl::reorder(primitive), primitive.scratchpad_desc(),
              {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}});
}

void CompiledShape::add_command(Stage stage, const dnnl::primitive& primitive, const memory::desc& scratchpad,
                                std::unordered_map<int, memory> arguments) {
  if (scratchpad.get_size() > 0) {
    scratchpads_.push_back(unbound(scratchpad, engine_));
    arguments[DNNL_ARG_SCRATCHPAD] = scratchpads_.back();
  }
  commands_.push_back({stage, primitive, std::move(arguments), -1});
}

// Activations share memory where their lifetimes don't overlap. Results stay until the next run, as do
// copies; all scratchpads are one, since primitives run one after another.
void CompiledShape::place(const Plan& plan) {
  const int end = static_cast<int>(plan.steps.size());
  const int values = static_cast<int>(values_.size());
  std::vector<Lifetime> lifetimes(static_cast<std::size_t>(buffers_) + 1, {0, 0, end});
  for (int value = 0; value < values; ++value)
    if (value != plan.input) lifetimes[value] = {0, end, 0};
  for (int step = 0; step < end; ++step)
    for (const int value : {plan.steps[step].input, plan.steps[step].output}) {
      lifetimes[value].first = std::min(lifetimes[value].first, step);
      lifetimes[value].last = step;
    }
  for (const auto* results : {plan.pyramid.data(), plan.rpn.data()})
    for (int level = 0; level < ops::pyramid_levels; ++level) lifetimes[results[level]].last = end;
  const auto enlarge = [](Lifetime& lifetime, const memory& memory) {
    lifetime.bytes = std::max(lifetime.bytes, memory.get_desc().get_size());
  };
  for (const View& view : views_) enlarge(lifetimes[view.buffer], view.memory);
  for (const memory& one : scratchpads_) enlarge(lifetimes.back(), one);
  bytes_ = lay_out(lifetimes);
  for (const Lifetime& lifetime : lifetimes) offsets_.push_back(lifetime.offset);
}

void CompiledShape::bind(void* memory) {
  char* const start = static_cast<char*>(memory);
  for (View& view : views_) view.memory.set_data_handle(start + offsets_[view.buffer]);
  for (dnnl::memory& one : scratchpads_) one.set_data_handle(start + offsets_.back());
}

void CompiledShape::run(Stage stage, dnnl::stream& stream, const Observer& observe) const {
  for (const Command& command : commands_) {
    if (command.stage != stage) continue;
    command.primitive.execute(stream, command.arguments);
    if (!observe || command.convolution < 0) continue;
    stream.wait();
    observe(command.convolution, command.arguments.at(DNNL_ARG_DST));
  }
  stream.wait();
}

ops::InputView CompiledShape::input() const {
  const std::ptrdiff_t pixels = static_cast<std::ptrdiff_t>(size_.width) * size_.height;
  if (layout_ == tag::nhwc)
    return {floats(input_), 1, 3 * static_cast<std::ptrdiff_t>(size_.width), 3, size_};
  return {floats(input_), pixels, size_.width, 1, size_};
}

ops::FeatureMap CompiledShape::feature(int level) const {
  const memory::dims dims = features_[level].get_desc().dims();
  return {floats(features_[level]), static_cast<int>(dims[3]), static_cast<int>(dims[2])};
}

ops::RpnLevel CompiledShape::rpn_level(int level) const {
  return {floats(rpn_[level]), &anchors_[level]};
}

}  // namespace smearscope::network
