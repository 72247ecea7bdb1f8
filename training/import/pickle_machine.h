// What a pickle's instructions do to its values. For pickle.cpp, which reads the instructions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "import/pickle.h"

namespace smearscope::checkpoint {

// A stack of values, with marks in it, and a memory. Every function throws Error if the instruction doesn't
// fit what is on the stack, or passes a limit.
class Machine {
 public:
  explicit Machine(Pickle& pickle) : pickle_(pickle) {}

  void push(Value value);
  void push_number(Kind kind, std::int64_t number);
  void push_text(Kind kind, std::string_view text);
  void push_name(std::string_view module, std::string_view name);
  void push_name_from_stack();  // STACK_GLOBAL: module, name -> the name

  void mark();
  void drop();                         // POP
  void drop_to_mark();                 // POP_MARK
  void duplicate();                    // DUP
  void remember(std::uint32_t place);  // the top, without taking it
  void remember_next();                // MEMOIZE
  void recall(std::uint32_t place);

  void make_tuple(std::size_t count);            // of the top `count` values
  void make_from_mark(Kind kind);                // tuple, list or dict; ignored: a set
  void add_items(std::size_t count, Kind kind);  // to the list or dict below the top `count` values
  void add_items_from_mark(Kind kind);

  void call();                // REDUCE, NEWOBJ: name, arguments -> value
  void call_with_keywords();  // NEWOBJ_EX: name, arguments, keywords (there may be none) -> value
  void set_state();           // BUILD: value, state -> value
  void load_storage();        // BINPERSID: persistent id -> storage

  Ref result();  // the only value left

 private:
  const Value& at(Ref ref) const { return pickle_.values[ref]; }
  Ref add(Value value);  // to the pickle's values
  Ref add_tensor(Tensor tensor);
  Ref pop();
  Ref top() const;
  std::size_t count_above_mark();  // and forgets the mark
  std::vector<Ref> take(std::size_t count);
  Ref apply(Ref callable, Ref arguments);
  Ref make_ordered_dict(const std::vector<Ref>& arguments);
  void set_tensor_state(Value& tensor, const Value& state);

  Pickle& pickle_;
  std::vector<Ref> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint32_t, Ref> memo_;
  std::size_t copied_ = 0;  // references, from lists of pairs to dicts
};

// The tensor of (storage, offset, size, stride, ...). Throws Error unless it lies within its storage.
Tensor tensor_from(const Pickle& pickle, const std::vector<Ref>& arguments);

// The storage of ('storage', class, key, device, elements[, view]). Throws Error if it is something else.
Storage storage_from(const Pickle& pickle, const Value& persistent_id);

}  // namespace smearscope::checkpoint
