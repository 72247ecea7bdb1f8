#include "network/cuda_operations.h"

#include <ATen/ATen.h>
#include <c10/core/DeviceGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <cstring>
#include <string>

#include "network/roi_align.h"
#include "network/roi_align_kernels.h"
#include "network/upload.h"
#include "ops/proposals.h"
#include "smearscope/error.h"

namespace smearscope::training {
namespace {

ops::DeviceStream stream_of(const at::Tensor& tensor) {
  return c10::cuda::getCurrentCUDAStream(tensor.device().index()).stream();
}

template <typename T>
RoiPyramid<T> pyramid_of(const std::array<at::Tensor, 4>& levels) {
  RoiPyramid<T> pyramid;
  pyramid.images = static_cast<int>(levels[0].size(0));
  pyramid.channels = static_cast<int>(levels[0].size(1));
  for (std::size_t i = 0; i < levels.size(); ++i) {
    pyramid.levels[i] = {levels[i].data_ptr<float>(), static_cast<int>(levels[i].size(2)),
                         static_cast<int>(levels[i].size(3))};
  }
  return pyramid;
}

// Plain structs of 32-bit numbers, as they are, on the device.
template <typename T>
at::Tensor upload_structs(const std::vector<T>& values, c10::Device device) {
  at::Tensor host = at::empty({static_cast<std::int64_t>(values.size() * sizeof(T))}, at::kByte);
  std::memcpy(host.data_ptr(), values.data(), values.size() * sizeof(T));
  return upload(host, at::TensorOptions(device).dtype(at::kByte));
}

}  // namespace

bool has_cuda_operations() {
  return true;
}

at::Tensor cuda_roi_align(const std::array<at::Tensor, 4>& levels, const at::Tensor& rois) {
  const at::DeviceGuard guard(rois.device());
  at::Tensor out = at::empty({rois.size(0), roi_bins, roi_bins, levels[0].size(1)}, rois.options());
  roi_align_kernels(pyramid_of<const float>(levels), rois.data_ptr<float>(), static_cast<int>(rois.size(0)),
                    out.data_ptr<float>(), stream_of(rois));
  return out;
}

std::array<at::Tensor, 4> cuda_roi_align_gradient(const at::Tensor& grad, const at::Tensor& rois,
                                                  const std::vector<std::int64_t>& shapes) {
  const at::DeviceGuard guard(grad.device());
  std::array<at::Tensor, 4> levels;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    levels[i] = at::empty(at::IntArrayRef(shapes.data() + i * 4, 4),
                          grad.options().memory_format(at::MemoryFormat::ChannelsLast));
  }
  roi_align_gradient_kernels(grad.data_ptr<float>(), rois.data_ptr<float>(), static_cast<int>(rois.size(0)),
                             pyramid_of<float>(levels), stream_of(grad));
  return levels;
}

