#include "network/cuda/shape.h"

#include <algorithm>
#include <utility>

#include "ops/anchors.h"

namespace smearscope::network {

BatchInputs BatchInputs::take(ops::DeviceBlock& block, int images) {
  BatchInputs inputs;
  inputs.frames = block.take<ops::DeviceFrame>(images);
  inputs.resized = block.take<ops::Size>(images);
  inputs.selections = block.take<ops::DeviceSelection>(images);
  return inputs;
}

BatchMemory::BatchMemory(int most_images) {
  ops::DeviceBlock size;
  BatchInputs::take(size, most_images);
  input_bytes = size.bytes();
  host_inputs.require(input_bytes);
  device_inputs.require(input_bytes);
  ops::DeviceBlock host_block(host_inputs.get()), device_block(device_inputs.get());
  host = BatchInputs::take(host_block, most_images);
  device = BatchInputs::take(device_block, most_images);
  host_results.require(most_images * sizeof(ops::DeviceDetections));
  device_results.require(most_images * sizeof(ops::DeviceDetections));
  results = static_cast<ops::DeviceDetections*>(host_results.get());
  device_detections = static_cast<ops::DeviceDetections*>(device_results.get());
}

CudaShape::CudaShape(const DeviceModel& model, ops::Size padded, int images, CudaLibraries& libraries,
                     BatchMemory& batch, Choices& choices)
    : model_(model),
      padded_(padded),
      images_(images),
      libraries_(libraries),
      batch_(batch),
      choices_(choices),
      sizes_(value_sizes(model.plan, padded)) {
  rpn_.element = pyramid_.element = model.element;
  rpn_.cell_count = static_cast<int>(model.plan.cell_anchors[0].size());
  rpn_.channels = model.padded(5 * rpn_.cell_count);
  pyramid_.channels = model.padded(model.architecture.fpn_channels);
  for (int level = 0; level < ops::pyramid_levels; ++level) {
    const ops::AnchorGrid grid =
        ops::anchor_grid(model.plan.cell_anchors[level], sizes_[model.plan.rpn[level]], padded);
    rpn_.levels[level] = {nullptr, static_cast<const Box*>(model.cell_anchors[level].get()), grid.grid,
                          grid.stride, rpn_.anchors};
    rpn_.anchors += grid.count();
  }
  plan_memory();
  plan_box_head();
}

int CudaShape::add_slot(std::size_t bytes, int first, int last) {
  lifetimes_.push_back({bytes, first, last});
  return static_cast<int>(lifetimes_.size()) - 1;
}

// After the plan's steps come, as steps too: proposals, RoIAlign, fc6, fc7, predictor, postprocess. What
// postprocess leaves stays until the next run.
void CudaShape::plan_memory() {
  const Plan& plan = model_.plan;
  const int propose = static_cast<int>(plan.steps.size());
  const int align = propose + 1, fc6 = propose + 2, fc7 = propose + 3, predict = propose + 4,
            end = propose + 5;
  const std::size_t element = size_of(model_.element);
  const std::size_t rows = std::size_t{1} * images_ * model_.architecture.rpn_post_nms_top_n;
  for (std::size_t value = 0; value < sizes_.size(); ++value) {
    const std::size_t positions = std::size_t{1} * images_ * sizes_[value].width * sizes_[value].height;
    lifetimes_.push_back({positions * model_.padded(plan.channels[value]) * element, propose, 0});
  }
  lifetimes_[plan.input].first = 0;
  for (int step = 0; step < propose; ++step)
    for (const int value : {plan.steps[step].input, plan.steps[step].output}) {
      lifetimes_[value].first = std::min(lifetimes_[value].first, step);
      lifetimes_[value].last = step;
    }
  for (const int value : plan.rpn) lifetimes_[value].last = propose;
  for (int level = 0; level < ops::roi_levels; ++level) lifetimes_[plan.pyramid[level]].last = align;

  ops::DeviceBlock scratch, result;
  ops::DeviceProposalScratch::take(scratch, images_, rpn_.anchors, model_.architecture);
  ops::DevicePostprocessScratch::take(result, images_, model_.classes,
                                      model_.architecture.rpn_post_nms_top_n);
  slots_.proposal_scratch = add_slot(scratch.bytes(), propose, propose);
  slots_.proposals = add_slot(rows * sizeof(Box), propose, end);
  slots_.counts = add_slot(images_ * sizeof(int), propose, end);
  slots_.rois = add_slot(rows * model_.fc6.in * element, align, fc6);
  slots_.fc6 = add_slot(rows * model_.fc6.out * element, fc6, fc7);
  slots_.fc7 = add_slot(rows * model_.fc7.out * element, fc7, predict);
  slots_.outputs = add_slot(rows * model_.predictor.out * sizeof(float), predict, end);
  slots_.postprocess = add_slot(result.bytes(), end, end);
  slots_.workspace = add_slot(workspace_bytes, 0, end);
  bytes_ = lay_out(lifetimes_);
}

void CudaShape::plan_box_head() {
  const int rows = images_ * model_.architecture.rpn_post_nms_top_n;
  const auto make = [&](const DeviceWeights& weights, bool relu, ops::Element output) {
    return std::make_unique<Gemm>(
        libraries_.cublas(), GemmShape{rows, weights.in, weights.out, relu, false, model_.element, output});
  };
  fc6_ = make(model_.fc6, true, model_.element);
  fc7_ = make(model_.fc7, true, model_.element);
  predictor_ = make(model_.predictor, false, ops::Element::f32);
}

void CudaShape::prepare(void* arena) {
  if (arena == arena_ && graph_) return;
  graph_.reset();
  arena_ = arena;
  place_outputs();
  if (convolutions_.empty()) make_convolutions();
  record(false);  // loads all kernels, which a recording must not do
  libraries_.stream().wait();
  graph_ = std::make_unique<Graph>(libraries_.stream().get(), [this] { record(true); });
}

void CudaShape::place_outputs() {
  const Plan& plan = model_.plan;
  for (int level = 0; level < ops::pyramid_levels; ++level) rpn_.levels[level].outputs = at(plan.rpn[level]);
  for (int level = 0; level < ops::roi_levels; ++level) {
    const int value = plan.pyramid[level];
    pyramid_.levels[level] = {at(value), sizes_[value].width, sizes_[value].height};
  }
  ops::DeviceBlock scratch(at(slots_.proposal_scratch)), result(at(slots_.postprocess));
  proposal_scratch_ = ops::DeviceProposalScratch::take(scratch, images_, rpn_.anchors, model_.architecture);
  postprocess_ = ops::DevicePostprocessScratch::take(result, images_, model_.classes,
                                                     model_.architecture.rpn_post_nms_top_n);
}

void CudaShape::make_convolutions() {
  std::vector<std::unique_ptr<CudaConvolution>> made;
  for (const Step& step : model_.plan.steps) {
    made.emplace_back();
    if (step.kind != Step::Kind::convolve) continue;
    const Convolution& convolution = model_.plan.convolutions[step.convolution];
    const DeviceWeights& weights = model_.convolutions[step.convolution];
    const ConvolutionShape shape{
        images_,          weights.in,      weights.out,        convolution.kernel,  convolution.stride,
        convolution.relu, step.accumulate, sizes_[step.input], sizes_[step.output], model_.element};
    made.back() =
        std::make_unique<CudaConvolution>(shape, buffers_of(step), convolution.name, libraries_, choices_);
  }
  convolutions_ = std::move(made);
}

ConvolutionBuffers CudaShape::buffers_of(const Step& step) const {
  return {at(step.input), &model_.convolutions[step.convolution], at(step.output), at(slots_.workspace)};
}

void CudaShape::record(bool captured) {
  const cudaStream_t stream = libraries_.stream().get();
  const ops::Element element = model_.element;
  record_mark(Mark::begin, captured);
  check(cudaMemcpyAsync(batch_.device_inputs.get(), batch_.host_inputs.get(), batch_.input_bytes,
                        cudaMemcpyHostToDevice, stream),
        "uploading sizes");
  ops::preprocess_cuda(batch_.device.frames, images_, model_.device_transform, padded_, element,
                       at(model_.plan.input), stream);
  record_mark(Mark::preprocess, captured);
  record_stage(Stage::backbone);
  record_mark(Mark::backbone, captured);
  record_stage(Stage::fpn);
  record_mark(Mark::fpn, captured);

  auto* const proposals = static_cast<Box*>(at(slots_.proposals));
  auto* const counts = static_cast<int*>(at(slots_.counts));
  const int rois_each = model_.architecture.rpn_post_nms_top_n;
  record_stage(Stage::rpn);
  ops::propose_cuda(rpn_, batch_.device.resized, images_, model_.architecture, proposal_scratch_, proposals,
                    counts, stream);
  record_mark(Mark::rpn, captured);
  ops::roi_align_cuda(pyramid_, proposals, counts, images_, rois_each, at(slots_.rois), stream);
  record_mark(Mark::roi_pool, captured);
  record_box_head();
  record_mark(Mark::box_head, captured);
  ops::postprocess_cuda(proposals, counts, images_, rois_each, static_cast<const float*>(at(slots_.outputs)),
                        model_.predictor.out, model_.classes, batch_.device.selections, postprocess_,
                        batch_.device_detections, stream);
  check(cudaMemcpyAsync(batch_.results, batch_.device_detections, images_ * sizeof(ops::DeviceDetections),
                        cudaMemcpyDeviceToHost, stream),
        "downloading detections");
  record_mark(Mark::postprocess, captured);
}

void CudaShape::record_mark(Mark mark, bool captured) {
  const unsigned flags = captured ? cudaEventRecordExternal : cudaEventRecordDefault;
  check(cudaEventRecordWithFlags(events_[static_cast<int>(mark)].get(), libraries_.stream().get(), flags),
        "marking a stage");
}

void CudaShape::record_stage(Stage stage) {
  const std::vector<Step>& steps = model_.plan.steps;
  for (std::size_t i = 0; i < steps.size(); ++i)
    if (steps[i].stage == stage) record_step(steps[i], i);
}

void CudaShape::record_step(const Step& step, std::size_t index) {
  const cudaStream_t stream = libraries_.stream().get();
  const ops::DeviceMaps input{at(step.input), sizes_[step.input]},
      output{at(step.output), sizes_[step.output]};
  const int channels = model_.padded(model_.plan.channels[step.output]);
  switch (step.kind) {
    case Step::Kind::convolve:
      return convolutions_[index]->run(buffers_of(step));
    case Step::Kind::max_pool:
      return ops::max_pool_cuda(input, output, images_, channels, model_.element, stream);
    case Step::Kind::subsample:
      return ops::subsample_cuda(input, output, images_, channels, model_.element, stream);
    case Step::Kind::upsample:
      return ops::upsample_cuda(input, output, images_, channels, model_.element, stream);
  }
}

void CudaShape::record_box_head() {
  const auto run = [&](const Gemm& gemm, const DeviceWeights& weights, int from, int to) {
    gemm.run(at(from), weights.weights.get(), weights.bias.get(), at(to), at(slots_.workspace),
             libraries_.stream().get());
  };
  run(*fc6_, model_.fc6, slots_.rois, slots_.fc6);
  run(*fc7_, model_.fc7, slots_.fc6, slots_.fc7);
  run(*predictor_, model_.predictor, slots_.fc7, slots_.outputs);
}

double CudaShape::milliseconds(Mark mark) const {
  const int index = static_cast<int>(mark);
  return milliseconds_between(events_[index - 1], events_[index]);
}

}  // namespace smearscope::network
