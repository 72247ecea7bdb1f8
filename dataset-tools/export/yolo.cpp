// YOLO text and data.yaml as Ultralytics has them (docs.ultralytics.com/datasets/detect).
#include <cstdio>
#include <set>

#include "export/formats.h"

namespace smearscope::corpus {
namespace {

std::string line_of(const Annotation& a, const Image& image) {
  const double x = (a.box.x_min + a.box.x_max) / 2 / image.width;
  const double y = (a.box.y_min + a.box.y_max) / 2 / image.height;
  char text[120];
  // Eight decimals keep hundredths of a pixel in an image of 100,000 pixels.
  std::snprintf(text, sizeof text, "%d %.8f %.8f %.8f %.8f\n", a.category, x, y, a.box.width() / image.width,
                a.box.height() / image.height);
  return text;
}

// In single quotes, which only double themselves.
std::string yaml_text(const std::string& text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'') result += '\'';
    result += c;
  }
  return result + "'";
}

std::string data_yaml(const StoredCorpus& corpus) {
  std::set<std::string> parts;
  for (const Image& image : corpus.images) parts.insert(part_name(image));
  std::string text = "path: .\n";
  // Ultralytics wants both; an unsplit corpus has one set of images.
  for (const char* part : {"train", "val"}) {
    const std::string images = parts.count(part) ? part : parts.count("all") ? "all" : "";
    text += std::string(part) + ": " + (images.empty() ? "''" : "images/" + images) + "\n";
  }
  if (parts.count("test")) text += "test: images/test\n";
  text += "nc: " + std::to_string(corpus.classes.size()) + "\nnames:\n";
  for (std::size_t i = 0; i < corpus.classes.size(); ++i)
    text += "  " + std::to_string(i) + ": " + yaml_text(corpus.classes[i].name) + "\n";
  return text;
}

}  // namespace

void export_yolo(const StoredCorpus& corpus, const NewFolder& folder) {
  check_stems(corpus);
  for (const Image& image : corpus.images) {
    std::string lines;
    for (const Annotation& a : image.annotations) lines += line_of(a, image);
    write_text_file(folder.file("labels/" + part_name(image) + "/" + stem_of(image) + ".txt"), lines);
  }
  write_text_file(folder.file("data.yaml"), data_yaml(corpus));
}

}  // namespace smearscope::corpus
