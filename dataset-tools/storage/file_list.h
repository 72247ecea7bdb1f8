// The files of a folder in order, in memory of about the length of their names.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/index_iterator.h"
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

  std::filesystem::path operator[](std::size_t index) const { return path(index); }

  using Iterator = IndexIterator<FileList, std::filesystem::path>;  // over the paths
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, size()}; }

 private:
  std::filesystem::path folder_;
  NameTable names_;
  std::vector<std::uint32_t> order_;  // numbers of names
};

}  // namespace smearscope::corpus
