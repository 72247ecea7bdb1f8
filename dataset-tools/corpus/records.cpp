#include "corpus/records.h"

#include <algorithm>

namespace smearscope::corpus {

std::vector<std::string> class_names(const Corpus& corpus) {
  std::vector<std::string> names;
  for (const Class& c : corpus.classes) names.push_back(c.name);
  return names;
}

std::size_t count_of_part(const Corpus& corpus, const std::string& part) {
  return static_cast<std::size_t>(std::count_if(corpus.images.begin(), corpus.images.end(),
                                                [&](const Image& image) { return image.part == part; }));
}

}  // namespace smearscope::corpus
