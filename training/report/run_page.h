// The report: one HTML page that needs nothing else, no network and no script, and its charts and pictures as
// PNG files, to go into documents.
#pragma once

#include <string>
#include <vector>

#include "report/report_data.h"

namespace smearscope::training {

struct ReportFile {
  std::string name;  // "report.html", "loss.png"
  std::string bytes;
};

// The page is the last of them. Reads the images that are shown; throws Error if one can't be read.
std::vector<ReportFile> report_files(const ReportData& data);

// Into `folder`, which is made if it isn't there: each file beside its name and renamed. Throws Error.
void write_report(const std::string& folder, const std::vector<ReportFile>& files);

}  // namespace smearscope::training
