// Pascal VOC (host.robots.ox.ac.uk/pascal/VOC/voc2012/devkit_doc.pdf), as labelImg, CVAT and torchvision read
// it.
#include <pugixml.hpp>
#include <set>
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

void export_voc(const StoredCorpus& corpus, const NewFolder& folder) {
  check_stems(corpus);
  std::set<std::string> parts;
  for (const Image& image : corpus.images) {
    write_text_file(folder.file("Annotations/" + stem_of(image) + ".xml"),
                    document_of(image, corpus.classes));
    parts.insert(part_name(image));
  }
  for (const std::string& part : parts) {
    write_text_file(folder.file("ImageSets/Main/" + part + ".txt"), [&](std::ostream& out) {
      for (const Image& image : corpus.images) {
        if (part_name(image) == part) out << stem_of(image) << "\n";
      }
    });
  }
}

}  // namespace smearscope::corpus
