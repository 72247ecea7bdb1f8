// Pascal VOC (host.robots.ox.ac.uk/pascal/VOC/voc2012/devkit_doc.pdf), as labelImg, CVAT and torchvision read
// it.
#include <map>
#include <pugixml.hpp>
#include <sstream>

#include "export/formats.h"

namespace smearscope::corpus {
namespace {

void append(pugi::xml_node parent, const char* name, const std::string& text) {
  parent.append_child(name).text().set(text.c_str());
}

bool touches_border(const Box& box, const Image& image) {
  return box.x_min < 1 || box.y_min < 1 || box.x_max > image.width - 1 || box.y_max > image.height - 1;
}

void append_object(pugi::xml_node annotation, const Annotation& a, const Image& image,
                   const std::vector<Class>& classes) {
  pugi::xml_node object = annotation.append_child("object");
  append(object, "name", classes[static_cast<std::size_t>(a.category)].name);
  append(object, "pose", "Unspecified");
  append(object, "truncated", touches_border(a.box, image) ? "1" : "0");
  append(object, "difficult", "0");
  pugi::xml_node box = object.append_child("bndbox");
  append(box, "xmin", shortest(a.box.x_min));
  append(box, "ymin", shortest(a.box.y_min));
  append(box, "xmax", shortest(a.box.x_max));
  append(box, "ymax", shortest(a.box.y_max));
}

std::string document_of(const Image& image, const std::vector<Class>& classes) {
  pugi::xml_document document;
  pugi::xml_node annotation = document.append_child("annotation");
  append(annotation, "folder", "JPEGImages");
  append(annotation, "filename", image.file);
  pugi::xml_node source = annotation.append_child("source");
  append(source, "database", image.source);
  append(source, "image", image.source_file);
  pugi::xml_node size = annotation.append_child("size");
  append(size, "width", std::to_string(image.width));
  append(size, "height", std::to_string(image.height));
  append(size, "depth", "3");
  append(annotation, "segmented", "0");
  for (const Annotation& a : image.annotations) append_object(annotation, a, image, classes);
  std::ostringstream text;
  document.save(text, "  ", pugi::format_indent | pugi::format_no_declaration);
  return text.str();
}

}  // namespace

void export_voc(const Corpus& corpus, const NewFolder& folder) {
  const std::vector<std::string> stems = stems_of(corpus);
  std::map<std::string, std::string> lists;
  for (std::size_t i = 0; i < stems.size(); ++i) {
    write_text_file(folder.file("Annotations/" + stems[i] + ".xml"),
                    document_of(corpus.images[i], corpus.classes));
    lists[part_name(corpus.images[i])] += stems[i] + "\n";
  }
  for (const auto& [part, names] : lists)
    write_text_file(folder.file("ImageSets/Main/" + part + ".txt"), names);
}

}  // namespace smearscope::corpus
