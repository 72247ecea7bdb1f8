#include "report/tally_table.h"

#include <boost/math/distributions/binomial.hpp>

#include "tally/families.h"

namespace smearscope {
namespace {

constexpr double interval_s = 1;
constexpr double tail = 0.025;  // on each side

TallyRow row_of(const std::string& name, const std::string& family, std::uint64_t count, std::uint64_t of) {
  TallyRow row{name, family, count, std::nullopt};
  if (of == 0 || count > of) return row;
  const Limits limits = share_limits(count, of);
  row.share = {100.0 * static_cast<double>(count) / static_cast<double>(of), 100 * limits.low,
               100 * limits.high};
  return row;
}

}  // namespace

Limits share_limits(std::uint64_t part, std::uint64_t whole) {
  using Binomial = boost::math::binomial_distribution<>;
  const auto trials = static_cast<double>(whole), successes = static_cast<double>(part);
  return {Binomial::find_lower_bound_on_p(trials, successes, tail),
          Binomial::find_upper_bound_on_p(trials, successes, tail)};
}

std::vector<TallyRow> tally_rows(const Tally& tally) {
  std::vector<TallyRow> rows;
  for (const Family& family : families_of(tally)) {
    rows.push_back(row_of(family.name, "", family.count, 0));
    rows.back().per_100_wbc = per_100_white_cells(family, tally);
    rows.back().weak = family.weak;
    if (family.name == "platelet") rows.back().estimate = tally.platelet_estimate;
    for (const Tally::Row& kind : family.kinds) {
      rows.push_back(row_of(kind.class_name, family.name, kind.count, family.count));
      rows.back().grade = kind.grade;
      rows.back().weak = kind.weak;
    }
    if (!family.kinds.empty()) rows.push_back(row_of("unidentified", family.name, family.open, family.count));
  }
  return rows;
}

bool TallyPace::due(const std::optional<double>& time_s) {
  const bool is_due = !time_s || !told_at_ || *time_s < *told_at_ || *time_s - *told_at_ >= interval_s;
  if (is_due) told_at_ = time_s;
  return is_due;
}

}  // namespace smearscope
