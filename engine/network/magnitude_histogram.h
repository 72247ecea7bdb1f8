// How often activations of which magnitude come up, and at which range 8 bits show them best.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace smearscope::network {

class MagnitudeHistogram {
 public:
  // Counts finite values that are not 0, which any range shows exactly.
  void add(const float* values, std::size_t count);

  bool empty() const { return total_ == 0; }

  // The range r at which the mean squared error of storing the values in steps of r / `steps` is least:
  // step^2 / 12 for those within r, their distance from r squared for those beyond. 0 if empty.
  double best_range(int steps) const;

 private:
  void widen();

  static constexpr std::size_t bins = 4096;
  std::array<std::uint64_t, bins> counts_{};  // equal parts of 0 to top_
  float top_ = 0x1p-20F;                      // and no magnitude of interest is less than a 4096th of it
  std::uint64_t total_ = 0;
};

}  // namespace smearscope::network
