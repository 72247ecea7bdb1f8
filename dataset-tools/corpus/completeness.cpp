#include "corpus/completeness.h"

#include <algorithm>

namespace smearscope::corpus {

std::vector<int> open_classes(const Image& image, const std::vector<Class>& classes) {
  std::vector<int> open;
  if (image.regions_complete) return open;
  const auto contains = [](const std::vector<int>& list, int category) {
    return std::find(list.begin(), list.end(), category) != list.end();
  };
  for (int c = 0; c < static_cast<int>(classes.size()); ++c) {
    const bool told =
        contains(image.absent, c) ||
        std::any_of(image.annotations.begin(), image.annotations.end(), [&](const Annotation& a) {
          return is_kind_of(classes, a.category, c) || is_kind_of(classes, c, a.category);
        });
    if (!told || contains(image.not_exhaustive, c)) open.push_back(c);
  }
  return open;
}

}  // namespace smearscope::corpus
