// ModelInfo and its JSON document (docs/model-format.md, "The document").
#pragma once

#include <string>
#include <string_view>

#include "smearscope/model.h"

namespace smearscope {

// The only document version so far. A reader refuses any other, so every change of meaning takes a new
// number.
inline constexpr int model_info_version = 1;

// Reads the document strictly: unknown and missing fields, wrong types and values out of range are refused.
// Throws Error naming the field, as in "architecture.fpn_channels".
ModelInfo parse_model_info(std::string_view json);

// Writes the document. Throws Error where parse_model_info would.
std::string write_model_info(const ModelInfo& info);

// Throws Error unless every value is in the range that docs/model-format.md gives. The ranges also bound the
// memory that a program needs for any model.
void check_model_info(const ModelInfo& info);

}  // namespace smearscope
