// A file of torch.save, in either of its formats: the zip archive of PyTorch 1.6 and later, or the sequence
// of pickles and raw storages of before ("legacy"). Formats: torch/serialization.py.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "import/pickle.h"
#include "import/zip.h"
#include "smearscope/error.h"

namespace smearscope::checkpoint {

// The bytes of a file of at most 4 GiB. Throws Error, without the path.
std::vector<char> read_whole_file(const std::string& path);

class CheckpointFile {
 public:
  // Throws Error (one line, without the file's name) if `bytes` are no checkpoint, or a damaged or hostile
  // one.
  explicit CheckpointFile(std::vector<char> bytes);
  CheckpointFile(const CheckpointFile&) = delete;
  CheckpointFile& operator=(const CheckpointFile&) = delete;

  const Pickle& pickle() const { return pickle_; }
  const Value& root() const { return pickle_[pickle_.root]; }

  // A tensor's numbers, dense and row-major. Throws Error unless they are float32, float64 (rounded to
  // nearest), float16 or bfloat16, or if they are not whole in the file.
  std::vector<float> values(const Tensor& tensor);

  std::string digest() const;  // SHA-256 of the file, 64 hexadecimal digits

 private:
  void read_zip();
  void read_legacy();
  std::string_view bytes_of(const Storage& storage);

  const std::vector<char> bytes_;
  Pickle pickle_;
  bool big_endian_ = false;
  std::optional<ZipArchive> archive_;
  std::string folder_;                                     // in the archive, with its slash
  std::map<std::string_view, std::string_view> storages_;  // of the legacy format, by key
};

}  // namespace smearscope::checkpoint
