#include "corpus/groups.h"

#include <fstream>
#include <numeric>
#include <unordered_map>

#include "corpus/csv.h"

namespace smearscope::corpus {
namespace {

// A union-find forest whose roots are the lowest of their trees.
class Forest {
 public:
  explicit Forest(std::size_t count) : parent_(count) {
    std::iota(parent_.begin(), parent_.end(), std::size_t(0));
  }
  std::size_t root(std::size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void join(std::size_t a, std::size_t b) {
    a = root(a);
    b = root(b);
    parent_[std::max(a, b)] = std::min(a, b);
  }

 private:
  std::vector<std::size_t> parent_;
};

}  // namespace

std::vector<std::size_t> together_with(const std::vector<Image>& images,
                                       const std::vector<std::pair<std::size_t, std::size_t>>& pairs) {
  Forest forest(images.size());
  std::unordered_map<std::string, std::size_t> first_of_group;
  for (std::size_t i = 0; i < images.size(); ++i) {
    if (images[i].group.empty()) continue;
    const auto [first, is_new] = first_of_group.emplace(images[i].group, i);
    if (!is_new) forest.join(first->second, i);
  }
  for (const auto& [a, b] : pairs) forest.join(a, b);
  std::vector<std::size_t> first(images.size());
  for (std::size_t i = 0; i < first.size(); ++i) first[i] = forest.root(i);
  return first;
}

void declare_groups(const std::string& file, std::vector<Image>& images) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw Error(file + ": cannot read the file");
  std::unordered_multimap<std::string, Image*> image_of;
  for (Image& image : images) {
    image_of.emplace(image.file, &image);
    if (image.source_file != image.file) image_of.emplace(image.source_file, &image);
  }
  CsvReader csv(in, file, {"file", "group"});
  for (std::vector<std::string> row; csv.next(row);) {
    const auto [first, last] = image_of.equal_range(row[0]);
    if (first == last) csv.fail("there is no image '" + row[0] + "' in the corpus");
    for (auto at = first; at != last; ++at) at->second->group = row[1];
  }
}

}  // namespace smearscope::corpus
