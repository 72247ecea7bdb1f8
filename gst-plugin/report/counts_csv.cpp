#include "report/counts_csv.h"

#include <map>

#include "report/csv.h"

namespace smearscope {

CountsCsv::CountsCsv(const std::string& path) : GrowingReport(path) {
  file_.write("frame,time_s,class,count\n");
}

void CountsCsv::add(const ReportedFrame& frame) {
  std::map<std::string, std::size_t> counts;
  for (const Cell& cell : frame.cells) ++counts[cell.class_name];
  if (counts.empty()) counts[""] = 0;

  const std::string time = frame.time_s ? csv::decimal(*frame.time_s, 3) : "";
  const std::string start = std::to_string(frame.number) + "," + time + ",";
  std::string rows;
  for (const auto& [name, count] : counts)
    rows += start + csv::quoted(name) + "," + std::to_string(count) + "\n";
  file_.write(rows);
}

}  // namespace smearscope
