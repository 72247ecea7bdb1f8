#include "import/pickle_machine.h"

#include <utility>

namespace smearscope::checkpoint {
namespace {

// Far more than a checkpoint has, and what a hostile one may make this program allocate.
constexpr std::size_t most_values = 1'000'000;

[[noreturn]] void fail(const char* what) {
  throw Error(std::string("damaged pickle: ") + what);
}

void check_limit(std::size_t count) {
  if (count >= most_values) throw Error("holds more than a million values: no checkpoint of weights");
}

Value value_of(Kind kind, std::size_t number = 0) {
  Value value;
  value.kind = kind;
  value.number = static_cast<std::int64_t>(number);
  return value;
}

}  // namespace

Ref Machine::add(Value value) {
  check_limit(pickle_.values.size());
  pickle_.values.push_back(std::move(value));
  return static_cast<Ref>(pickle_.values.size() - 1);
}

Ref Machine::add_tensor(Tensor tensor) {
  pickle_.tensors.push_back(std::move(tensor));
  return add(value_of(Kind::tensor, pickle_.tensors.size() - 1));
}

void Machine::push(Value value) {
  stack_.push_back(add(std::move(value)));
}

void Machine::push_number(Kind kind, std::int64_t number) {
  Value value = value_of(kind);
  value.number = number;
  push(std::move(value));
}

void Machine::push_text(Kind kind, std::string_view text) {
  Value value = value_of(kind);
  value.text = text;
  push(std::move(value));
}

void Machine::push_name(std::string_view module, std::string_view name) {
  pickle_.names.push_back(&find_name(module, name));
  push(value_of(Kind::name, pickle_.names.size() - 1));
}

void Machine::push_name_from_stack() {
  const Value &name = at(pop()), &module = at(pop());
  if (name.kind != Kind::text || module.kind != Kind::text) fail("a name that is no text");
  push_name(module.text, name.text);
}

Ref Machine::top() const {
  if (stack_.size() == (marks_.empty() ? 0 : marks_.back())) fail("its stack runs empty");
  return stack_.back();
}

Ref Machine::pop() {
  const Ref value = top();
  stack_.pop_back();
  return value;
}

std::vector<Ref> Machine::take(std::size_t count) {
  const std::size_t floor = marks_.empty() ? 0 : marks_.back();
  if (stack_.size() - floor < count) fail("its stack runs empty");
  const auto first = stack_.end() - static_cast<std::ptrdiff_t>(count);
  std::vector<Ref> values(first, stack_.end());
  stack_.erase(first, stack_.end());
  return values;
}

std::size_t Machine::count_above_mark() {
  if (marks_.empty()) fail("a mark is missing");
  const std::size_t count = stack_.size() - marks_.back();
  marks_.pop_back();
  return count;
}

void Machine::mark() {
  marks_.push_back(stack_.size());
}

void Machine::drop() {
  if (!marks_.empty() && marks_.back() == stack_.size()) {
    marks_.pop_back();  // Python's POP takes a mark too
  } else {
    pop();
  }
}

void Machine::drop_to_mark() {
  take(count_above_mark());
}

void Machine::duplicate() {
  stack_.push_back(top());
}

void Machine::remember(std::uint32_t place) {
  check_limit(memo_.size());
  memo_[place] = top();
}

void Machine::remember_next() {
  remember(static_cast<std::uint32_t>(memo_.size()));
}

void Machine::recall(std::uint32_t place) {
  const auto found = memo_.find(place);
  if (found == memo_.end()) fail("it recalls a value that it never had");
  stack_.push_back(found->second);
}

void Machine::make_tuple(std::size_t count) {
  Value tuple = value_of(Kind::tuple);
  tuple.items = take(count);
  push(std::move(tuple));
}

void Machine::make_from_mark(Kind kind) {
  Value value = value_of(kind);
  std::vector<Ref> items = take(count_above_mark());
  if (kind == Kind::dict && items.size() % 2 != 0) fail("a key without its value");
  if (kind != Kind::ignored) value.items = std::move(items);
  push(std::move(value));
}

void Machine::add_items(std::size_t count, Kind kind) {
  const std::vector<Ref> items = take(count);
  Value& container = pickle_.values[top()];
  if (container.kind == Kind::ignored) return;
  if (container.kind != kind) fail("items are added to something that has none");
  if (kind == Kind::dict && count % 2 != 0) fail("a key without its value");
  container.items.insert(container.items.end(), items.begin(), items.end());
}

void Machine::add_items_from_mark(Kind kind) {
  add_items(count_above_mark(), kind);
}

void Machine::call() {
  const Ref arguments = pop(), callable = pop();
  stack_.push_back(apply(callable, arguments));
}

void Machine::call_with_keywords() {
  const Value& keywords = at(pop());
  if (keywords.kind != Kind::dict || !keywords.items.empty()) fail("a call with keywords");
  call();
}

Ref Machine::apply(Ref callable, Ref arguments) {
  if (at(callable).kind != Kind::name) fail("a call of something that is no name");
  if (at(arguments).kind != Kind::tuple) fail("a call whose arguments are no tuple");
  const std::vector<Ref>& given = at(arguments).items;
  const bool has_first = !given.empty();
  switch (pickle_.names[static_cast<std::size_t>(at(callable).number)]->meaning) {
    case Meaning::ordered_dict:
      return make_ordered_dict(given);
    case Meaning::size:
      if (!has_first || at(given[0]).kind != Kind::tuple) fail("a torch.Size of something that is no tuple");
      return given[0];
    case Meaning::legacy_tensor:
      if (has_first) fail("a tensor made of something that is no storage");
      return add_tensor({});
    case Meaning::rebuild_tensor:
      return add_tensor(tensor_from(pickle_, given));
    case Meaning::parameter:
      if (!has_first) return add_tensor({});
      if (at(given[0]).kind != Kind::tensor) fail("a parameter of something that is no tensor");
      return given[0];
    case Meaning::ignored:
      return add(value_of(Kind::ignored));
    case Meaning::storage_class:
      break;
  }
  fail("a call of the class of a storage");
}

// Without arguments, or with one list of pairs, as Python 2 wrote it.
Ref Machine::make_ordered_dict(const std::vector<Ref>& arguments) {
  Value dict = value_of(Kind::dict);
  if (!arguments.empty()) {
    const Value& list = at(arguments[0]);
    if (arguments.size() > 1 || list.kind != Kind::list) fail("an OrderedDict of something that is no list");
    for (const Ref item : list.items) {
      const Value& pair = at(item);
      if ((pair.kind != Kind::tuple && pair.kind != Kind::list) || pair.items.size() != 2)
        fail("an OrderedDict of something that is no pair");
      dict.items.insert(dict.items.end(), pair.items.begin(), pair.items.end());
      check_limit(copied_ += 2);
    }
  }
  return add(std::move(dict));
}

void Machine::set_state() {
  const Value& state = at(pop());
  Value& object = pickle_.values[top()];
  switch (object.kind) {
    case Kind::tensor:
      return set_tensor_state(object, state);
    case Kind::dict:  // attributes beside its items, such as a state dict's _metadata
    case Kind::ignored:
      return;
    default:
      fail("a state for something that has none");
  }
}

// Very old files (PyTorch 0.1 to 0.3): a tensor's state is (storage, offset, size, stride); a parameter's is
// (tensor, gradient, hooks, requires_grad, volatile).
void Machine::set_tensor_state(Value& tensor, const Value& state) {
  if (pickle_.tensors[static_cast<std::size_t>(tensor.number)].defined) return;
  if (state.kind == Kind::tuple && state.items.size() == 4) {
    pickle_.tensors[static_cast<std::size_t>(tensor.number)] = tensor_from(pickle_, state.items);
  } else if (state.kind == Kind::tuple && state.items.size() == 5 &&
             at(state.items[0]).kind == Kind::tensor) {
    tensor.number = at(state.items[0]).number;
  } else {
    fail("a tensor without its numbers");
  }
}

void Machine::load_storage() {
  pickle_.storages.push_back(storage_from(pickle_, at(pop())));
  push(value_of(Kind::storage, pickle_.storages.size() - 1));
}

Ref Machine::result() {
  const Ref value = pop();
  if (!stack_.empty() || !marks_.empty()) fail("it ends with values left over");
  return value;
}

}  // namespace smearscope::checkpoint
