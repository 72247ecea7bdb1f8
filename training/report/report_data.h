// All that a report is made of.
#pragma once

#include <string>
#include <vector>

#include "report/run.h"

namespace smearscope::training {

struct ReportData {
  std::string corpus, corpus_digest;     // folder as given
  std::vector<Run> runs;                 // measured on the same part; at least one
  std::vector<std::size_t> train_boxes;  // in the corpus's part train, by category; empty if it has none

  const CorpusPart& part() const { return *runs.front().part; }
  const metrics::Data& truth() const { return part().data; }  // its found boxes are those of the first run
  const std::string& class_name(std::size_t category) const { return truth().categories[category].name; }
  std::size_t boxes(std::size_t category) const;  // of the part

  bool evaluated(std::size_t run, std::size_t category) const;  // does its model know the class?
  // With boxes in the part and known to a model; most boxes first.
  std::vector<std::size_t> shown_classes() const;
  // Fewer than one of a hundred boxes that were trained on (where there is no part train: of the part's).
  bool is_rare(std::size_t category) const;
  // Do missing labels change a figure of any run? If not, federated figures are COCO's.
  bool labels_matter() const;
};

}  // namespace smearscope::training
