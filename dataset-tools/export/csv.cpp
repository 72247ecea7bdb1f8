#include <ostream>

#include "corpus/csv.h"
#include "export/formats.h"

namespace smearscope::corpus {
namespace {

void write_images(std::ostream& out, const StoredCorpus& corpus) {
  write_csv_row(out, {"image_id", "file", "part", "width", "height", "pixel_size_um", "group", "source",
                      "source_file", "sha256"});
  for (std::size_t i = 0; i < corpus.images.size(); ++i) {
    const Image image = corpus.images[i];
    char scale[32] = "";
    if (image.pixel_size_um > 0) std::snprintf(scale, sizeof scale, "%.5f", image.pixel_size_um);
    write_csv_row(out, {std::to_string(i + 1), image.file, part_name(image), std::to_string(image.width),
                        std::to_string(image.height), scale, image.group, image.source, image.source_file,
                        image.sha256});
  }
}

void write_boxes(std::ostream& out, const StoredCorpus& corpus) {
  write_csv_row(out, {"image_id", "file", "category_id", "class", "label", "box_origin", "x_min", "y_min",
                      "x_max", "y_max"});
  for (std::size_t i = 0; i < corpus.images.size(); ++i) {
    const Image image = corpus.images[i];
    for (const Annotation& a : image.annotations) {
      write_csv_row(
          out, {std::to_string(i + 1), image.file, std::to_string(a.category + 1),
                corpus.classes[static_cast<std::size_t>(a.category)].name, a.label, name_of(a.origin),
                shortest(a.box.x_min), shortest(a.box.y_min), shortest(a.box.x_max), shortest(a.box.y_max)});
    }
  }
}

void write_classes(std::ostream& out, const StoredCorpus& corpus) {
  write_csv_row(out, {"category_id", "class", "parent"});
  for (std::size_t i = 0; i < corpus.classes.size(); ++i) {
    const int parent = corpus.classes[i].parent;
    write_csv_row(out, {std::to_string(i + 1), corpus.classes[i].name,
                        parent < 0 ? "" : corpus.classes[static_cast<std::size_t>(parent)].name});
  }
}

}  // namespace

void export_csv(const StoredCorpus& corpus, const NewFolder& folder) {
  const auto write = [&](const char* name, void (*table)(std::ostream&, const StoredCorpus&)) {
    write_text_file(folder.file(name), [&](std::ostream& out) { table(out, corpus); });
  };
  write("images.csv", write_images);
  write("boxes.csv", write_boxes);
  write("classes.csv", write_classes);
}

}  // namespace smearscope::corpus
