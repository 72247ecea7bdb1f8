// Many names, numbered, in little memory: that of their bytes and some 20 more each.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace smearscope::corpus {

class NameTable {
 public:
  // The number of the name, and whether it is new; new names get numbers from 0 up.
  std::pair<std::size_t, bool> insert(std::string_view name);
  std::optional<std::size_t> find(std::string_view name) const;
  bool has(std::string_view name) const { return find(name).has_value(); }

  std::size_t size() const { return names_.size(); }
  std::string_view operator[](std::size_t number) const;  // valid as long as the table

 private:
  std::size_t slot_of(std::string_view name) const;
  void grow();
  const char* keep(std::string_view name);

  std::vector<std::unique_ptr<char[]>> blocks_;  // each name is its length and its bytes
  char* free_ = nullptr;                         // in the last block
  std::size_t free_bytes_ = 0;
  std::deque<const char*> names_;
  std::vector<std::uint32_t> slots_;  // open addressing; a number and one, or 0
};

}  // namespace smearscope::corpus
