#include "corpus/provenance.h"

#include <fstream>
#include <unordered_map>

#include "corpus/csv.h"

namespace smearscope::corpus {
namespace {

constexpr const char* image_row = "image";

}  // namespace

void write_provenance(const std::filesystem::path& file, const Corpus& corpus) {
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

void read_provenance(const std::filesystem::path& file, Corpus& corpus) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw Error(file.string() + ": cannot read the file");
  std::unordered_map<std::string, Image*> image_of_file;
  for (Image& image : corpus.images) image_of_file[image.file] = &image;

  CsvReader csv(in, file.string(), provenance_columns);
  for (std::vector<std::string> cells; csv.next(cells);) {
    const std::string &name = cells[3], &rule = cells[4], &detail = cells[5];
    if (name.empty()) {
      corpus.left_out.push_back({cells[0], cells[1], cells[2], {rule, detail}});
      continue;
    }
    const auto image = image_of_file.find(name);
    if (image == image_of_file.end()) continue;
    if (rule == image_row) {
      image->second->sha256 = cells[2];
    } else {
      image->second->changes.push_back({rule, detail});
    }
  }
}

}  // namespace smearscope::corpus
