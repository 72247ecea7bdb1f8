// Random numbers that are the same everywhere: the standard library's generators are portable, its
// distributions not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace smearscope::training {

// SplitMix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators").
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  // A generator for one purpose: all that is random at a step follows from the run's seed and the step's
  // number, so a resumed run draws what an uninterrupted one would have drawn.
  Random(std::uint64_t seed, std::uint64_t purpose, std::uint64_t number) : state_(seed) {
    state_ = next() ^ (purpose * 0xD1342543DE82EF95U);
    state_ = next() ^ (number * 0xDA942042E4DD58B5U);
  }

  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15U);
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31U);
  }
  double uniform() { return static_cast<double>(next() >> 11U) * 0x1p-53; }  // [0, 1)
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  std::size_t below(std::size_t limit) {
    return static_cast<std::size_t>(uniform() * static_cast<double>(limit));
  }
  bool coin() { return (next() >> 63U) != 0; }

  template <typename T>
  void shuffle(std::vector<T>& items) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

 private:
  std::uint64_t state_;
};

}  // namespace smearscope::training
