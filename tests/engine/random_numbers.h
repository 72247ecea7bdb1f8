// Seeded numbers for tests; the same on every machine.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace smearscope::testing {

class Random {
 public:
  explicit Random(std::uint32_t seed) : engine_(seed) {}

  int integer(int lowest, int highest) {
    return lowest + static_cast<int>(engine_() % static_cast<unsigned>(highest - lowest + 1));
  }
  float real(float lowest, float highest) {
    return lowest + (highest - lowest) * static_cast<float>(engine_()) / 4294967296.0F;
  }
  std::vector<float> reals(std::size_t count, float lowest, float highest) {
    std::vector<float> values(count);
    for (float& value : values) value = real(lowest, highest);
    return values;
  }

 private:
  std::mt19937 engine_;
};

// As ModelInfo::parents: about half of the classes are a kind of one before them.
inline std::vector<int> random_parents(int classes, Random& random) {
  std::vector<int> parents;
  for (int i = 0; i < classes; ++i)
    parents.push_back(random.integer(0, 1) == 0 ? -1 : random.integer(-1, i - 1));
  return parents;
}

}  // namespace smearscope::testing
