#include "network/roi_align.h"

#include <ATen/ATen.h>
#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>

#include "network/cuda_operations.h"

namespace smearscope::training {

int roi_level(float area) {
  const float level = std::floor(4 + std::log2(std::sqrt(area) / 224.0F) + 1e-6F);
  return static_cast<int>(std::clamp(level, 2.0F, 5.0F)) - 2;
}

namespace {

// Which rows (or columns) one bin reads along one axis. Bilinear interpolation and the mean over samples are
// separable, so a bin is the outer product of two of these.
template <typename T>
struct Taps {
  std::array<int, 4> index{};
  std::array<T, 4> weight{};
  int count = 0;

  void add(int position, T value) {
    if (value == 0) return;
    for (int i = 0; i < count; ++i) {
      if (index[i] == position) {
        weight[i] += value;
        return;
      }
    }
    index[count] = position;
    weight[count++] = value;
  }
};

template <typename T>
using AxisTaps = std::array<Taps<T>, roi_bins>;

// start and end in units of the feature map, which has `size` positions.
template <typename T>
AxisTaps<T> taps_along(T start, T end, int size) {
  constexpr int samples = 2;
  const T bin = std::max(end - start, T(1)) / roi_bins;
  AxisTaps<T> axis;
  for (int b = 0; b < roi_bins; ++b) {
    for (int s = 0; s < samples; ++s) {
      T position = start + b * bin + (s + T(0.5)) * bin / samples;
      if (!(position >= -1 && position <= size)) continue;  // outside by more than a pixel: counts as 0
      position = std::max(position, T(0));
      const int low = std::min(static_cast<int>(position), size - 1);
      const int high = std::min(low + 1, size - 1);
      const T fraction = low == high ? T(0) : position - low;
      axis[b].add(low, (1 - fraction) / samples);
      axis[b].add(high, fraction / samples);
    }
  }
  return axis;
}

// One level's memory: [N, H, W, C] dense.
template <typename T>
struct Map {
  T* data = nullptr;
  int height = 0, width = 0;
  std::int64_t channels = 0;

  T* at(std::int64_t image, int y, int x) const {
    return data + ((image * height + y) * width + x) * channels;
  }
};

template <typename T>
std::array<Map<T>, 4> maps_of(const std::array<at::Tensor, 4>& levels) {
  std::array<Map<T>, 4> maps;
  for (int i = 0; i < 4; ++i) {
    maps[i] = {levels[i].data_ptr<T>(), static_cast<int>(levels[i].size(2)),
               static_cast<int>(levels[i].size(3)), levels[i].size(1)};
  }
  return maps;
}

template <typename T>
struct Roi {
  std::int64_t image = 0;
  int level = 0;
  AxisTaps<T> y, x;
};

template <typename T>
Roi<T> roi_at(const T* row, const std::array<Map<T>, 4>& maps) {
  Roi<T> roi;
  roi.image = static_cast<std::int64_t>(row[0]);
  roi.level = roi_level(static_cast<float>((row[3] - row[1]) * (row[4] - row[2])));
  const T scale = T(1) / (4 << roi.level);
  roi.x = taps_along(row[1] * scale, row[3] * scale, maps[roi.level].width);
  roi.y = taps_along(row[2] * scale, row[4] * scale, maps[roi.level].height);
  return roi;
}

// Calls visit(bin, y, x, weight) for each pixel that each bin reads.
template <typename T, typename Visit>
void for_each_tap(const Roi<T>& roi, const Visit& visit) {
  for (int by = 0; by < roi_bins; ++by) {
    for (int bx = 0; bx < roi_bins; ++bx) {
      const Taps<T>&y = roi.y[by], &x = roi.x[bx];
      for (int i = 0; i < y.count; ++i) {
        for (int j = 0; j < x.count; ++j) {
          visit(by * roi_bins + bx, y.index[i], x.index[j], y.weight[i] * x.weight[j]);
        }
      }
    }
  }
}

template <typename T>
void pool(const std::array<Map<T>, 4>& maps, const T* rois, std::int64_t count, T* out) {
  const std::int64_t channels = maps[0].channels;
  at::parallel_for(0, count, 8, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      const Roi<T> roi = roi_at(rois + r * 5, maps);
      T* bins = out + r * roi_bins * roi_bins * channels;
      for_each_tap(roi, [&](int bin, int y, int x, T weight) {
        const T* __restrict from = maps[roi.level].at(roi.image, y, x);
        T* __restrict to = bins + bin * channels;
        for (std::int64_t c = 0; c < channels; ++c) to[c] += weight * from[c];
      });
    }
  });
}

