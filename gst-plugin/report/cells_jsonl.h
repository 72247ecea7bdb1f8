// Every cell of every frame as JSON Lines (https://jsonlines.org), one object per frame;
// docs/results-format.md has the format.
#pragma once

#include "report/report_writer.h"

namespace smearscope {

class CellsJsonl : public GrowingReport {
 public:
  using GrowingReport::GrowingReport;
  void add(const ReportedFrame& frame) override;
};

}  // namespace smearscope
