#include "readers/voc_xml.h"

#include <pugixml.hpp>

#include "corpus/plain_text.h"
#include "readers/reader.h"

namespace smearscope::corpus {
namespace {

constexpr std::size_t longest_name = 200;  // bytes

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::string text_of(const pugi::xml_node& parent, const char* name) {
  return trimmed(parent.child_value(name));
}

double read_coordinate(const pugi::xml_node& box, const char* name) {
  if (!box.child(name)) throw Error(std::string("its <bndbox> has no <") + name + ">");
  const std::string text = text_of(box, name);
  double value = 0;
  if (!parse_number(text, value))
    throw Error(std::string("<") + name + "> is '" + shown(text) + "', not a number");
  return value;
}

std::string read_name(const pugi::xml_node& object) {
  std::string name = text_of(object, "name");
  if (name.empty()) throw Error("has no <name>");
  if (name.size() > longest_name || !is_plain_text(name)) throw Error("its name is '" + shown(name) + "'");
  return name;
}

Annotation read_object(const pugi::xml_node& object) {
  const pugi::xml_node box = object.child("bndbox");
  if (!box) throw Error("has no <bndbox>");
  const auto at = [&](const char* coordinate) { return read_coordinate(box, coordinate); };
  return {{at("xmin"), at("ymin"), at("xmax"), at("ymax")}, -1, read_name(object)};
}

// Boxes are of the image that the document tells of. Many tools write 0 for sizes that they don't know.
void check_size(const pugi::xml_node& annotation, const std::string& where, const Image& image) {
  const pugi::xml_node size = annotation.child("size");
  double width = 0, height = 0;
  if (!parse_number(text_of(size, "width"), width) || !parse_number(text_of(size, "height"), height)) return;
  if (width <= 0 || height <= 0 || (width == image.width && height == image.height)) return;
  throw Error(where + ": its boxes are of an image of " + shown(text_of(size, "width")) + "x" +
              shown(text_of(size, "height")) + " pixels, but the image has " + std::to_string(image.width) +
              "x" + std::to_string(image.height));
}

}  // namespace

void add_voc_labels(const std::string& xml, const std::string& where, Image& image) {
  pugi::xml_document document;
  const pugi::xml_parse_result parsed = document.load_buffer(xml.data(), xml.size());
  if (!parsed)
    throw Error(where + ": broken XML: " + parsed.description() + " at byte " +
                std::to_string(parsed.offset));
  const pugi::xml_node annotation = document.child("annotation");
  if (!annotation) throw Error(where + ": has no <annotation>; is it Pascal VOC?");
  check_size(annotation, where, image);
  int number = 0;
  for (const pugi::xml_node& object : annotation.children("object")) {
    const std::string which = where + ": object " + std::to_string(++number);
    try {
      add_annotation(image, read_object(object), which);
    } catch (const Error& problem) {
      note_unreadable_label(image, which, problem.what());
    }
  }
}

void add_voc_names(const std::string& xml, std::set<std::string>& names) {
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size())) return;
  for (const pugi::xml_node& object : document.child("annotation").children("object")) {
    try {
      names.insert(read_name(object));
    } catch (const Error&) {
      // Told of when the image's labels are read.
    }
  }
}

}  // namespace smearscope::corpus
