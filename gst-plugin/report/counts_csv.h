// Counts per frame and class as a CSV file; docs/results-format.md has the format.
#pragma once

#include "report/report_writer.h"

namespace smearscope {

class CountsCsv : public GrowingReport {
 public:
  explicit CountsCsv(const std::string& path);
  void add(const ReportedFrame& frame) override;
};

}  // namespace smearscope
