// One file of results that cellreport writes while frames pass.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cell_meta.h"
#include "report/part_file.h"

namespace smearscope {

struct ReportedFrame {
  std::uint64_t number = 0;      // counts from 0
  std::optional<double> time_s;  // running time, seconds
  int width = 0, height = 0;     // pixels
  std::vector<Cell> cells;
  std::optional<Tally> tally;  // none: no celltally before
};

// As thread-safe as PartFile, and throws as it does.
class ReportFile {
 public:
  ReportFile() = default;
  virtual ~ReportFile() = default;
  ReportFile(const ReportFile&) = delete;
  ReportFile& operator=(const ReportFile&) = delete;

  virtual void add(const ReportedFrame& frame) = 0;
  virtual void finish() = 0;
};

// A file that grows with each frame.
class GrowingReport : public ReportFile {
 public:
  explicit GrowingReport(const std::string& path) : file_(path) {}
  void finish() override { file_.finish(); }

 protected:
  PartFile file_;
};

}  // namespace smearscope
