// The region proposal network's outputs -> proposals of one image
// (torchvision/models/detection/rpn.py, filter_proposals, in evaluation mode).
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "ops/anchors.h"
#include "ops/device.h"
#include "ops/host_device.h"
#include "ops/nms.h"
#include "smearscope/model.h"

namespace smearscope::ops {

inline constexpr int pyramid_levels = 5;

// One level's raw outputs: [grid.height][grid.width][5 A] floats, channels last; channels 0..A-1 are the
// objectness logits, then A x (dx, dy, dw, dh).
struct RpnLevel {
  const float* outputs = nullptr;
  const AnchorGrid* anchors = nullptr;
};

inline constexpr float smallest_proposal_side = 1e-3F;

// The score that a logit stands for: its sigmoid.
SMEARSCOPE_HOST_DEVICE inline float objectness(float logit) {
  return 1 / (1 + std::exp(-logit));
}

struct ProposalScratch {
  struct Level {
    std::vector<float> logits;
    std::vector<std::uint64_t> keys;
    std::vector<std::uint32_t> best, kept;
    std::vector<Box> boxes;
    std::vector<float> scores;
    NmsScratch nms;
  };
  std::array<Level, pyramid_levels> levels;
  std::vector<Box> boxes;
  std::vector<float> scores;
  std::vector<std::uint64_t> keys;
  std::vector<std::uint32_t> order;
};

// Per level: the best rpn_pre_nms_top_n by logit are decoded, clipped to `image` (the resized, unpadded
// size), dropped if a side is below 1e-3, and thinned by NMS in order of score = sigmoid(logit). Then the
// best rpn_post_nms_top_n of all levels, by falling score; ties by level, then by rank in the level. Boxes
// are in pixels of the network's input.
void propose_cpu(const std::array<RpnLevel, pyramid_levels>& levels, Size image,
                 const Architecture& architecture, ProposalScratch& scratch, std::vector<Box>& proposals);

// One level's raw outputs for a batch, for kernels: [images][grid.height][grid.width][channels], the first 5
// A channels as in RpnLevel. `cells` are the A cell anchors, in device memory.
struct DeviceRpnLevel {
  const void* outputs = nullptr;
  const Box* cells = nullptr;
  Size grid, stride;     // as in AnchorGrid
  int first_anchor = 0;  // number of anchors in the levels before
};

struct DeviceRpn {
  DeviceRpnLevel levels[pyramid_levels];
  Element element = Element::f32;
  int cell_count = 0;  // A
  int channels = 0;    // of a position, with padding
  int anchors = 0;     // of all levels together
};

// What propose_cuda works with, in device memory. One take per DeviceBlock; the contents need not be set.
struct DeviceProposalScratch {
  std::uint32_t* order_keys = nullptr;       // [images][anchors]
  unsigned* histograms = nullptr;            // [images][levels][4096], then candidate_counts: cleared as one
  unsigned* candidate_counts = nullptr;      // [images][levels]
  unsigned long long* candidates = nullptr;  // [images][anchors]
  Box* boxes = nullptr;                      // [images][levels][pre_nms_top_n]
  unsigned long long* survivors = nullptr;   // [images][levels][pre_nms_top_n]
  unsigned* survivor_counts = nullptr;       // [images][levels]

  static DeviceProposalScratch take(DeviceBlock& block, int images, int anchors,
                                    const Architecture& architecture);
};

// The same as propose_cpu, for a batch: proposals [images][rpn_post_nms_top_n] and how many each image has,
// all in device memory. `resized` is the unpadded size of each image, in device memory. Ties as on the CPU.
// rpn_pre_nms_top_n and rpn_post_nms_top_n are at most most_sorted. Runs on `stream`, does not wait.
void propose_cuda(const DeviceRpn& rpn, const Size* resized, int images, const Architecture& architecture,
                  const DeviceProposalScratch& scratch, Box* proposals, int* counts, DeviceStream stream);

}  // namespace smearscope::ops