namespace {

// The RPN's outputs as the engine's kernels read them: per level [N, H, W, 5 A], logits before deltas.
struct Outputs {
  std::vector<at::Tensor> levels;  // own what `rpn` points to
  at::Tensor cells;
  ops::DeviceRpn rpn;
};

Outputs outputs_of(const AnchorSet& anchors, const at::Tensor& logits, const at::Tensor& deltas) {
  Outputs outputs;
  const auto per_position = static_cast<std::int64_t>(anchors.levels[0].cells.size());
  std::vector<Box> cells;
  for (const AnchorLevel& level : anchors.levels)
    cells.insert(cells.end(), level.cells.begin(), level.cells.end());
  outputs.cells = upload_structs(cells, logits.device());
  outputs.rpn.cell_count = static_cast<int>(per_position);
  outputs.rpn.channels = static_cast<int>(5 * per_position);
  std::int64_t first = 0;
  for (std::size_t i = 0; i < anchors.levels.size(); ++i) {
    const AnchorLevel& level = anchors.levels[i];
    const std::int64_t count = anchors.level_sizes[i];
    const auto positions = [&](const at::Tensor& all, std::int64_t values) {
      return all.slice(1, first, first + count).reshape({all.size(0), count / per_position, values});
    };
    outputs.levels.push_back(
        at::cat({positions(logits, per_position), positions(deltas, 4 * per_position)}, 2));
    const auto* const own_cells = reinterpret_cast<const Box*>(outputs.cells.data_ptr()) + i * per_position;
    outputs.rpn.levels[i] = {outputs.levels.back().data_ptr(),
                             own_cells,
                             {level.grid.width, level.grid.height},
                             {level.stride.width, level.stride.height},
                             static_cast<int>(first)};
    first += count;
  }
  outputs.rpn.anchors = static_cast<int>(first);
  return outputs;
}

// [N][most] boxes, then N counts, in one piece of memory, which one copy brings to the host.
std::vector<std::vector<Box>> read_proposals(const at::Tensor& memory, std::size_t images, std::size_t most) {
  const at::Tensor host = memory.to(at::kCPU);
  const auto* const boxes = reinterpret_cast<const Box*>(host.data_ptr());
  const auto* const counts = reinterpret_cast<const int*>(boxes + images * most);
  std::vector<std::vector<Box>> proposals;
  for (std::size_t i = 0; i < images; ++i)
    proposals.emplace_back(boxes + i * most, boxes + i * most + counts[i]);
  return proposals;
}

}  // namespace

std::vector<std::vector<Box>> cuda_propose(const AnchorSet& anchors, const at::Tensor& logits,
                                           const at::Tensor& deltas, const std::vector<Size>& sizes,
                                           const ProposalLimits& limits) {
  if (limits.pre_nms_top_n > ops::most_sorted || limits.post_nms_top_n > ops::most_sorted) {
    throw Error(
        "on a GPU at most " + std::to_string(ops::most_sorted) +
        " proposals before and after non-maximum suppression: lower proposals_before_nms and proposals");
  }
  const c10::Device device = logits.device();
  const at::DeviceGuard guard(device);
  const auto images = static_cast<int>(sizes.size());
  const auto most = static_cast<std::size_t>(limits.post_nms_top_n);
  const Outputs outputs = outputs_of(anchors, logits.detach().to(at::kFloat), deltas.detach().to(at::kFloat));
  std::vector<ops::Size> resized;
  for (const Size& size : sizes) resized.push_back({size.width, size.height});
  const at::Tensor device_sizes = upload_structs(resized, device);
  Architecture architecture;  // of which the kernels read the limits alone
  architecture.rpn_pre_nms_top_n = limits.pre_nms_top_n;
  architecture.rpn_post_nms_top_n = limits.post_nms_top_n;
  architecture.rpn_nms_threshold = limits.nms_threshold;

  const auto bytes = at::TensorOptions(device).dtype(at::kByte);
  ops::DeviceBlock measured;
  ops::DeviceProposalScratch::take(measured, images, outputs.rpn.anchors, architecture);
  const at::Tensor scratch_memory = at::empty({static_cast<std::int64_t>(measured.bytes())}, bytes);
  ops::DeviceBlock block(scratch_memory.data_ptr());
  const auto scratch = ops::DeviceProposalScratch::take(block, images, outputs.rpn.anchors, architecture);
  const std::size_t box_bytes = sizes.size() * most * sizeof(Box);
  const at::Tensor found =
      at::empty({static_cast<std::int64_t>(box_bytes + sizes.size() * sizeof(int))}, bytes);
  auto* const memory = static_cast<char*>(found.data_ptr());
  ops::propose_cuda(outputs.rpn, reinterpret_cast<const ops::Size*>(device_sizes.data_ptr()), images,
                    architecture, scratch, reinterpret_cast<Box*>(memory),
                    reinterpret_cast<int*>(memory + box_bytes), stream_of(logits));
  return read_proposals(found, sizes.size(), most);
}

}  // namespace smearscope::training
