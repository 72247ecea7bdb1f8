// celltally's counts as a CSV file; docs/results-format.md has the format.
#pragma once

#include <string>

#include "report/report_writer.h"
#include "report/tally_table.h"

namespace smearscope {

// The whole table is written anew, beside the file and then in its place, when counts have changed and a
// second of the stream has passed since the last time, and at the end.
// Without a tally there is no file.
class TallyCsv : public ReportWriter {
 public:
  explicit TallyCsv(const std::string& path);  // a place that can't be written shows at once
  void add(const ReportedFrame& frame) override;
  void finish() override;

 private:
  void write();

  std::string path_, written_;
  Tally tally_;
  bool came_ = false;
  TallyPace pace_;
};

}  // namespace smearscope
