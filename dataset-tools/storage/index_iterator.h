// Reads a list that hands out its elements by value, one after the other: list[0], list[1], ...
#pragma once

#include <cstddef>
#include <iterator>

namespace smearscope::corpus {

// `List` has operator[](std::size_t) const and must outlive the iterator.
template <typename List, typename Value>
class IndexIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = Value;
  using difference_type = std::ptrdiff_t;
  using pointer = const Value*;
  using reference = const Value;

  IndexIterator(const List* list, std::size_t index) : list_(list), index_(index) {}
  const Value operator*() const { return (*list_)[index_]; }  // NOLINT(readability-const-return-type)
  IndexIterator& operator++() {
    ++index_;
    return *this;
  }
  bool operator==(const IndexIterator& other) const { return index_ == other.index_; }
  bool operator!=(const IndexIterator& other) const { return index_ != other.index_; }

 private:
  const List* list_;
  std::size_t index_;
};

}  // namespace smearscope::corpus
