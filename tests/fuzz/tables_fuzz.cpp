// Tables and settings that users write against arbitrary bytes: they may be refused with Error of one line,
// and nothing else may happen. The first byte of the input tells what the rest is.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "build/config.h"
#include "corpus/csv.h"
#include "corpus/groups.h"
#include "corpus/image_header.h"
#include "corpus/plain_text.h"
#include "corpus/provenance.h"
#include "corpus/taxonomy.h"
#include "readers/gallery_table.h"
#include "readers/subtypes.h"

namespace smearscope::corpus {
namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

// A file with these bytes, in memory.
class MemoryFile {
 public:
  explicit MemoryFile(const std::string& bytes) : descriptor_(::memfd_create("table", MFD_CLOEXEC)) {
    require(::write(descriptor_, bytes.data(), bytes.size()) == static_cast<::ssize_t>(bytes.size()));
  }
  ~MemoryFile() { ::close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

StoredCorpus two_images() {
  Corpus corpus;
  corpus.images.resize(2);
  corpus.images[0].file = "a.jpg";
  corpus.images[1].file = "b.jpg";
  corpus.images[1].source_file = "x/b.jpg";
  return corpus;
}

void read_groups(const std::string& text) {
  StoredCorpus corpus = two_images();
  declare_groups(MemoryFile(text).path(), corpus.images);
}

// What is written of it reads the same.
void read_provenance_table(const std::string& text) {
  StoredCorpus corpus = two_images(), again = two_images();
  read_provenance(MemoryFile(text).path(), corpus);
  const MemoryFile written("");
  write_provenance(written.path(), corpus);
  read_provenance(written.path(), again);
  require(again.left_out.size() == corpus.left_out.size());
  require(again.images[1].changes.size() == corpus.images[1].changes.size());
}

void read_subtypes(const std::string& text) {
  std::istringstream in(text);
  for (const auto& [image, subtype] : parse_subtypes(in, "labels.csv"))
    require(image >= 0 && !subtype.name.empty());
}

void read_gallery(const std::string& text) {
  std::vector<std::string> problems;
  const GalleryTable table = parse_gallery_table(text, "cells.csv", problems);
  require(problems.size() <= 1000 && std::all_of(problems.begin(), problems.end(), is_plain_text));
  std::uint64_t last = 0;
  for (const GalleryCell& cell : table.cells) {
    require(cell.number >= last && cell.frame < table.frames.size() && cell.found_as < table.classes.size());
    require(table.frames[cell.frame].find('/') == std::string_view::npos &&
            !table.frames[cell.frame].empty());
    require(is_plain_text(std::string(table.classes[cell.found_as])));
    for (const double side : {cell.box.x_min, cell.box.y_min, cell.box.x_max, cell.box.y_max})
      require(std::isfinite(side));
    require(cell.pixel_size_um == 0 || (cell.pixel_size_um >= 0.01 && cell.pixel_size_um <= 10));
    last = cell.number;
  }
}

void read_taxonomy(const std::string& text) {
  const Taxonomy taxonomy = parse_taxonomy(text, "own.toml");
  require(!taxonomy.classes.empty() && taxonomy.general.size() == taxonomy.classes.size());
  for (const auto& [kind, source] : taxonomy.sources) {
    require(source.completeness.size() == taxonomy.classes.size());
    Image image;
    image.width = image.height = 9;
    for (const auto& [label, category] : source.class_of_label)
      image.annotations.push_back({{1, 1, 2, 2}, -1, label});
    classify(image, taxonomy, kind, {}, false);
    drop_general(image, taxonomy);
    require(classes_without_general(taxonomy).size() <= taxonomy.classes.size());
  }
}

void read(char kind, const std::string& text) {
  switch (kind) {
    case 'G':
      return read_groups(text);
    case 'P':
      return read_provenance_table(text);
    case 'C':
      return read_gallery(text);
    case 'S':
      return read_subtypes(text);
    case 'T':
      return read_taxonomy(text);
    case 'H':
      return check_size(read_image_header(text));
    default:
      require(!parse_build_config(text, "build.toml").sources.empty());
  }
}

}  // namespace
}  // namespace smearscope::corpus

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string input(reinterpret_cast<const char*>(data), size);
  try {
    smearscope::corpus::read(input[0], input.substr(1));
  } catch (const smearscope::Error& error) {
    smearscope::corpus::require(std::string_view(error.what()).find('\n') == std::string_view::npos);
  }
  return 0;
}
