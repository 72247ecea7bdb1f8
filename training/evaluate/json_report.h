// The figures as JSON: docs/results-format.md.
#pragma once

#include <string>

#include "evaluate/measured.h"

namespace smearscope::training {

constexpr int evaluation_format_version = 1;

std::string json_report(const Measured& measured);

}  // namespace smearscope::training
