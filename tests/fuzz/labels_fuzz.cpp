// The readers' label texts against arbitrary bytes: they may be refused with Error of one line, or noted in
// the image, and nothing else may happen. The first byte of the input tells what the rest is.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "corpus/plain_text.h"
#include "readers/chula_labels.h"
#include "readers/data_yaml.h"
#include "readers/voc_xml.h"
#include "readers/yolo_labels.h"

namespace smearscope::corpus {
namespace {

const std::vector<std::string> names{"wbc", "", "rbc"};

void require(bool condition) {
  if (!condition) std::abort();
}

void require_name(const std::string& name) {
  require(is_plain_text(name) && !name.empty() && name.size() <= 200);
}

Image empty_image() {
  Image image;
  image.width = 640;
  image.height = 480;
  return image;
}

// What a corpus can hold: boxes inside the image, with area, of text.
void require_sound(const Image& image) {
  for (const Annotation& a : image.annotations) {
    require(a.box.x_min >= 0 && a.box.y_min >= 0 && a.box.x_max <= image.width &&
            a.box.y_max <= image.height);
    require(a.box.width() >= 0.01 && a.box.height() >= 0.01);
    require_name(a.label);
  }
  for (const Change& change : image.changes)
    require(is_plain_text(change.detail) && change.detail.size() < 1000);
}

void read_voc(const std::string& text) {
  std::set<std::string> found;
  add_voc_names(text, found);
  for (const std::string& name : found) require_name(name);
  Image image = empty_image();
  add_voc_labels(text, "a.xml", image);
  require_sound(image);
  for (const Annotation& a : image.annotations) require(found.count(a.label) == 1);
}

void read_yolo(const std::string& text) {
  Image image = empty_image();
  add_yolo_labels(text, "a.txt", names, image);
  require_sound(image);
  for (const Annotation& a : image.annotations) require(a.category == 0 || a.category == 2);
}

void read_chula(const std::string& text) {
  Image image = empty_image();
  for (const LabelledPoint& point : parse_chula_labels(text, "a.txt", image)) {
    require(point.at.x >= 0 && point.at.y >= 0 && point.at.x < image.width && point.at.y < image.height);
    require_name(point.label);
  }
  require_sound(image);
}

void read_names(const std::vector<std::string>& read) {
  require(read.size() <= 10000);
  for (const std::string& name : read) {
    if (!name.empty()) require_name(name);
  }
}

void read(char kind, const std::string& text) {
  switch (kind) {
    case 'V':
      return read_voc(text);
    case 'Y':
      return read_yolo(text);
    case 'C':
      return read_chula(text);
    case 'D':
      return read_names(parse_data_yaml(text, "data.yaml").names);
    default:
      return read_names(parse_class_list(text, "classes.txt"));
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
    smearscope::corpus::require(smearscope::corpus::is_plain_text(error.what()));
  }
  return 0;
}
