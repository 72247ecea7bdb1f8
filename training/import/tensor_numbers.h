// The numbers of a tensor of a checkpoint.
#pragma once

#include <string_view>
#include <vector>

#include "import/pickle.h"

namespace smearscope::checkpoint {

// Dense and row-major, as f32: float64 is rounded to nearest, what is too large becomes infinite. `storage`:
// the bytes of its storage (of the part that it looks at). Throws Error if its elements are not float32,
// float64, float16 or bfloat16.
std::vector<float> numbers_of(const Tensor& tensor, std::string_view storage, bool big_endian);

}  // namespace smearscope::checkpoint