// The transpose of pool. Tasks own disjoint slices (image, channels), so sums are in RoI order whatever the
// threads.
template <typename T>
void scatter(const std::array<Map<T>, 4>& maps, std::int64_t images, const T* rois, std::int64_t count,
             const T* grad) {
  constexpr std::int64_t slice = 64;
  const std::int64_t channels = maps[0].channels;
  const std::int64_t slices = (channels + slice - 1) / slice;
  at::parallel_for(0, images * slices, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t task = begin; task < end; ++task) {
      const std::int64_t first = task % slices * slice;
      const std::int64_t last = std::min(first + slice, channels);
      for (std::int64_t r = 0; r < count; ++r) {
        if (static_cast<std::int64_t>(rois[r * 5]) != task / slices) continue;
        const Roi<T> roi = roi_at(rois + r * 5, maps);
        const T* bins = grad + r * roi_bins * roi_bins * channels;
        for_each_tap(roi, [&](int bin, int y, int x, T weight) {
          const T* __restrict from = bins + bin * channels;
          T* __restrict to = maps[roi.level].at(roi.image, y, x);
          for (std::int64_t c = first; c < last; ++c) to[c] += weight * from[c];
        });
      }
    }
  });
}

void check(const std::array<at::Tensor, 4>& levels, const at::Tensor& rois) {
  for (const at::Tensor& level : levels) {
    TORCH_CHECK(level.device() == rois.device() && (level.is_cpu() || level.is_cuda()),
                "roi_align: levels and rois must be on one device, a CPU or CUDA's");
    TORCH_CHECK(level.dim() == 4 && level.size(0) == levels[0].size(0) && level.size(1) == levels[0].size(1),
                "roi_align: levels must be [N, C, H, W] with one N and one C");
    TORCH_CHECK(level.scalar_type() == rois.scalar_type(), "roi_align: rois must have the levels' dtype");
  }
  TORCH_CHECK(rois.dim() == 2 && rois.size(1) == 5, "roi_align: rois must be [R, 5]");
  TORCH_CHECK(rois.is_cpu() || rois.scalar_type() == at::kFloat, "roi_align: on CUDA f32 alone");
  if (rois.is_cpu() && rois.size(0) > 0) {
    const at::Tensor image = rois.select(1, 0);
    TORCH_CHECK(image.min().item<double>() >= 0 &&
                    image.max().item<double>() < static_cast<double>(levels[0].size(0)),
                "roi_align: image index out of range");
  }
}

at::Tensor cpu_roi_align(const std::array<at::Tensor, 4>& levels, const at::Tensor& rois) {
  at::Tensor out = at::zeros({rois.size(0), roi_bins, roi_bins, levels[0].size(1)}, levels[0].options());
  AT_DISPATCH_FLOATING_TYPES(rois.scalar_type(), "roi_align", [&] {
    pool(maps_of<scalar_t>(levels), rois.data_ptr<scalar_t>(), rois.size(0), out.data_ptr<scalar_t>());
  });
  return out;
}

// shapes: of the levels, one after another.
std::array<at::Tensor, 4> cpu_roi_align_gradient(const at::Tensor& grad, const at::Tensor& rois,
                                                 const std::vector<std::int64_t>& shapes) {
  std::array<at::Tensor, 4> levels;
  for (int i = 0; i < 4; ++i) {
    const at::IntArrayRef shape(shapes.data() + i * 4, 4);
    levels[i] = at::empty(shape, grad.options().memory_format(at::MemoryFormat::ChannelsLast)).zero_();
  }
  AT_DISPATCH_FLOATING_TYPES(grad.scalar_type(), "roi_align_backward", [&] {
    scatter(maps_of<scalar_t>(levels), shapes[0], rois.data_ptr<scalar_t>(), rois.size(0),
            grad.data_ptr<scalar_t>());
  });
  return levels;
}

class RoiAlign : public torch::autograd::Function<RoiAlign> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& p2,
                            const at::Tensor& p3, const at::Tensor& p4, const at::Tensor& p5,
                            const at::Tensor& rois) {
    check({p2, p3, p4, p5}, rois);
    std::array<at::Tensor, 4> levels{p2, p3, p4, p5};
    for (at::Tensor& level : levels) level = level.contiguous(at::MemoryFormat::ChannelsLast);
    const at::Tensor dense_rois = rois.contiguous();
    context->save_for_backward({dense_rois});
    std::vector<std::int64_t> shapes;
    for (const at::Tensor& level : levels)
      shapes.insert(shapes.end(), level.sizes().begin(), level.sizes().end());
    context->saved_data["shapes"] = shapes;
    return rois.is_cuda() ? cuda_roi_align(levels, dense_rois) : cpu_roi_align(levels, dense_rois);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list grads) {
    const at::Tensor grad = grads[0].contiguous();
    const at::Tensor rois = context->get_saved_variables()[0];
    const std::vector<std::int64_t> shapes = context->saved_data["shapes"].toIntVector();
    const auto levels = grad.is_cuda() ? cuda_roi_align_gradient(grad, rois, shapes)
                                       : cpu_roi_align_gradient(grad, rois, shapes);
    return {levels[0], levels[1], levels[2], levels[3], at::Tensor()};
  }
};

}  // namespace

at::Tensor roi_align(const std::array<at::Tensor, 4>& levels, const at::Tensor& rois) {
  return RoiAlign::apply(levels[0], levels[1], levels[2], levels[3], rois);
}

}  // namespace smearscope::training
