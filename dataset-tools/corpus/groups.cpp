#include "corpus/groups.h"

#include <fstream>
#include <numeric>
#include <optional>

#include "corpus/csv.h"
#include "storage/name_table.h"

namespace smearscope::corpus {
namespace {

// A union-find forest whose roots are the lowest of their trees.
class Forest {
 public:
  explicit Forest(std::size_t count) : parent_(count) {
    std::iota(parent_.begin(), parent_.end(), std::uint32_t(0));
  }
  void join(std::size_t first, std::size_t second) {
    const std::uint32_t a = root(first), b = root(second);
    parent_[std::max(a, b)] = std::min(a, b);
  }
  std::vector<std::uint32_t> roots() && {
    for (std::size_t i = 0; i < parent_.size(); ++i) parent_[i] = root(i);
    return std::move(parent_);
  }

 private:
  std::uint32_t root(std::size_t of) {
    auto i = static_cast<std::uint32_t>(of);
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }

  std::vector<std::uint32_t> parent_;
};

// The rows of a table of groups.
class Declared {
 public:
  void add(const std::string& name, const std::string& group) {
    const auto [number, is_new] = names_.insert(name);
    if (is_new) last_.emplace_back();
    last_[number] = {++rows_, static_cast<std::uint32_t>(groups_.insert(group).first)};
  }

  // By the last row that names the image.
  std::optional<std::string> group_of(const Image& image) const {
    Row last;
    for (const std::string& name : {image.file, image.source_file}) {
      const auto number = names_.find(name);
      if (number && last_[*number].row > last.row) last = last_[*number];
    }
    if (last.row == 0) return std::nullopt;
    return std::string(groups_[last.group]);
  }

 private:
  struct Row {
    std::uint32_t row = 0, group = 0;  // row: from 1
  };

  NameTable names_, groups_;
  std::vector<Row> last_;  // of each name
  std::uint32_t rows_ = 0;
};

NameTable names_of(const StoredList<Image>& images) {
  NameTable names;
  for (const Image& image : images) {
    names.insert(image.file);
    names.insert(image.source_file);
  }
  return names;
}

}  // namespace

std::vector<std::uint32_t> together_with(const StoredList<Image>& images,
                                         const std::vector<std::pair<std::size_t, std::size_t>>& pairs) {
  Forest forest(images.size());
  NameTable groups;
  std::vector<std::size_t> first_of_group;
  std::size_t index = 0;
  for (const Image& image : images) {
    const std::size_t i = index++;
    if (image.group.empty()) continue;
    const auto [group, is_new] = groups.insert(image.group);
    if (is_new) first_of_group.push_back(i);
    forest.join(first_of_group[group], i);
  }
  for (const auto& [a, b] : pairs) forest.join(a, b);
  return std::move(forest).roots();
}

void declare_groups(const std::string& file, StoredList<Image>& images) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw Error(file + ": cannot read the file");
  const NameTable known = names_of(images);
  Declared declared;
  CsvReader csv(in, file, {"file", "group"});
  for (std::vector<std::string> row; csv.next(row);) {
    if (!known.has(row[0])) csv.fail("there is no image '" + row[0] + "' in the corpus");
    declared.add(row[0], row[1]);
  }
  for (std::size_t i = 0; i < images.size(); ++i) {
    if (const auto group = declared.group_of(images[i]))
      images.change(i, [&](Image& image) { image.group = *group; });
  }
}

}  // namespace smearscope::corpus
