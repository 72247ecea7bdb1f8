// Images of any size -> one padded batch, as the network sees it (torchvision/models/detection/transform.py).
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "network/boxes.h"
#include "smearscope/model.h"

namespace smearscope::training {

struct ImageBatch {
  // [N, 3, H, W], H and W multiples of 32. Dense NCHW memory: with AVX2 oneDNN's weight gradients run over
  // twice as fast on its blocked layout, to which it reorders from here, as on channels-last memory.
  at::Tensor images;
  std::vector<Size> resized;   // each image's own part of it, before padding
  std::vector<Size> original;  // as given
};

// images: [3, H, W] f32 RGB in 0..1. Adjusted, normalised, resized and padded as `transform` says, but with
// `min_side`, all in `type` (f32 or f64). `least` is the padded size if the images need no larger one. Throws
// smearscope::Error on another shape or dtype, on no image at all, and on an empty one.
ImageBatch make_batch(const std::vector<at::Tensor>& images, const Transform& transform, int min_side,
                      at::ScalarType type, Size least = {});
// The padded size that make_batch would take.
Size padded_size(const std::vector<at::Tensor>& images, const Transform& transform, int min_side);

}  // namespace smearscope::training
