#include "build/stamp.h"

#include <algorithm>
#include <fstream>
#include <vector>

#include "corpus/folder.h"
#include "model/file_writer.h"

namespace smearscope::corpus {

namespace fs = std::filesystem;

std::string stamp_of_text(const std::string& text) {
  return sha256_of_text(SMEARSCOPE_VERSION "\n" + text);
}

std::string stamp_of_files(const fs::path& folder) {
  std::vector<std::string> lines;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    lines.push_back(entry.path().lexically_relative(folder).generic_string() + "\n" +
                    std::to_string(entry.file_size()) + " " +
                    std::to_string(entry.last_write_time().time_since_epoch().count()) + "\n");
  }
  std::sort(lines.begin(), lines.end());
  std::string text;
  for (const std::string& line : lines) text += line;
  return stamp_of_text(text);
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
