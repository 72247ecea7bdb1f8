// Results as JSON objects of one line each; docs/results-format.md has the fields.
#pragma once

#include <optional>
#include <string>

#include "report/report_writer.h"

namespace smearscope {

// UTF-8 without an end of line. A class name may hold any bytes; what is no UTF-8 becomes U+FFFD.
std::string cells_json(const ReportedFrame& frame);
std::string tally_json(const Tally& tally, const std::optional<double>& time_s);

}  // namespace smearscope
