// The files of a folder in order, in memory of about the length of their names.
#pragma once

#include <filesystem>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/name_table.h"

namespace smearscope::corpus {

// Names are relative to the folder, with '/'. As for paths, folder by folder: "a/b" is before "a-b".
class FileList {
 public:
  explicit FileList(std::filesystem::path folder) : folder_(std::move(folder)) {}

  void add(std::string_view name) { names_.insert(name); }  // names that are there already are not added
  void sort();                                              // call it once, when all have been added

  std::size_t size() const { return order_.size(); }
  bool empty() const { return order_.empty(); }
  std::string_view name(std::size_t index) const { return names_[order_[index]]; }
  std::filesystem::path path(std::size_t index) const { return folder_ / name(index); }
  bool has(std::string_view name) const { return names_.has(name); }

  // Goes over the paths.
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = std::filesystem::path;
    using difference_type = std::ptrdiff_t;
    using pointer = const value_type*;
    using reference = value_type;

    Iterator(const FileList* list, std::size_t index) : list_(list), index_(index) {}
    value_type operator*() const { return list_->path(index_); }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    bool operator==(const Iterator& other) const { return index_ == other.index_; }
    bool operator!=(const Iterator& other) const { return index_ != other.index_; }

   private:
    const FileList* list_;
    std::size_t index_;
  };
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, size()}; }

 private:
  std::filesystem::path folder_;
  NameTable names_;
  std::vector<std::uint32_t> order_;  // numbers of names
};

}  // namespace smearscope::corpus
