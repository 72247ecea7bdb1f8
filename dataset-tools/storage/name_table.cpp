#include "storage/name_table.h"

#include <cstring>
#include <functional>

namespace smearscope::corpus {
namespace {

constexpr std::size_t block_bytes = 256 << 10;

using Length = std::uint32_t;

}  // namespace

std::string_view NameTable::operator[](std::size_t number) const {
  const char* name = names_[number];
  Length length = 0;
  std::memcpy(&length, name, sizeof length);
  return {name + sizeof length, length};
}

// The slot that has the name, or the empty one where it would be.
std::size_t NameTable::slot_of(std::string_view name) const {
  const std::size_t last = slots_.size() - 1;  // a power of two, less one
  std::size_t slot = std::hash<std::string_view>()(name) & last;
  while (slots_[slot] != 0 && (*this)[slots_[slot] - 1] != name) slot = (slot + 1) & last;
  return slot;
}

std::optional<std::size_t> NameTable::find(std::string_view name) const {
  if (slots_.empty()) return std::nullopt;
  const std::uint32_t found = slots_[slot_of(name)];
  return found == 0 ? std::nullopt : std::optional<std::size_t>(found - 1);
}

std::pair<std::size_t, bool> NameTable::insert(std::string_view name) {
  if (3 * names_.size() >= 2 * slots_.size()) grow();
  std::uint32_t& slot = slots_[slot_of(name)];
  if (slot != 0) return {slot - 1, false};
  names_.push_back(keep(name));
  slot = static_cast<std::uint32_t>(names_.size());
  return {names_.size() - 1, true};
}

void NameTable::grow() {
  const std::size_t size = slots_.empty() ? 64 : 2 * slots_.size();
  slots_ = {};
  slots_.resize(size);
  for (std::size_t i = 0; i < names_.size(); ++i)
    slots_[slot_of((*this)[i])] = static_cast<std::uint32_t>(i + 1);
}

const char* NameTable::keep(std::string_view name) {
  const auto length = static_cast<Length>(name.size());
  const std::size_t bytes = sizeof length + name.size();
  if (bytes > free_bytes_) {
    free_bytes_ = std::max(bytes, block_bytes);
    blocks_.push_back(std::make_unique<char[]>(free_bytes_));
    free_ = blocks_.back().get();
  }
  const char* kept = free_;
  std::memcpy(free_, &length, sizeof length);
  std::memcpy(free_ + sizeof length, name.data(), name.size());
  free_ += bytes;
  free_bytes_ -= bytes;
  return kept;
}

}  // namespace smearscope::corpus
