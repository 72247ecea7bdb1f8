#include "corpus/provenance.h"

#include <fstream>
#include <optional>

#include "corpus/csv.h"
#include "storage/name_table.h"

namespace smearscope::corpus {
namespace {

constexpr const char* image_row = "image";

}  // namespace

void write_provenance(const std::filesystem::path& file, const StoredCorpus& corpus) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  write_csv_row(out, provenance_columns);
  for (const Image& image : corpus.images) {
    write_csv_row(out, {image.source, image.source_file, image.sha256, image.file, image_row, ""});
    for (const Change& change : image.changes) {
      write_csv_row(out,
                    {image.source, image.source_file, image.sha256, image.file, change.rule, change.detail});
    }
  }
  for (const LeftOut& left : corpus.left_out) {
    write_csv_row(out,
                  {left.source, left.source_file, left.sha256, "", left.change.rule, left.change.detail});
  }
  out.close();
  if (!out) throw Error(file.string() + ": cannot write the file (is the disk full?)");
}

void read_provenance(const std::filesystem::path& file, StoredCorpus& corpus) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw Error(file.string() + ": cannot read the file");
  NameTable files;
  for (const Image& image : corpus.images) files.insert(image.file);

  // Rows of one image mostly follow each other.
  std::optional<std::size_t> index;
  Image image;
  const auto finish_image = [&] {
    if (index) corpus.images.set(*index, image);
  };
  CsvReader csv(in, file.string(), provenance_columns);
  for (std::vector<std::string> cells; csv.next(cells);) {
    const std::string &name = cells[3], &rule = cells[4], &detail = cells[5];
    if (name.empty()) {
      corpus.left_out.push_back({cells[0], cells[1], cells[2], {rule, detail}});
      continue;
    }
    if (!index || name != image.file) {
      finish_image();
      index = files.find(name);
      if (!index) continue;
      image = corpus.images[*index];
    }
    if (rule == image_row) {
      image.sha256 = cells[2];
    } else {
      image.changes.push_back({rule, detail});
    }
  }
  finish_image();
}

}  // namespace smearscope::corpus
