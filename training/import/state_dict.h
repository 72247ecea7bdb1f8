// The state dict in a checkpoint.
#pragma once

#include <map>
#include <string>

#include "import/pickle.h"

namespace smearscope::checkpoint {

struct StateDict {
  std::map<std::string, const Tensor*> tensors;  // of the pickle
  std::string entry;  // of the checkpoint, under which it was found: "model"; empty: the checkpoint is it
};

// The checkpoint itself, or its entry "model", "state_dict", ... Prefixes that all names have ("module." of
// DataParallel) are taken off, and names of torchvision before 0.13 are brought up to date. Throws Error if
// there is none, or if a name comes twice.
StateDict find_state_dict(const Pickle& pickle);

}  // namespace smearscope::checkpoint
