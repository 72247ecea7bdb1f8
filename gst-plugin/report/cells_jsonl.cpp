#include "report/cells_jsonl.h"

#include <nlohmann/json.hpp>

namespace smearscope {

using nlohmann::ordered_json;

void CellsJsonl::add(const ReportedFrame& frame) {
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
    cells.push_back(std::move(object));
  }
  const ordered_json line = {{"frame", frame.number},
                             {"time_s", frame.time_s ? ordered_json(*frame.time_s) : ordered_json()},
                             {"width", frame.width},
                             {"height", frame.height},
                             {"cells", std::move(cells)}};
  // A class name may hold any bytes; what is no UTF-8 becomes U+FFFD.
  file_.write(line.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n");
}

}  // namespace smearscope
