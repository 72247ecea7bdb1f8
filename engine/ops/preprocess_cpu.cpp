#include "ops/preprocess.h"

#include <omp.h>

#include <algorithm>
#include <cmath>

#include "ops/pixel_math.h"
#include "ops/simd.h"

namespace smearscope::ops {
namespace {

SMEARSCOPE_VECTORISED void add_scaled(float* sum, const float* values, float weight, std::ptrdiff_t count) {
  for (std::ptrdiff_t i = 0; i < count; ++i) sum[i] += weight * values[i];
}

// Adjusted and normalised rows of one frame, for one thread. Rows must be asked for in rising order; the
// unsharp mask keeps its window of rows in a ring.
class SourceRows {
 public:
  SourceRows(const Frame& frame, const Transform& transform, const std::vector<float>& weights, float* memory)
      : frame_(frame),
        transform_(transform),
        weights_(weights),
        row_floats_(3 * static_cast<std::ptrdiff_t>(frame.width)),
        row_(memory),
        ring_(memory + row_floats_),
        blurred_ring_(ring_ + window(weights) * row_floats_),
        edge_padded_(blurred_ring_ + window(weights) * row_floats_) {}

  // Floats of memory that an instance needs.
  static std::size_t memory_floats(int width, const std::vector<float>& weights) {
    const std::size_t row = 3 * static_cast<std::size_t>(width);
    if (weights.empty()) return row;
    return row * (1 + 2 * window(weights)) + width + 2 * weights.size();
  }

  // [3][width], valid until the next call.
  const float* read(int y) {
    if (weights_.empty())
      read_adjusted(y, row_);
    else
      sharpen(y);
    for (int channel = 0; channel < 3; ++channel) {
      const auto mean = static_cast<float>(transform_.mean[channel]);
      const auto std = static_cast<float>(transform_.std[channel]);
      float* values = row_ + static_cast<std::ptrdiff_t>(channel) * frame_.width;
      for (int x = 0; x < frame_.width; ++x) values[x] = normalise(values[x], mean, std);
    }
    return row_;
  }

 private:
  static std::ptrdiff_t window(const std::vector<float>& weights) {
    return weights.empty() ? 0 : 2 * static_cast<std::ptrdiff_t>(weights.size()) - 1;
  }

  // Contrast and brightness, unless they change nothing.
  void read_adjusted(int y, float* row) const {
    read_row_cpu(frame_, y, row);
    const ImageAdjustment& adjustment = transform_.adjustment;
    if (!adjusts(adjustment)) return;
    const auto contrast = static_cast<float>(adjustment.contrast);
    const auto brightness = static_cast<float>(adjustment.brightness);
    for (std::ptrdiff_t i = 0; i < row_floats_; ++i) row[i] = adjust(row[i], contrast, brightness);
  }

  void sharpen(int y) {
    const int radius = static_cast<int>(weights_.size()) - 1;
    const int last = frame_.height - 1;
    const int first_needed = std::max(0, y - radius);
    for (int line = std::max(next_, first_needed); line <= std::min(last, y + radius); ++line) {
      read_adjusted(line, slot(ring_, line));
      blur_along_row(slot(ring_, line), slot(blurred_ring_, line));
      next_ = line + 1;
    }
    std::fill(row_, row_ + row_floats_, 0.0F);
    for (int offset = -radius; offset <= radius; ++offset)
      add_scaled(row_, slot(blurred_ring_, std::clamp(y + offset, 0, last)), weights_[std::abs(offset)],
                 row_floats_);
    const auto amount = static_cast<float>(transform_.adjustment.unsharp_amount);
    const float* original = slot(ring_, y);
    for (std::ptrdiff_t i = 0; i < row_floats_; ++i) row_[i] = ops::sharpen(original[i], row_[i], amount);
  }

  void blur_along_row(const float* row, float* blurred) const {
    const std::ptrdiff_t radius = static_cast<std::ptrdiff_t>(weights_.size()) - 1;
    const std::ptrdiff_t width = frame_.width;
    for (int channel = 0; channel < 3; ++channel, row += width, blurred += width) {
      std::fill(edge_padded_, edge_padded_ + radius, row[0]);
      std::copy(row, row + width, edge_padded_ + radius);
      std::fill(edge_padded_ + radius + width, edge_padded_ + 2 * radius + width, row[width - 1]);
      std::fill(blurred, blurred + width, 0.0F);
      for (std::ptrdiff_t offset = -radius; offset <= radius; ++offset)
        add_scaled(blurred, edge_padded_ + radius + offset, weights_[std::abs(offset)], width);
    }
  }

