// Tensors and storages of a pickle (torch/_utils.py, _rebuild_tensor_v2; torch/serialization.py,
// persistent_id).
#include <algorithm>

#include "import/pickle_machine.h"
#include "model/text.h"

namespace smearscope::checkpoint {
namespace {

constexpr std::size_t most_dimensions = 8;
// An expanded tensor (stride 0) may have more elements than its storage, but not so many that they fill
// memory.
constexpr std::uint64_t most_expanded = 1U << 22U;

[[noreturn]] void fail(const std::string& what) {
  throw Error("damaged tensor: " + what);
}

std::int64_t whole_number(const Value& value, const char* what) {
  if (value.kind != Kind::whole || value.number < 0) fail(std::string("its ") + what + " is no whole number");
  return value.number;
}

std::vector<std::int64_t> whole_numbers(const Pickle& pickle, const Value& tuple, const char* what) {
  if (tuple.kind != Kind::tuple && tuple.kind != Kind::list)
    fail(std::string("its ") + what + " is no tuple");
  if (tuple.items.size() > most_dimensions) fail("it has more than 8 dimensions");
  std::vector<std::int64_t> numbers;
  for (const Ref item : tuple.items) numbers.push_back(whole_number(pickle[item], what));
  return numbers;
}

// Its last element, and so all of them, is in the storage.
void check_extent(const Tensor& tensor) {
  if (std::find(tensor.shape.begin(), tensor.shape.end(), 0) != tensor.shape.end()) return;
  if (tensor.offset >= tensor.storage.count) fail("it begins outside its storage");
  std::uint64_t room = tensor.storage.count - 1 - tensor.offset;
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
    const auto steps = static_cast<std::uint64_t>(tensor.shape[i]) - 1;
    const auto stride = static_cast<std::uint64_t>(tensor.strides[i]);
    if (stride > 0 && steps > room / stride) fail("it ends outside its storage");
    room -= steps * stride;
  }
}

void check_count(const Tensor& tensor) {
  const std::uint64_t most = std::max(tensor.storage.count, most_expanded);
  std::uint64_t count = 1;
  for (const std::int64_t size : tensor.shape) {
    if (size > 0 && count > most / static_cast<std::uint64_t>(size))
      fail("it claims more numbers than its storage has");
    count *= static_cast<std::uint64_t>(size);
  }
}

// (key, first element, elements): a part of the storage, in files of PyTorch 0.1 to 0.3.
void take_view(const Pickle& pickle, const Value& view, Storage& storage) {
  if (view.kind == Kind::none) return;
  if (view.kind != Kind::tuple || view.items.size() != 3)
    fail("the view of its storage is no tuple of three");
  storage.first = static_cast<std::uint64_t>(whole_number(pickle[view.items[1]], "view"));
  storage.count = static_cast<std::uint64_t>(whole_number(pickle[view.items[2]], "view"));
  if (storage.first > storage.total || storage.count > storage.total - storage.first)
    fail("the view of its storage ends outside it");
}

}  // namespace

Tensor tensor_from(const Pickle& pickle, const std::vector<Ref>& arguments) {
  if (arguments.size() < 4 || pickle[arguments[0]].kind != Kind::storage) fail("it has no storage");
  Tensor tensor;
  tensor.defined = true;
  tensor.storage = pickle.storages[static_cast<std::size_t>(pickle[arguments[0]].number)];
  tensor.offset = static_cast<std::uint64_t>(whole_number(pickle[arguments[1]], "offset"));
  tensor.shape = whole_numbers(pickle, pickle[arguments[2]], "size");
  tensor.strides = whole_numbers(pickle, pickle[arguments[3]], "stride");
  if (tensor.shape.size() != tensor.strides.size()) fail("it has not as many strides as dimensions");
  check_extent(tensor);
  check_count(tensor);
  return tensor;
}

Storage storage_from(const Pickle& pickle, const Value& id) {
  const auto item = [&](std::size_t i) -> const Value& { return pickle[id.items[i]]; };
  const bool is_storage = id.kind == Kind::tuple && (id.items.size() == 5 || id.items.size() == 6) &&
                          item(0).text == "storage" && item(1).kind == Kind::name &&
                          item(2).kind == Kind::text;
  const Name* name = is_storage ? pickle.names[static_cast<std::size_t>(item(1).number)] : nullptr;
  if (!name || name->meaning != Meaning::storage_class)
    throw Error("damaged pickle: a persistent id that is no storage");
  Storage storage;
  storage.key = item(2).text;
  storage.element = name->element;
  storage.total = storage.count = static_cast<std::uint64_t>(whole_number(item(4), "size"));
  if (id.items.size() == 6) take_view(pickle, item(5), storage);
  return storage;
}

}  // namespace smearscope::checkpoint
