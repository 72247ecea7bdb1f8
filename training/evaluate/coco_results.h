// Detections as COCO results: https://cocodataset.org/#format-results
#pragma once

#include <string>

#include "evaluate/corpus_part.h"

namespace smearscope::training {

// Adds the results in `file` to part.data, in file order. "file_name" and "category_name", where a result has
// them (smearscope-detect --coco-results writes them), must agree with the ids. Throws Error, naming the file
// and the result, if the file can't be read or is no such list, or a result lacks a field, has an id that the
// part hasn't, a size below 0, or a score outside 0..1.
void read_results(const std::string& file, CorpusPart& part);

// The other way, with those two fields. Reads back as the same numbers.
std::string results_json(const CorpusPart& part);

}  // namespace smearscope::training
