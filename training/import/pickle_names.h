// The only names of classes and functions that a checkpoint may hold.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "smearscope/error.h"

namespace smearscope::checkpoint {

enum class NumberFormat { f32, f64, f16, bf16, other };

// What a storage holds.
struct Element {
  const char* name;  // as PyTorch's dtype: "float32"
  NumberFormat format;
  std::size_t bytes;
};

// What is done with a name when the pickle calls it.
enum class Meaning {
  ordered_dict,    // becomes a dict
  size,            // torch.Size: the tuple that it is given
  storage_class,   // of `element`
  legacy_tensor,   // a tensor whose storage, offset, size and stride follow by BUILD
  rebuild_tensor,  // (storage, offset, size, stride, ...)
  parameter,       // (tensor, ...): the tensor; in very old files it follows by BUILD
  ignored,         // an ignored value
};

struct Name {
  Meaning meaning;
  const Element* element = nullptr;
};

// Throws Error, naming it, if "module.name" is none of the names that stand for data.
const Name& find_name(std::string_view module, std::string_view name);

}  // namespace smearscope::checkpoint
