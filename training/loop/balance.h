// Against rare classes being drowned: how often images are shown, and how much classes count.
#pragma once

#include <vector>

#include "corpus/records.h"
#include "loop/regimen.h"

namespace smearscope::training {

// For each image how often it is to be seen in an epoch, 1 or more; all 1 if balance.repeat_threshold is 0.
std::vector<double> repeat_factors(const std::vector<corpus::Image>& images, std::size_t class_count,
                                   const Balance& balance);

// For each class, of the images that have it, the factor above that it asks for; 1 for classes without boxes.
std::vector<double> class_repeat_factors(const std::vector<corpus::Image>& images, std::size_t class_count,
                                         const Balance& balance);

// Weights for background (1) and each class; empty if balance.effective_number_beta is 0. Classes without
// boxes have the weight of one box.
std::vector<double> class_weights(const std::vector<corpus::Image>& images, std::size_t class_count,
                                  const Balance& balance);

}  // namespace smearscope::training
