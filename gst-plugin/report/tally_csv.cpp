#include "report/tally_csv.h"

#include <cstdio>

#include "report/csv.h"

namespace smearscope {
namespace {

std::string table(const Tally& tally) {
  std::string text = "class,family,count,percent,low,high,per_100_wbc,grade,estimate_1e9_per_l,weak\n";
  for (const TallyRow& row : tally_rows(tally)) {
    text += csv::quoted(row.class_name) + "," + csv::quoted(row.family) + "," + std::to_string(row.count);
    if (row.share) {
      for (const double value : {row.share->percent, row.share->low, row.share->high})
        text += "," + csv::decimal(value, 1);
    } else {
      text += ",,,";
    }
    text += "," + (row.per_100_wbc ? csv::decimal(*row.per_100_wbc, 1) : "");
    text += "," + csv::quoted(row.grade);
    text += "," + (row.estimate ? csv::decimal(*row.estimate, 0) : "");
    text += row.weak ? ",yes\n" : ",\n";
  }
  return text;
}

}  // namespace

TallyCsv::TallyCsv(const std::string& path) : path_(path) {
  const PartFile tried(path);
  std::remove((path + ".part").c_str());
}

void TallyCsv::add(const ReportedFrame& frame) {
  if (!frame.tally) return;
  tally_ = *frame.tally;
  came_ = true;
  if (pace_.due(frame.time_s)) write();
}

void TallyCsv::finish() {
  if (came_) write();
}

void TallyCsv::write() {
  std::string text = table(tally_);
  if (text == written_) return;
  PartFile file(path_);
  file.write(text);
  file.finish();
  written_ = std::move(text);
}

}  // namespace smearscope
