// Statistics as tables of text, for a terminal and for the page.
#pragma once

#include <string>
#include <vector>

#include "report/statistics.h"

namespace smearscope::corpus {

struct Table {
  std::vector<std::string> head;
  std::vector<std::vector<std::string>> rows;
  bool sum_row = false;  // the last row is the sum of those above it
};

// The paper's Table I: what each source contributes. Images, boxes, classes, share of the boxes.
Table sources_table(const Statistics& statistics);
// A class a row: its boxes in each source, in all, and in each part.
Table classes_table(const Statistics& statistics);
// Who drew the boxes, by source.
Table origins_table(const Statistics& statistics);
// Micrometres per pixel and the commonest image sizes, by source.
Table pixel_sizes_table(const Statistics& statistics);
// What was changed or left out, by rule and source.
Table changes_table(const Statistics& statistics);

// Columns aligned, the first to the left, the others to the right; each line ends with a line break.
std::string plain_text(const Table& table);

}  // namespace smearscope::corpus
