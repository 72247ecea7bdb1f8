// What cells were taken for.
#pragma once

#include <cstddef>
#include <vector>

#include "metrics/boxes.h"

namespace smearscope::metrics {

// count(truth, found); `background` as truth: nothing is there, as found: the cell was missed.
class Confusion {
 public:
  explicit Confusion(std::size_t categories) : side_(categories + 1), counts_(side_ * side_) {}

  std::size_t background() const { return side_ - 1; }
  std::size_t count(std::size_t truth, std::size_t found) const { return counts_[truth * side_ + found]; }
  void add(std::size_t truth, std::size_t found) { ++counts_[truth * side_ + found]; }

 private:
  std::size_t side_;
  std::vector<std::size_t> counts_;
};

// Of the pairs of detections with a score above `threshold` (pairing.h).
Confusion confusion_of(const Data& data, Labels labels, double threshold);

}  // namespace smearscope::metrics
