#include "smear/blur.h"

#include <algorithm>
#include <cmath>

namespace smearscope::smear {
namespace {

constexpr int passes = 3;

// A box of `radius` whole pixels to each side, and one more pixel at each end with weight `edge`; all divided
// by the sum.
struct Box {
  int radius;
  float edge, scale;
};

// The box whose variance is sigma^2 / passes: of the boxes of whole radius the largest that is not too wide,
// widened by its edge weight (Gwosdek et al., equation 9).
Box box_of(double sigma) {
  const double variance = sigma * sigma / passes;
  const int radius = static_cast<int>(std::floor((std::sqrt(12 * variance + 1) - 1) / 2));
  const double whole = 2 * radius + 1;
  const double edge =
      whole * (radius * (radius + 1.0) / 3 - variance) / (2 * (variance - (radius + 1.0) * (radius + 1.0)));
  return {radius, static_cast<float>(edge), static_cast<float>(1 / (whole + 2 * edge))};
}

// Running sums along x; `line` is scratch of the row with its edges repeated.
void box_rows(FloatImage& image, const Box& box, std::vector<float>& line) {
  const int reach = box.radius + 1, width = image.width;
  line.resize(static_cast<std::size_t>(width + 2 * reach) * 3);
  for (int row = 0; row < image.height; ++row) {
    float* values = image.values.data() + static_cast<std::size_t>(row) * width * 3;
    std::copy(values, values + width * 3, line.begin() + reach * 3);
    for (int i = 0; i < reach; ++i) {
      std::copy(values, values + 3, line.begin() + i * 3);
      std::copy(values + (width - 1) * 3, values + width * 3, line.begin() + (reach + width + i) * 3);
    }
    float sum[3] = {0, 0, 0};
    for (int i = 1; i < 2 * reach; ++i) {
      for (int c = 0; c < 3; ++c) sum[c] += line[i * 3 + c];
    }
    const float* first = line.data();
    const float* last = line.data() + 2 * reach * 3;
    for (int x = 0; x < width; ++x, first += 3, last += 3, values += 3) {
      for (int c = 0; c < 3; ++c) {
        values[c] = (sum[c] + box.edge * (first[c] + last[c])) * box.scale;
        sum[c] += last[c] - first[3 + c];
      }
    }
  }
}

void box_columns(const FloatImage& from, FloatImage& to, const Box& box, std::vector<float>& sum) {
  const int reach = box.radius + 1, length = from.width * 3;
  const auto line = [&](int row) {
    return from.values.data() + static_cast<std::size_t>(std::clamp(row, 0, from.height - 1)) * length;
  };
  sum.assign(static_cast<std::size_t>(length), 0);
  for (int row = 1 - reach; row < reach; ++row) {
    const float* values = line(row);
    for (int i = 0; i < length; ++i) sum[i] += values[i];
  }
  for (int row = 0; row < from.height; ++row) {
    const float* first = line(row - reach);
    const float* last = line(row + reach);
    const float* leaving = line(row - reach + 1);
    float* out = to.values.data() + static_cast<std::size_t>(row) * length;
    for (int i = 0; i < length; ++i) {
      out[i] = (sum[i] + box.edge * (first[i] + last[i])) * box.scale;
      sum[i] += last[i] - leaving[i];
    }
  }
}

}  // namespace

double blur_reach(double sigma) {
  return sigma > 0 ? passes * (box_of(sigma).radius + 1) : 0;
}

void blur(FloatImage& image, double sigma) {
  if (!(sigma > 0) || image.width == 0 || image.height == 0) return;
  const Box box = box_of(sigma);
  FloatImage other = image;
  std::vector<float> scratch;
  for (int pass = 0; pass < passes; ++pass) {
    box_rows(image, box, scratch);
    box_columns(image, other, box, scratch);
    std::swap(image.values, other.values);
  }
}

}  // namespace smearscope::smear
