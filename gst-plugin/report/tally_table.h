// A tally as reports show it: a row for each family, and below it its kinds with their shares.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cell_meta.h"

namespace smearscope {

// Of a share of which `part` of `whole` were seen, the limits between which it lies with a confidence of 95%
// (C. J. Clopper and E. S. Pearson, Biometrika 26, 1934): exact, never too narrow. 0..1; `whole` is not 0.
struct Limits {
  double low, high;
};
Limits share_limits(std::uint64_t part, std::uint64_t whole);

struct TallyRow {
  struct Share {
    double percent, low, high;  // of the family, and its 95% limits; percent
  };
  std::string class_name, family;  // family: empty in a family's own row
  std::uint64_t count = 0;
  std::optional<Share> share;           // none in a family's own row, and of a family without cells
  std::optional<double> per_100_wbc{};  // of erythroblasts alone, see per_100_white_cells
  bool weak = false;                    // as of Tally::Row
  std::string grade{};                  // as of Tally::Row
  std::optional<double> estimate{};     // of the blood, 10^9/L: of platelets alone, see platelet_estimate
};

// In the tally's order; each family's row is before those of its kinds, and behind these is "unidentified":
// its cells whose kind is open.
std::vector<TallyRow> tally_rows(const Tally& tally);

// When a tally is told anew while a stream runs: at most once a second of the stream.
class TallyPace {
 public:
  // Whether a tally that comes at this running time, in seconds, is to be told if it has changed. Time that
  // goes back belongs to a new segment of the stream.
  bool due(const std::optional<double>& time_s);

 private:
  std::optional<double> told_at_;
};

}  // namespace smearscope
