#include <cmath>

#include "ops/preprocess.h"

namespace smearscope::ops {

std::vector<float> gaussian_weights(double sigma) {
  const int radius = static_cast<int>(std::ceil(3 * sigma));
  std::vector<double> exact;
  double sum = 0;
  for (int offset = 0; offset <= radius; ++offset) {
    exact.push_back(std::exp(-0.5 * offset * offset / (sigma * sigma)));
    sum += (offset == 0 ? 1 : 2) * exact.back();
  }
  std::vector<float> weights;
  for (const double weight : exact) weights.push_back(static_cast<float>(weight / sum));
  return weights;
}

}  // namespace smearscope::ops
