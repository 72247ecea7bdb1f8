#include "import/checkpoint_file.h"

#include "import/tensor_numbers.h"
#include "model/checksum.h"
#include "model/input_file.h"
#include "model/safetensors.h"
#include "model/text.h"

namespace smearscope::checkpoint {
namespace {

// The legacy format's first pickle, 0x1950a86a20f9469cfc6c.
constexpr std::string_view legacy_magic("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10);

std::string_view view_of(const std::vector<char>& bytes) {
  return {bytes.data(), bytes.size()};
}

bool is_tar(std::string_view bytes) {
  return bytes.size() > 262 && bytes.substr(257, 5) == "ustar";
}

// The next of the legacy format's pickles.
Pickle take_pickle(std::string_view& rest) {
  Pickle pickle = read_pickle(rest);
  rest.remove_prefix(pickle.bytes);
  return pickle;
}

}  // namespace

std::vector<char> read_whole_file(const std::string& path) {
  constexpr std::uint64_t most_bytes = std::uint64_t{4} << 30U;
  InputFile file(path);
  if (file.size() > most_bytes) {
    throw Error("has " + std::to_string(file.size()) + " bytes; checkpoints of up to " +
                std::to_string(most_bytes) + " are read");
  }
  std::vector<char> bytes(static_cast<std::size_t>(file.size()));
  file.read(bytes.data(), bytes.size());
  return bytes;
}

CheckpointFile::CheckpointFile(std::vector<char> bytes) : bytes_(std::move(bytes)) {
  const std::string_view file = view_of(bytes_);
  if (file.substr(0, 4) == "PK\x03\x04") {
    read_zip();
  } else if (file.substr(0, 1) == "\x80") {
    read_legacy();
  } else if (is_tar(file)) {
    throw Error(
        "is a tar archive, PyTorch's format before 0.1.10: load it with torch.load and save it again");
  } else {
    throw Error("is no PyTorch checkpoint");
  }
}

void CheckpointFile::read_zip() {
  archive_.emplace(view_of(bytes_));
  const std::string_view first = archive_->names().front();
  folder_ = std::string(first.substr(0, first.find('/'))) + "/";
  if (archive_->has(folder_ + "constants.pkl"))
    throw Error("is a TorchScript program: save the state_dict() of the network instead");
  if (!archive_->has(folder_ + "data.pkl")) throw Error("is a zip archive, but no PyTorch checkpoint");
  if (archive_->has(folder_ + "byteorder")) {
    const std::string_view order = archive_->read(folder_ + "byteorder");
    if (order != "little" && order != "big") throw Error("has the unknown byte order " + quoted(order));
    big_endian_ = order == "big";
  }
  pickle_ = read_pickle(archive_->read(folder_ + "data.pkl"));
}

// Magic number, version, a description of the machine, the object, the keys of its storages; then of each
// storage the count of its elements (8 bytes) and the elements, little-endian on every machine.
void CheckpointFile::read_legacy() {
  std::string_view rest = view_of(bytes_);
  const Pickle magic = take_pickle(rest);
  if (magic[magic.root].kind != Kind::large || magic[magic.root].text != legacy_magic)
    throw Error("is a pickle, but no PyTorch checkpoint");
  const Pickle version = take_pickle(rest);
  if (version[version.root].kind != Kind::whole || version[version.root].number != 1001)
    throw Error("is a PyTorch checkpoint of an unknown version");
  take_pickle(rest);
  pickle_ = take_pickle(rest);

  std::map<std::string_view, const Storage*> known;
  for (const Storage& storage : pickle_.storages) {
    const Storage& same = *known.emplace(storage.key, &storage).first->second;
    if (same.total != storage.total || same.element->bytes != storage.element->bytes)
      throw Error("damaged checkpoint: the storage " + quoted(storage.key) + " has two sizes");
  }
  const Pickle keys = take_pickle(rest);
  if (keys[keys.root].kind != Kind::list) throw Error("damaged checkpoint: the list of storages is missing");
  for (const Ref ref : keys[keys.root].items) {
    const std::string_view key = keys[ref].text;
    const auto found = known.find(key);
    if (found == known.end())
      throw Error("damaged checkpoint: nothing is said of the storage " + quoted(key));
    const std::uint64_t count = found->second->total, element = found->second->element->bytes;
    if (rest.size() < 8 || count > (rest.size() - 8) / element ||
        read_u64(reinterpret_cast<const unsigned char*>(rest.data())) != count)
      throw Error("damaged checkpoint: the storage " + quoted(key) + " is not whole (cut short?)");
    if (!storages_.emplace(key, rest.substr(8, count * element)).second)
      throw Error("damaged checkpoint: the storage " + quoted(key) + " comes twice");
    rest.remove_prefix(8 + count * element);
  }
}

std::string_view CheckpointFile::bytes_of(const Storage& storage) {
  std::string_view bytes;
  if (archive_) {
    bytes = archive_->read(folder_ + "data/" + std::string(storage.key));
  } else {
    const auto found = storages_.find(storage.key);
    if (found == storages_.end()) throw Error("damaged checkpoint: it has no storage " + quoted(storage.key));
    bytes = found->second;
  }
  const std::uint64_t element = storage.element->bytes;
  if (bytes.size() % element != 0 || bytes.size() / element != storage.total) {
    throw Error("damaged checkpoint: the storage " + quoted(storage.key) + " has " +
                std::to_string(bytes.size()) + " bytes, not " + std::to_string(storage.total) + " times " +
                std::to_string(element));
  }
  return bytes.substr(storage.first * element, storage.count * element);
}

std::vector<float> CheckpointFile::values(const Tensor& tensor) {
  if (!tensor.defined) throw Error("holds no numbers");
  return numbers_of(tensor, bytes_of(tensor.storage), big_endian_);
}

std::string CheckpointFile::digest() const {
  Sha256 sum;
  sum.add(bytes_.data(), bytes_.size());
  return sum.finish();
}

}  // namespace smearscope::checkpoint
