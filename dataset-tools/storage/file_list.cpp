#include "storage/file_list.h"

#include <algorithm>
#include <numeric>

namespace smearscope::corpus {
namespace {

// The end of a folder's name is before any letter.
unsigned rank_of(char c) {
  return c == '/' ? 0 : static_cast<unsigned char>(c);
}

}  // namespace

void FileList::sort() {
  order_.resize(names_.size());
  std::iota(order_.begin(), order_.end(), std::uint32_t(0));
  std::sort(order_.begin(), order_.end(), [&](std::uint32_t a, std::uint32_t b) {
    const std::string_view first = names_[a], second = names_[b];
    return std::lexicographical_compare(first.begin(), first.end(), second.begin(), second.end(),
                                        [](char x, char y) { return rank_of(x) < rank_of(y); });
  });
}

}  // namespace smearscope::corpus
