// What an image's labels don't tell.
#pragma once

#include <vector>

#include "corpus/records.h"

namespace smearscope::corpus {

// Classes of which cells may be in the image without a box, outside its ignore regions; ascending. None if
// the ignore regions hold all of them. Else those that the image calls not exhaustive, and those it says
// nothing of: not absent, and without boxes, also of classes that are a kind of it or that it is a kind of.
std::vector<int> open_classes(const Image& image, const std::vector<Class>& classes);

}  // namespace smearscope::corpus
