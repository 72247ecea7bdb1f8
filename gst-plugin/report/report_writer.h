// One way in which cellreport tells results while frames pass: a file, or a broker.
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

// Called by one thread at a time. Files throw as PartFile does.
class ReportWriter {
 public:
  ReportWriter() = default;
  virtual ~ReportWriter() = default;
  ReportWriter(const ReportWriter&) = delete;
  ReportWriter& operator=(const ReportWriter&) = delete;

  virtual void add(const ReportedFrame& frame) = 0;
  virtual void finish() = 0;

  // What went wrong since the last call and does not end the stream: lines for a person.
  virtual std::vector<std::string> take_warnings() { return {}; }
  virtual std::uint64_t frames_dropped() const { return 0; }  // that were to be told and could not
};

// A file that grows with each frame.
class GrowingReport : public ReportWriter {
 public:
  explicit GrowingReport(const std::string& path) : file_(path) {}
  void finish() override { file_.finish(); }

 protected:
  PartFile file_;
};

}  // namespace smearscope
