// celltally's counts as a CSV file; docs/results-format.md has the format.
#pragma once

#include <string>

#include "report/report_file.h"

namespace smearscope {

// The whole table is written anew, beside the file and then in its place, when counts have changed and a
// second of the stream has passed since the last time, and at the end.
// Without a tally there is no file.
class TallyCsv : public ReportFile {
 public:
  explicit TallyCsv(const std::string& path);  // a place that can't be written shows at once
  void add(const ReportedFrame& frame) override;
  void finish() override;

 private:
  void write();

  std::string path_, written_;
  Tally tally_;
  bool came_ = false;
  std::optional<double> written_at_;
};

// The table.
std::string tally_table(const Tally& tally);

// Of a share of which `part` of `whole` were seen, the limits between which it lies with a confidence of 95%
// (C. J. Clopper and E. S. Pearson, Biometrika 26, 1934): exact, never too narrow. 0..1; `whole` is not 0.
struct Limits {
  double low, high;
};
Limits share_limits(std::uint64_t part, std::uint64_t whole);

}  // namespace smearscope
