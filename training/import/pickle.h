// Python's pickle format, read as data: tensors, numbers, texts and containers. Nothing in a pickle is run,
// and none of its names is looked up anywhere but in the table of pickle_names.cpp. Format: Python's
// Lib/pickletools.py (opcodes); torch/_utils.py, torch/storage.py (what PyTorch writes).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "import/pickle_names.h"
#include "smearscope/error.h"

namespace smearscope::checkpoint {

using Ref = std::uint32_t;  // place of a value in Pickle::values

enum class Kind : std::uint8_t {
  none,
  boolean,
  whole,  // an integer of at most 64 bits
  large,  // one of more
  real,   // a float; its value is not kept
  text,   // or bytes
  tuple,
  list,
  dict,  // collections.OrderedDict too
  name,  // of a class or function that pickle_names.cpp knows
  storage,
  tensor,   // torch.nn.Parameter too
  ignored,  // an object of no use here, such as argparse.Namespace or a NumPy number; nothing is kept of it
};

struct Value {
  Kind kind = Kind::none;
  std::int64_t number =
      0;                   // boolean, whole: its value; name, storage, tensor: place in the table of its kind
  std::string_view text;   // text; large: little-endian two's complement
  std::vector<Ref> items;  // tuple, list; dict: key, value, key, value, ... in the order of the file
};

// Numbers on disk that tensors look at: what a persistent id says.
struct Storage {
  std::string_view key;
  const Element* element = nullptr;
  std::uint64_t first = 0;  // the part of it that is looked at, in elements; all of it but in very old files
  std::uint64_t count = 0;
  std::uint64_t total = 0;  // elements of all of it
};

// Any view of a storage: element (i, j, ...) is at offset + i * strides[0] + j * strides[1] + ..., which lies
// within the storage for all indices.
struct Tensor {
  bool defined = false;
  Storage storage;
  std::uint64_t offset = 0;
  std::vector<std::int64_t> shape, strides;  // none negative, at most 8 of each
};

// What a pickle holds. All texts point into the bytes that it was read from.
struct Pickle {
  std::vector<Value> values;
  std::vector<const Name*> names;
  std::vector<Storage> storages;
  std::vector<Tensor> tensors;
  Ref root = 0;
  std::size_t bytes = 0;  // that it took

  const Value& operator[](Ref ref) const { return values[ref]; }
  // The value of a text key; nullptr if `dict` is none or hasn't got it. Throws Error if it has it twice.
  const Value* find(const Value& dict, std::string_view key) const;
};

// Reads the pickle at the start of `bytes`; more may follow it. Throws Error (one line, without a file's
// name) if it is cut short or not well-formed, if it names anything that is not data, or if it holds more
// than 1,000,000 values.
Pickle read_pickle(std::string_view bytes);

}  // namespace smearscope::checkpoint
