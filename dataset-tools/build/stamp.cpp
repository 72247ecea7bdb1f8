#include "build/stamp.h"

#include <fstream>

#include "model/checksum.h"
#include "model/file_writer.h"
#include "storage/file_list.h"

namespace smearscope::corpus {

namespace fs = std::filesystem;

namespace {

class Stamp {
 public:
  Stamp() { add(SMEARSCOPE_VERSION "\n"); }
  void add(const std::string& text) { sum_.add(text.data(), text.size()); }
  std::string finish() { return sum_.finish(); }

 private:
  Sha256 sum_;
};

}  // namespace

std::string stamp_of_text(const std::string& text) {
  Stamp stamp;
  stamp.add(text);
  return stamp.finish();
}

std::string stamp_of_files(const fs::path& folder) {
  FileList files(folder);
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.add(entry.path().lexically_relative(folder).generic_string());
  }
  files.sort();
  Stamp stamp;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const fs::directory_entry entry(files.path(i));
    stamp.add(std::string(files.name(i)) + "\n" + std::to_string(entry.file_size()) + " " +
              std::to_string(entry.last_write_time().time_since_epoch().count()) + "\n");
  }
  return stamp.finish();
}

bool is_stamped(const fs::path& file, const std::string& stamp) {
  std::ifstream in(file);
  std::string found;
  return in && std::getline(in, found) && found == stamp;
}

void write_stamp(const fs::path& file, const std::string& stamp) {
  replace_file(file.string(), {{stamp.data(), stamp.size()}});
}

}  // namespace smearscope::corpus
