#include "ops/kinds.h"

#include <cstddef>

namespace smearscope::ops {

Kinds each_alone(int classes) {
  return with_all_kinds({}, classes);
}

Kinds with_all_kinds(const std::vector<int>& parents, int classes) {
  Kinds result;
  for (int label = 0; label < classes; ++label) {
    result.first.push_back(static_cast<int>(result.kinds.size()));
    for (int kind = 0; kind < classes; ++kind) {
      int at = kind;
      while (at != label && at >= 0) at = parents.empty() ? -1 : parents[static_cast<std::size_t>(at)];
      if (at == label) result.kinds.push_back(kind);
    }
  }
  result.first.push_back(static_cast<int>(result.kinds.size()));
  return result;
}

}  // namespace smearscope::ops
