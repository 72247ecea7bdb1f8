// A model in words, for people.
#pragma once

#include <string>

#include "smearscope/model.h"

namespace smearscope {

// Several lines: everything the document says, then a table of tensors with totals.
std::string describe(const Model& model);

// Half a line: "resnet18, 3 classes, 130 tensors, 22.4 MB, sha256 ...".
std::string summarize(const Model& model);

}  // namespace smearscope
