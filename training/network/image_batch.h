// Images of any size -> one padded batch, as the network sees it (torchvision/models/detection/transform.py).
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/TensorOptions.h>

#include <vector>

#include "network/boxes.h"
#include "smearscope/model.h"

namespace smearscope::training {

struct ImageBatch {
  at::Tensor images;           // [N, 3, H, W], H and W multiples of 32, channels last
  std::vector<Size> resized;   // each image's own part of it, before padding
  std::vector<Size> original;  // as given
};

// images: [3, H, W] RGB, f32 in 0..1 or u8 in 0..255. Adjusted, normalised, resized and padded as `transform`
// says, but with `min_side`, all in the dtype of `options` (f32 or f64) and on its device; a GPU gets the
// images as they are, and nothing waits for it. `least` is the padded size if the images need no larger one.
// Throws smearscope::Error on another shape or dtype, on no image at all, and on an empty one.
ImageBatch make_batch(const std::vector<at::Tensor>& images, const Transform& transform, int min_side,
                      const at::TensorOptions& options, Size least = {});
// The padded size that make_batch would take.
Size padded_size(const std::vector<at::Tensor>& images, const Transform& transform, int min_side);

}  // namespace smearscope::training
