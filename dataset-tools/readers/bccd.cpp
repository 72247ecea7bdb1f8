// BCCD (github.com/Shenggan/BCCD_Dataset): JPEGImages/NAME.jpg, Annotations/NAME.xml (Pascal VOC),
// ImageSets/Main/{train,val}.txt with one NAME a line; test.txt, if there, joins val. `folder` is BCCD or its
// parent.
#include <fstream>
#include <pugixml.hpp>

#include "readers/reader.h"

namespace smearscope::corpus {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> read_names(const fs::path& file) {
  std::ifstream in(file);
  if (!in) throw Error(file.string() + ": cannot read the list of images; is it BCCD?");
  std::vector<std::string> names;
  for (std::string name; in >> name;) names.push_back(name);
  return names;
}

double read_coordinate(const pugi::xml_node& box, const char* name) {
  const std::string text = box.child_value(name);
  double value = 0;
  if (!parse_number(text, value)) throw Error(std::string("<") + name + "> is '" + text + "', not a number");
  return value;
}

void label(const fs::path& root, Image& image) {
  const std::string file = (root / "Annotations" / fs::path(image.file).stem().concat(".xml")).string();
  pugi::xml_document document;
  const pugi::xml_parse_result parsed = document.load_file(file.c_str());
  if (!parsed) throw Error(file + ": " + parsed.description() + " at byte " + std::to_string(parsed.offset));
  const pugi::xml_node annotation = document.child("annotation");
  if (!annotation) throw Error(file + ": has no <annotation>; is it Pascal VOC?");
  int number = 0;
  for (const pugi::xml_node& object : annotation.children("object")) {
    const std::string where = file + ": object " + std::to_string(++number);
    const pugi::xml_node box = object.child("bndbox");
    const auto at = [&](const char* coordinate) { return read_coordinate(box, coordinate); };
    try {
      const Box corners{at("xmin"), at("ymin"), at("xmax"), at("ymax")};
      add_annotation(image, {corners, -1, object.child_value("name")}, where);
    } catch (const Error& problem) {
      note_unreadable_label(image, where, problem.what());
    }
  }
}

}  // namespace

DataSet open_bccd(const fs::path& folder) {
  const fs::path root = fs::is_directory(folder / "BCCD") ? folder / "BCCD" : folder;
  const fs::path lists = root / "ImageSets" / "Main";
  DataSet set;
  const auto add = [&](const char* list, const char* part) {
    for (const std::string& name : read_names(lists / list)) {
      Image image;
      image.file = name + ".jpg";
      image.source = "bccd";
      image.source_file = "BCCD/JPEGImages/" + image.file;
      image.part = part;
      image.path = root / "JPEGImages" / image.file;
      set.images.push_back(std::move(image));
    }
  };
  add("train.txt", "train");
  add("val.txt", "val");
  if (fs::exists(lists / "test.txt")) add("test.txt", "val");
  set.label = [root](Image& image, ImageFile&) { label(root, image); };
  return set;
}

}  // namespace smearscope::corpus
