#include "report/tally_csv.h"

#include <boost/math/distributions/binomial.hpp>
#include <cstdio>

#include "report/csv.h"
#include "tally/families.h"

namespace smearscope {
namespace {

constexpr double interval_s = 1;
constexpr double tail = 0.025;  // on each side

std::string line(const std::string& name, const std::string& family, std::uint64_t count, std::uint64_t of) {
  std::string text = csv::quoted(name) + "," + csv::quoted(family) + "," + std::to_string(count) + ",";
  if (of == 0 || count > of) return text + ",,\n";
  const Limits limits = share_limits(count, of);
  char shares[64];
  std::snprintf(shares, sizeof shares, "%.1f,%.1f,%.1f\n",
                100.0 * static_cast<double>(count) / static_cast<double>(of), 100 * limits.low,
                100 * limits.high);
  return text + shares;
}

}  // namespace

Limits share_limits(std::uint64_t part, std::uint64_t whole) {
  using Binomial = boost::math::binomial_distribution<>;
  const auto trials = static_cast<double>(whole), successes = static_cast<double>(part);
  return {Binomial::find_lower_bound_on_p(trials, successes, tail),
          Binomial::find_upper_bound_on_p(trials, successes, tail)};
}

std::string tally_table(const Tally& tally) {
  std::string text = "class,family,count,percent,low,high\n";
  for (const Family& family : families_of(tally)) {
    text += line(family.name, "", family.count, 0);
    for (const Tally::Row& kind : family.kinds)
      text += line(kind.class_name, family.name, kind.count, family.count);
    if (!family.kinds.empty()) text += line("unidentified", family.name, family.open, family.count);
  }
  return text;
}

TallyCsv::TallyCsv(const std::string& path) : path_(path) {
  const PartFile tried(path);
  std::remove((path + ".part").c_str());
}

void TallyCsv::add(const ReportedFrame& frame) {
  if (!frame.tally) return;
  tally_ = *frame.tally;
  came_ = true;
  // Time that goes back belongs to a new segment of the stream.
  const bool due = !frame.time_s || !written_at_ || *frame.time_s < *written_at_ ||
                   *frame.time_s - *written_at_ >= interval_s;
  if (!due) return;
  written_at_ = frame.time_s;
  write();
}

void TallyCsv::finish() {
  if (came_) write();
}

void TallyCsv::write() {
  std::string text = tally_table(tally_);
  if (text == written_) return;
  PartFile file(path_);
  file.write(text);
  file.finish();
  written_ = std::move(text);
}

}  // namespace smearscope
