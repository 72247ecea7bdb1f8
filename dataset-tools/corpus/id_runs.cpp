#include "corpus/id_runs.h"

#include <algorithm>

namespace smearscope::corpus {
namespace {

// How far `id` is above `first`; more than any count if it is below.
std::uint64_t distance(std::int64_t first, std::int64_t id) {
  return static_cast<std::uint64_t>(id) - static_cast<std::uint64_t>(first);
}

}  // namespace

void IdRuns::add(std::int64_t id) {
  if (!runs_.empty() && id > runs_.back().first && distance(runs_.back().first, id) == runs_.back().count) {
    ++runs_.back().count;
  } else {
    runs_.push_back({id, 1, places_});
  }
  ++places_;
}

std::optional<std::int64_t> IdRuns::seal() {
  std::sort(runs_.begin(), runs_.end(), [](const Run& a, const Run& b) { return a.first < b.first; });
  is_sealed_ = true;
  for (std::size_t i = 1; i < runs_.size(); ++i) {
    if (distance(runs_[i - 1].first, runs_[i].first) < runs_[i - 1].count) return runs_[i].first;
  }
  return std::nullopt;
}

std::optional<std::size_t> IdRuns::find(std::int64_t id) const {
  if (!is_sealed_) return std::nullopt;
  const auto after = std::upper_bound(runs_.begin(), runs_.end(), id,
                                      [](std::int64_t value, const Run& run) { return value < run.first; });
  if (after == runs_.begin()) return std::nullopt;
  const Run& run = *(after - 1);
  if (distance(run.first, id) >= run.count) return std::nullopt;
  return run.place + static_cast<std::size_t>(distance(run.first, id));
}

}  // namespace smearscope::corpus
