// BCCD (github.com/Shenggan/BCCD_Dataset): JPEGImages/NAME.jpg, Annotations/NAME.xml (Pascal VOC),
// ImageSets/Main/{train,val}.txt with one NAME a line; test.txt, if there, joins val. `folder` is BCCD or its
// parent.
#include <cmath>
#include <fstream>
#include <pugixml.hpp>

#include "corpus/classes.h"
#include "corpus/image_io.h"
#include "readers/reader.h"

namespace smearscope::corpus {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> read_names(const fs::path& file) {
  std::ifstream in(file);
  if (!in) throw Error(file.string() + ": cannot read the list of images");
  std::vector<std::string> names;
  for (std::string name; in >> name;) names.push_back(name);
  return names;
}

double read_coordinate(const pugi::xml_node& box, const char* name, const std::string& where) {
  const std::string text = box.child_value(name);
  std::size_t used = 0;
  double value = 0;
  try {
    value = std::stod(text, &used);
  } catch (const std::exception&) {
    used = 0;
  }
  if (used == 0 || used != text.size() || !std::isfinite(value)) {
    throw Error(where + ": <" + name + "> is '" + text + "', not a number");
  }
  return value;
}

Image read_image_record(const fs::path& root, const std::string& name, Notes& notes) {
  Image image;
  image.file = name + ".jpg";
  image.source = "bccd";
  image.source_file = "BCCD/JPEGImages/" + image.file;
  image.path = root / "JPEGImages" / image.file;
  const cv::Mat pixels = read_image(image.path);
  image.width = pixels.cols;
  image.height = pixels.rows;

  const std::string file = (root / "Annotations" / (name + ".xml")).string();
  pugi::xml_document document;
  const pugi::xml_parse_result parsed = document.load_file(file.c_str());
  if (!parsed) throw Error(file + ": " + parsed.description() + " at byte " + std::to_string(parsed.offset));
  const pugi::xml_node annotation = document.child("annotation");
  if (!annotation) throw Error(file + ": has no <annotation>; is it Pascal VOC?");
  int number = 0;
  for (const pugi::xml_node& object : annotation.children("object")) {
    const std::string where = file + ": object " + std::to_string(++number);
    const pugi::xml_node box = object.child("bndbox");
    const auto at = [&](const char* coordinate) { return read_coordinate(box, coordinate, where); };
    const Annotation cell{{at("xmin"), at("ymin"), at("xmax"), at("ymax")},
                          class_index(object.child_value("name"), where)};
    add_annotation(image, cell, where, notes);
  }
  return image;
}

}  // namespace

Corpus read_bccd(const fs::path& folder, Notes& notes) {
  const fs::path root = fs::is_directory(folder / "BCCD") ? folder / "BCCD" : folder;
  const fs::path lists = root / "ImageSets" / "Main";
  Corpus corpus;
  corpus.classes = cell_classes();
  for (const std::string& name : read_names(lists / "train.txt")) {
    corpus.train.push_back(read_image_record(root, name, notes));
  }
  for (const char* list : {"val.txt", "test.txt"}) {
    if (!fs::exists(lists / list) && list != std::string("val.txt")) continue;
    for (const std::string& name : read_names(lists / list))
      corpus.val.push_back(read_image_record(root, name, notes));
  }
  return corpus;
}

}  // namespace smearscope::corpus
