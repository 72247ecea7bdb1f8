// Which algorithm was fastest for a convolution: measured once, then kept, in this process and in a file for
// those to come. Not for speed alone: algorithms sum in different orders, so the same bits need the same
// choice.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace smearscope::network {

// Lines of "key<tab>value" in $SMEARSCOPE_CACHE_DIR, else $XDG_CACHE_HOME/smearscope, else
// ~/.cache/smearscope. Keys name everything that the choice depends on: GPU, versions of libraries, shape.
// Any thread.
class Choices {
 public:
  // `path` may be empty: nothing is kept beyond this object's life.
  explicit Choices(std::string path);

  // The one that all detectors of this process share.
  static Choices& shared();

  std::optional<std::string> find(const std::string& key) const;

  // Also in the file. A file that can't be written is no error: other processes then measure anew. Lines that
  // another process wrote meanwhile are kept; of two choices for one key the file's first stays, and is
  // returned.
  std::string keep(const std::string& key, const std::string& value);

 private:
  void read();

  mutable std::mutex mutex_;
  std::string path_;
  std::map<std::string, std::string> values_;
};

}  // namespace smearscope::network
