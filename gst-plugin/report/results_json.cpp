#include "report/results_json.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "report/csv.h"
#include "report/tally_table.h"

namespace smearscope {
namespace {

using nlohmann::ordered_json;

std::string line_of(const ordered_json& object) {
  return object.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

ordered_json or_null(const std::optional<double>& value) {
  return value ? ordered_json(*value) : ordered_json();
}

// The number that the table shows.
double rounded(double value, int digits = 1) {
  const std::string text = csv::decimal(value, digits);
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

ordered_json object_of(const TallyRow& row) {
  ordered_json object = {
      {"class", row.class_name}, {"family", row.family.empty() ? ordered_json() : ordered_json(row.family)},
      {"count", row.count},      {"percent", nullptr},
      {"low", nullptr},          {"high", nullptr}};
  if (row.share) {
    object["percent"] = rounded(row.share->percent);
    object["low"] = rounded(row.share->low);
    object["high"] = rounded(row.share->high);
  }
  if (row.per_100_wbc) object["per_100_wbc"] = rounded(*row.per_100_wbc);
  if (!row.grade.empty()) object["grade"] = row.grade;
  if (row.weak) object["weak"] = true;
  if (row.estimate) object["estimate_1e9_per_l"] = rounded(*row.estimate, 0);
  return object;
}

}  // namespace

std::string cells_json(const ReportedFrame& frame) {
  ordered_json cells = ordered_json::array();
  for (const Cell& cell : frame.cells) {
    ordered_json object = {
        {"class", cell.class_name},
        {"label_id", cell.label},
        {"confidence", cell.confidence},
        {"box",
         {cell.box.x_min, cell.box.y_min, cell.box.x_max - cell.box.x_min, cell.box.y_max - cell.box.y_min}},
        {"age", cell.age}};
    if (cell.identity > 0) object["identity"] = cell.identity;
    if (cell.weak) object["weak"] = true;
    cells.push_back(std::move(object));
  }
  return line_of({{"frame", frame.number},
                  {"time_s", or_null(frame.time_s)},
                  {"width", frame.width},
                  {"height", frame.height},
                  {"cells", std::move(cells)}});
}

std::string tally_json(const Tally& tally, const std::optional<double>& time_s) {
  std::uint64_t cells = 0;
  for (const Tally::Row& row : tally.rows) cells += row.count;
  ordered_json classes = ordered_json::array();
  for (const TallyRow& row : tally_rows(tally)) classes.push_back(object_of(row));
  return line_of({{"time_s", or_null(time_s)},
                  {"cells", cells},
                  {"parts", tally.parts},
                  {"detections", tally.detections},
                  {"target", tally.target},
                  {"target_class", tally.target_class},
                  {"target_count", tally.target_count},
                  {"view", name_of(tally.view)},
                  {"pixel_size_um", tally.pixel_size_um},
                  {"classes", std::move(classes)}});
}

}  // namespace smearscope
