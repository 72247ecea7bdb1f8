#include "report/cells_jsonl.h"

#include "report/results_json.h"

namespace smearscope {

void CellsJsonl::add(const ReportedFrame& frame) {
  file_.write(cells_json(frame) + "\n");
}

}  // namespace smearscope
