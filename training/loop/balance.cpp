#include "loop/balance.h"

#include <algorithm>
#include <cmath>

namespace smearscope::training {

std::vector<double> class_repeat_factors(const std::vector<corpus::Image>& images, std::size_t class_count,
                                         const Balance& balance) {
  std::vector<std::size_t> with(class_count);
  for (const corpus::Image& image : images) {
    std::vector<bool> seen(class_count);
    for (const corpus::Annotation& a : image.annotations) seen[static_cast<std::size_t>(a.category)] = true;
    for (std::size_t c = 0; c < class_count; ++c) with[c] += seen[c];
  }
  std::vector<double> factors(class_count, 1);
  for (std::size_t c = 0; c < class_count; ++c) {
    if (with[c] == 0 || balance.repeat_threshold <= 0) continue;
    const double frequency = static_cast<double>(with[c]) / static_cast<double>(images.size());
    factors[c] = std::clamp(std::sqrt(balance.repeat_threshold / frequency), 1.0, balance.most_repeats);
  }
  return factors;
}

std::vector<double> repeat_factors(const std::vector<corpus::Image>& images, std::size_t class_count,
                                   const Balance& balance) {
  const std::vector<double> of_class = class_repeat_factors(images, class_count, balance);
  std::vector<double> factors;
  for (const corpus::Image& image : images) {
    double most = 1;
    for (const corpus::Annotation& a : image.annotations)
      most = std::max(most, of_class[static_cast<std::size_t>(a.category)]);
    factors.push_back(most);
  }
  return factors;
}

std::vector<double> class_weights(const std::vector<corpus::Image>& images, std::size_t class_count,
                                  const Balance& balance) {
  const double beta = balance.effective_number_beta;
  if (beta <= 0) return {};
  std::vector<double> boxes(class_count);
  for (const corpus::Image& image : images) {
    for (const corpus::Annotation& a : image.annotations) ++boxes[static_cast<std::size_t>(a.category)];
  }
  std::vector<double> weights{1};
  double all = 0, weighted = 0;
  for (const double count : boxes) {
    weights.push_back((1 - beta) / (1 - std::pow(beta, std::max(count, 1.0))));
    all += count;
    weighted += count * weights.back();
  }
  const double scale = weighted > 0 ? all / weighted : 1;
  for (std::size_t c = 1; c < weights.size(); ++c) weights[c] *= scale;
  return weights;
}

}  // namespace smearscope::training
