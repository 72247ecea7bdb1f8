// Classes and their kinds: a lymphocyte is a kind of white cell.
#pragma once

#include <vector>

#include "ops/host_device.h"

namespace smearscope::ops {

// The classes that a class's score is summed over: those of class c are kinds[first[c]] up to, without,
// kinds[first[c + 1]]. Host or device memory, owned by someone else.
struct KindsView {
  const int* first = nullptr;
  const int* kinds = nullptr;
};

struct Kinds {
  std::vector<int> first, kinds;
  KindsView view() const { return {first.data(), kinds.data()}; }
};

Kinds each_alone(int classes);

// Each class with its kinds, theirs, and so on, in rising order. `parents` as in ModelInfo.
Kinds with_all_kinds(const std::vector<int>& parents, int classes);

// Of the classes that `label` is summed over, the one with the largest logit, the first of equals. `logits`
// begin with background's.
SMEARSCOPE_HOST_DEVICE inline int likeliest_kind(const float* logits, KindsView view, int label) {
  int best = view.kinds[view.first[label]];
  for (int i = view.first[label] + 1; i < view.first[label + 1]; ++i) {
    if (logits[view.kinds[i] + 1] > logits[best + 1]) best = view.kinds[i];
  }
  return best;
}

}  // namespace smearscope::ops
