#include "duplicates/copies.h"
#include "corpus/similarity.h"
namespace smearscope::corpus {
std::vector<Pair> find_copies(const std::vector<Image>& images, unsigned) {
  std::vector<Fingerprint> prints;
  for (auto& i : images) prints.push_back(fingerprint_of(i.path));
  std::vector<Pair> pairs;
  std::vector<Fingerprint> before;
  for (std::size_t i = 0; i < images.size(); ++i) {
    SimilarityIndex index(before);
    auto m = index.best_match(prints[i]);
    if (m && m->correlation > near_duplicate)
      pairs.push_back({m->index,
                       i,
                       m->same_bytes ? Likeness::same_bytes : Likeness::same_picture,
                       m->correlation,
                       {double(images[i].width) / images[m->index].width, 0, 0, 0,
                        double(images[i].height) / images[m->index].height, 0}});
    before.push_back(prints[i]);
  }
  return pairs;
}
}  // namespace smearscope::corpus
