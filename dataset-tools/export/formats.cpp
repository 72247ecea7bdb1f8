#include "export/formats.h"

#include <cmath>
#include <cstdio>
#include <fstream>
#include <set>

#include "corpus/coco.h"
#include "corpus/progress.h"
#include "storage/name_table.h"

namespace smearscope::corpus {

const std::vector<ExportFormat>& export_formats() {
  static const std::vector<ExportFormat> all{
      {"coco", export_coco, [](const Image& image) { return "images/" + image.file; }},
      {"voc", export_voc, [](const Image& image) { return "JPEGImages/" + image.file; }},
      {"yolo", export_yolo,
       [](const Image& image) { return "images/" + part_name(image) + "/" + image.file; }},
      {"csv", export_csv, [](const Image& image) { return "images/" + image.file; }},
  };
  return all;
}

void export_corpus(const StoredCorpus& corpus, const std::string& format, const std::filesystem::path& folder,
                   Transfer transfer) {
  std::string known;
  for (const ExportFormat& candidate : export_formats()) {
    known += std::string(known.empty() ? "" : ", ") + candidate.name;
    if (format != candidate.name) continue;
    NewFolder fresh(folder);
    candidate.write_labels(corpus, fresh);
    Progress progress("exporting images", corpus.images.size());
    try {
      for (const Image& image : corpus.images) {
        transfer_file(image.path, fresh.file(candidate.image_name(image)), transfer);
        progress.step();
      }
    } catch (const std::filesystem::filesystem_error& problem) {
      throw Error(folder.string() + ": cannot write the images: " + problem.what());
    }
    fresh.finish();
    return;
  }
  throw Error("unknown format '" + format + "'; known are " + known);
}

void export_coco(const StoredCorpus& corpus, const NewFolder& folder) {
  std::int64_t annotation_id = 1;
  std::set<std::string> parts;
  for (const Image& image : corpus.images) {
    if (!parts.insert(image.part).second) continue;
    write_coco(folder.file("annotations/instances_" + part_name(image) + ".json"), corpus, image.part,
               annotation_id);
  }
}

void write_text_file(const std::filesystem::path& file, const std::string& text) {
  write_text_file(file, [&](std::ostream& out) { out << text; });
}

void write_text_file(const std::filesystem::path& file, const std::function<void(std::ostream&)>& write) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  write(out);
  out.close();
  if (!out) throw Error(file.string() + ": cannot write the file (is the disk full?)");
}

std::string part_name(const Image& image) {
  return image.part.empty() ? "all" : image.part;
}

std::string stem_of(const Image& image) {
  return std::filesystem::path(image.file).replace_extension().string();
}

void check_stems(const StoredCorpus& corpus) {
  NameTable known;
  for (const Image& image : corpus.images) {
    const std::string stem = stem_of(image);
    if (!known.insert(stem).second) {
      throw Error(
          "two images are named '" + stem +
          "' but for their extensions, which this format can't tell apart: merge the corpus first, which "
          "renames them");
    }
  }
}

std::string shortest(double pixels) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", pixels);
  std::string result = text;
  result.erase(result.find_last_not_of('0') + 1);
  if (result.back() == '.') result.pop_back();
  return result;
}

}  // namespace smearscope::corpus
