#include "network/image_batch.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "network/upload.h"
#include "smearscope/error.h"

namespace smearscope::training {

namespace {

void check_image(const at::Tensor& image, std::size_t index) {
  const bool fits = image.defined() && image.dim() == 3 && image.size(0) == 3 && image.size(1) > 0 &&
                    image.size(2) > 0 &&
                    (image.scalar_type() == at::kFloat || image.scalar_type() == at::kByte);
  if (!fits)
    throw Error("image " + std::to_string(index) +
                ": must be a [3, H, W] f32 or u8 tensor that is not empty");
}

// Floor of side x scale, scale in double, as torchvision's eager code; but never less than one pixel.
Size resized_size(Size size, int min_side, int max_side) {
  const double least = std::min(size.height, size.width);
  const double most = std::max(size.height, size.width);
  const double scale = std::min(min_side / least, max_side / most);
  const auto side = [scale](int of) { return std::max(1, static_cast<int>(std::floor(of * scale))); };
  return {side(size.height), side(size.width)};
}

at::Tensor per_channel(const std::array<double, 3>& values, const at::Tensor& like) {
  const at::Tensor host = at::tensor(at::ArrayRef<double>(values.data(), 3), at::kDouble);
  return upload(host, like.options()).view({3, 1, 1});
}

// Gaussian of radius ceil(3 sigma) whose weights sum to 1; the image's edge pixels repeat outside it.
at::Tensor blur(const at::Tensor& image, double sigma) {
  const auto radius = static_cast<std::int64_t>(std::ceil(3 * sigma));
  const at::Tensor offsets = at::arange(-radius, radius + 1, image.options().dtype(at::kDouble));
  const at::Tensor exact = (-0.5 * offsets * offsets / (sigma * sigma)).exp();
  const at::Tensor weights = (exact / exact.sum()).to(image.scalar_type());
  at::Tensor x = at::replication_pad2d(image.unsqueeze(1), {radius, radius, radius, radius});
  x = at::conv2d(x, weights.view({1, 1, 1, -1}));
  return at::conv2d(x, weights.view({1, 1, -1, 1})).squeeze(1);
}

// See ImageAdjustment in smearscope/model.h.
at::Tensor adjust(const at::Tensor& image, const ImageAdjustment& adjustment) {
  at::Tensor x = image;
  if (adjustment.contrast != 1 || adjustment.brightness != 0) {
    x = ((x - 0.5) * adjustment.contrast + 0.5 + adjustment.brightness).clamp_(0, 1);
  }
  if (adjustment.unsharp_amount != 0) {
    x = (x + (x - blur(x, adjustment.unsharp_sigma)) * adjustment.unsharp_amount).clamp_(0, 1);
  }
  return x;
}

// 0..1, on the batch's device.
at::Tensor intensities(const at::Tensor& image, const at::TensorOptions& options) {
  const at::ScalarType type = c10::typeMetaToScalarType(options.dtype());
  const at::Tensor there = upload(image, image.options().device(options.device()));
  return there.scalar_type() == at::kByte ? there.to(at::kFloat).div_(255).to(type) : there.to(type);
}

int padded(int side) {
  return (side + 31) / 32 * 32;
}

Size size_of(const at::Tensor& image) {
  return {static_cast<int>(image.size(1)), static_cast<int>(image.size(2))};
}

}  // namespace

Size padded_size(const std::vector<at::Tensor>& images, const Transform& transform, int min_side) {
  Size largest;
  for (const at::Tensor& image : images) {
    const Size resized = resized_size(size_of(image), min_side, transform.max_side);
    largest.height = std::max(largest.height, resized.height);
    largest.width = std::max(largest.width, resized.width);
  }
  return {padded(largest.height), padded(largest.width)};
}

ImageBatch make_batch(const std::vector<at::Tensor>& images, const Transform& transform, int min_side,
                      const at::TensorOptions& options, Size least) {
  if (images.empty()) throw Error("no images: a batch needs at least one");
  ImageBatch batch;
  for (std::size_t i = 0; i < images.size(); ++i) {
    check_image(images[i], i);
    batch.original.push_back(size_of(images[i]));
    batch.resized.push_back(resized_size(batch.original[i], min_side, transform.max_side));
  }
  const Size needed = padded_size(images, transform, min_side);
  const Size whole{std::max(needed.height, least.height), std::max(needed.width, least.width)};
  const auto count = static_cast<std::int64_t>(images.size());
  batch.images = at::zeros({count, 3, whole.height, whole.width}, options);
  const at::Tensor mean = per_channel(transform.mean, batch.images);
  const at::Tensor std = per_channel(transform.std, batch.images);
  for (std::int64_t i = 0; i < count; ++i) {
    const at::Tensor normal = (adjust(intensities(images[i], options), transform.adjustment) - mean) / std;
    const Size size = batch.resized[i];
    const at::Tensor resized = size == batch.original[i]
                                   ? normal
                                   : at::upsample_bilinear2d(normal.unsqueeze(0), {size.height, size.width},
                                                             /*align_corners=*/false)
                                         .squeeze(0);
    batch.images[i].slice(1, 0, size.height).slice(2, 0, size.width).copy_(resized);
  }
  return batch;
}

}  // namespace smearscope::training
