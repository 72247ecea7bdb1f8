// The figures as text for a terminal.
#pragma once

#include <string>

#include "evaluate/measured.h"

namespace smearscope::training {

// The twelve figures of COCO, one a line; those with the labels as told beside them where they differ.
std::string summary_table(const Measured& measured);

// A class a line, those with most boxes first: boxes, AP, recall, best threshold, error of the count.
std::string classes_table(const Measured& measured);

// What cells were taken for, above the count threshold: the commonest mistakes, one a line; "" if there are
// none.
std::string mistakes_table(const Measured& measured);

}  // namespace smearscope::training
