// Runs that were measured, made in the test.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "evaluate/measure.h"
#include "report/report_data.h"

namespace smearscope::testing {

using training::ReportData;
using training::Run;

inline training::CorpusPart part_of_images(std::vector<metrics::Category> categories,
                                           std::vector<metrics::Image> images) {
  training::CorpusPart part;
  part.name = "val";
  part.data = {std::move(categories), std::move(images)};
  for (std::size_t i = 0; i < part.data.categories.size(); ++i)
    part.category_ids.push_back(static_cast<std::int64_t>(i) + 1);
  for (std::size_t i = 0; i < part.data.images.size(); ++i) {
    corpus::Image image;
    image.id = static_cast<std::int64_t>(i) + 1;
    image.file = std::to_string(i) + ".png";
    image.width = image.height = 200;
    part.images.push_back(image);
  }
  return part;
}

inline void add_run(ReportData& data, const std::string& name, const training::CorpusPart& part) {
  Run run;
  run.name = name;
  run.part = std::make_shared<training::CorpusPart>(part);
  run.measured.part = run.part.get();
  run.measured.through = "engine";
  run.measured.count_threshold = 0.5;
  training::compute_figures(run.measured);
  data.runs.push_back(std::move(run));
}

inline metrics::TruthBox truth_at(double x, double y, double side, int category) {
  return {{x, y, side, side}, category, side * side, false};
}

}  // namespace smearscope::testing
