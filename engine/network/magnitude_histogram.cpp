#include "network/magnitude_histogram.h"

#include <cmath>
#include <limits>

namespace smearscope::network {

void MagnitudeHistogram::add(const float* values, std::size_t count) {
  float factor = bins / top_;
  for (std::size_t i = 0; i < count; ++i) {
    const float magnitude = std::abs(values[i]);
    if (magnitude == 0 || !std::isfinite(magnitude)) continue;
    while (magnitude >= top_) {
      widen();
      factor = bins / top_;
    }
    ++counts_[static_cast<std::size_t>(magnitude * factor)];
    ++total_;
  }
}

// Twice the range, each bin as two were.
void MagnitudeHistogram::widen() {
  for (std::size_t i = 0; i < bins; ++i) counts_[i] = i < bins / 2 ? counts_[2 * i] + counts_[2 * i + 1] : 0;
  top_ *= 2;
}

double MagnitudeHistogram::best_range(int steps) const {
  const double width = double{top_} / bins;
  // Of the values beyond the range: how many, their sum and the sum of their squares.
  double beyond = 0, sum = 0, squares = 0;
  double best = 0, least = std::numeric_limits<double>::infinity();
  for (std::size_t bin = bins; bin > 0; --bin) {
    const double range = static_cast<double>(bin) * width, step = range / steps;
    const double error = (static_cast<double>(total_) - beyond) * step * step / 12 + squares -
                         2 * range * sum + beyond * range * range;
    if (total_ > 0 && error < least) {
      least = error;
      best = range;
    }
    const double count = static_cast<double>(counts_[bin - 1]), middle = range - width / 2;
    beyond += count;
    sum += count * middle;
    squares += count * middle * middle;
  }
  return best;
}

}  // namespace smearscope::network
