#include "report/report_data.h"

#include <algorithm>
#include <numeric>

namespace smearscope::training {

std::size_t ReportData::boxes(std::size_t category) const {
  return runs.front().measured.as_complete.categories[category].boxes;
}

bool ReportData::evaluated(std::size_t run, std::size_t category) const {
  return runs[run].part->data.categories[category].evaluated;
}

std::vector<std::size_t> ReportData::shown_classes() const {
  std::vector<std::size_t> order;
  for (std::size_t c = 0; c < truth().categories.size(); ++c) {
    bool known = false;
    for (std::size_t r = 0; r < runs.size(); ++r) known = known || evaluated(r, c);
    if (known && boxes(c) > 0) order.push_back(c);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return boxes(a) > boxes(b); });
  return order;
}

bool ReportData::is_rare(std::size_t category) const {
  std::vector<std::size_t> counts = train_boxes;
  for (std::size_t c = 0; train_boxes.empty() && c < truth().categories.size(); ++c)
    counts.push_back(boxes(c));
  return 100 * counts[category] < std::accumulate(counts.begin(), counts.end(), std::size_t{0});
}

bool ReportData::labels_matter() const {
  return std::any_of(runs.begin(), runs.end(), [](const Run& run) { return run.measured.labels_matter(); });
}

}  // namespace smearscope::training
