#include "corpus/records.h"

#include <algorithm>

namespace smearscope::corpus {

double intersection_over_union(const Box& a, const Box& b) {
  const double width = std::min(a.x_max, b.x_max) - std::max(a.x_min, b.x_min);
  const double height = std::min(a.y_max, b.y_max) - std::max(a.y_min, b.y_min);
  if (width <= 0 || height <= 0) return 0;
  return width * height / (a.area() + b.area() - width * height);
}

bool are_of_one_cell(const Box& a, const Box& b) {
  return intersection_over_union(a, b) >= 0.9;
}

const char* name_of(BoxOrigin origin) {
  switch (origin) {
    case BoxOrigin::segmented:
      return "segmented";
    case BoxOrigin::fallback:
      return "fallback";
    case BoxOrigin::labelled:
      break;
  }
  return "labelled";
}

std::vector<std::string> class_names(const Corpus& corpus) {
  std::vector<std::string> names;
  for (const Class& c : corpus.classes) names.push_back(c.name);
  return names;
}

bool is_kind_of(const std::vector<Class>& classes, int category, int ancestor) {
  for (int at = category; at >= 0; at = classes[static_cast<std::size_t>(at)].parent) {
    if (at == ancestor) return true;
  }
  return false;
}

bool are_compatible(const std::vector<Class>& classes, int category, int other) {
  return is_kind_of(classes, category, other) || is_kind_of(classes, other, category);
}

std::size_t count_of_part(const Corpus& corpus, const std::string& part) {
  return static_cast<std::size_t>(std::count_if(corpus.images.begin(), corpus.images.end(),
                                                [&](const Image& image) { return image.part == part; }));
}

}  // namespace smearscope::corpus
