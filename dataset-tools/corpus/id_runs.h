// Which ids a file's records have, and in what place each is: a few bytes for each run of consecutive ids.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace smearscope::corpus {

class IdRuns {
 public:
  // The next record's id. None may be added after `seal`.
  void add(std::int64_t id);
  // All have been added. The lowest id that was added twice, if any.
  std::optional<std::int64_t> seal();
  // The place (0 for what was added first) of the id; nothing if no record has it, or before `seal`.
  std::optional<std::size_t> find(std::int64_t id) const;

 private:
  struct Run {
    std::int64_t first;
    std::uint32_t count, place;
  };

  std::vector<Run> runs_;  // ascending from `seal` on
  std::uint32_t places_ = 0;
  bool is_sealed_ = false;
};

}  // namespace smearscope::corpus
