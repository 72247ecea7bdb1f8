// Seeded randomness of the procedural slide.
//
// Everything on the slide is a pure function of the seed and a place, so that any place can be made on demand
// and is always the same. Nothing here keeps global state; all functions may be called from any thread.
#pragma once

#include <cmath>
#include <cstdint>

namespace smearscope::smear {

// One round of SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014):
// a bijection of 64-bit words whose outputs pass BigCrush when the inputs are consecutive.
inline std::uint64_t mix(std::uint64_t word) {
  word += 0x9e3779b97f4a7c15ull;
  word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9ull;
  word = (word ^ (word >> 27)) * 0x94d049bb133111ebull;
  return word ^ (word >> 31);
}

inline std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  return mix(mix(a) ^ b);
}

// A stream of random numbers; two streams of the same seed are equal.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    const std::uint64_t word = mix(state_);
    state_ += 0x9e3779b97f4a7c15ull;
    return word;
  }
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }  // [0, 1)
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  bool chance(double probability) { return uniform() < probability; }
  int below(int count) { return static_cast<int>(uniform() * count); }  // 0 .. count - 1

  // Standard normal, by Box and Muller.
  double normal() {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    return radius * std::cos(6.283185307179586 * uniform());
  }
  double normal(double mean, double deviation) { return mean + deviation * normal(); }

  // Poisson by Knuth's product of uniforms; for means up to a few hundred.
  int poisson(double mean) {
    const double limit = std::exp(-mean);
    int count = 0;
    for (double product = uniform(); product > limit; product *= uniform()) ++count;
    return count;
  }

 private:
  std::uint64_t state_;
};

// A fast hash of a lattice point, in [0, 1).
inline float lattice_value(std::uint32_t seed, std::int32_t column, std::int32_t row) {
  std::uint32_t h =
      seed + static_cast<std::uint32_t>(column) * 0x8da6b343u + static_cast<std::uint32_t>(row) * 0xd8163841u;
  h = (h ^ (h >> 16)) * 0x7feb352du;
  h = (h ^ (h >> 15)) * 0x846ca68bu;
  h ^= h >> 16;
  return static_cast<float>(h >> 8) * 0x1p-24f;
}

// Value noise with lattice spacing 1: continuous, in [-1, 1], mean about 0.
inline float value_noise(std::uint32_t seed, float x, float y) {
  const float left = std::floor(x), top = std::floor(y);
  const std::int32_t column = static_cast<std::int32_t>(left), row = static_cast<std::int32_t>(top);
  float u = x - left, v = y - top;
  u = u * u * (3 - 2 * u);
  v = v * v * (3 - 2 * v);
  const float a = lattice_value(seed, column, row), b = lattice_value(seed, column + 1, row);
  const float c = lattice_value(seed, column, row + 1), d = lattice_value(seed, column + 1, row + 1);
  return 2 * (a + (b - a) * u + (c - a) * v + (a - b - c + d) * u * v) - 1;
}

}  // namespace smearscope::smear