  float* slot(float* ring, int y) const { return ring + y % window(weights_) * row_floats_; }

  const Frame& frame_;
  const Transform& transform_;
  const std::vector<float>& weights_;
  std::ptrdiff_t row_floats_;
  float* row_;
  float* ring_;          // adjusted rows
  float* blurred_ring_;  // the same rows, blurred along x
  float* edge_padded_;
  int next_ = 0;  // rows below this are in the ring, or were
};

// The rows of one thread, resized along x; the two rows used last are kept.
class ResizedRows {
 public:
  ResizedRows(SourceRows& source, const PreprocessScratch& columns, int in_width, int out_width,
              float* memory)
      : source_(source), columns_(columns), in_width_(in_width), out_width_(out_width), memory_(memory) {}

  static std::size_t memory_floats(int out_width) { return 6 * static_cast<std::size_t>(out_width); }

  const float* at(int y) {
    float* row = memory_ + (y % 2) * 3 * static_cast<std::ptrdiff_t>(out_width_);
    if (held_[y % 2] == y) return row;
    held_[y % 2] = y;
    const float* in = source_.read(y);
    float* out = row;
    for (int channel = 0; channel < 3; ++channel, in += in_width_, out += out_width_)
      for (int x = 0; x < out_width_; ++x)
        out[x] = blend(in[columns_.left[x]], in[columns_.right[x]], columns_.fraction[x]);
    return row;
  }

 private:
  SourceRows& source_;
  const PreprocessScratch& columns_;
  int in_width_, out_width_;
  float* memory_;
  int held_[2] = {-1, -1};
};

void write_row(const float* top, const float* bottom, float fraction, int y, int width,
               const InputView& output) {
  for (int channel = 0; channel < 3; ++channel, top += width, bottom += width) {
    float* out = output.data + channel * output.channel_stride + y * output.row_stride;
    for (int x = 0; x < output.size.width; ++x)
      out[x * output.pixel_stride] = x < width ? blend(top[x], bottom[x], fraction) : 0.0F;
  }
}

void write_zeros(int y, const InputView& output) {
  for (int channel = 0; channel < 3; ++channel)
    for (int x = 0; x < output.size.width; ++x)
      output.data[channel * output.channel_stride + y * output.row_stride + x * output.pixel_stride] = 0.0F;
}

void plan_columns(int in, int out, PreprocessScratch& scratch) {
  scratch.left.resize(out);
  scratch.right.resize(out);
  scratch.fraction.resize(out);
  for (int x = 0; x < out; ++x) {
    const ResizeSample sample = resize_sample(x, in, out);
    scratch.left[x] = sample.low;
    scratch.right[x] = sample.high;
    scratch.fraction[x] = sample.fraction;
  }
}

}  // namespace

void preprocess_cpu(const Frame& frame, const Transform& transform, Size resized, const InputView& output,
                    PreprocessScratch& scratch) {
  std::vector<float> weights;
  if (transform.adjustment.unsharp_amount != 0)
    weights = gaussian_weights(transform.adjustment.unsharp_sigma);
  plan_columns(frame.width, resized.width, scratch);
  const int threads = omp_get_max_threads();
  const std::size_t source_floats = SourceRows::memory_floats(frame.width, weights);
  if (static_cast<int>(scratch.per_thread.size()) < threads) scratch.per_thread.resize(threads);
  for (int thread = 0; thread < threads; ++thread)
    scratch.per_thread[thread].resize(source_floats + ResizedRows::memory_floats(resized.width));

#pragma omp parallel num_threads(threads)
  {
    const int thread = omp_get_thread_num();
    const int rows_each = (output.size.height + omp_get_num_threads() - 1) / omp_get_num_threads();
    float* memory = scratch.per_thread[thread].data();
    SourceRows source(frame, transform, weights, memory);
    ResizedRows rows(source, scratch, frame.width, resized.width, memory + source_floats);
    const int end = std::min((thread + 1) * rows_each, output.size.height);
    for (int y = thread * rows_each; y < end; ++y) {
      if (y >= resized.height) {
        write_zeros(y, output);
        continue;
      }
      const ResizeSample sample = resize_sample(y, frame.height, resized.height);
      const float* top = rows.at(sample.low);
      write_row(top, rows.at(sample.high), sample.fraction, y, resized.width, output);
    }
  }
}

}  // namespace smearscope::ops
