#include "readers/reader.h"

#include <algorithm>

namespace smearscope::corpus {

const std::vector<Reader>& readers() {
  static const std::vector<Reader> all{
      {"bccd", "BCCD: VOC XML in Annotations/, parts in ImageSets/Main/", read_bccd},
      {"txl", "TXL-PBC: YOLO text in labels/{train,val}/", read_txl},
      {"coco", "a corpus folder: images/ and annotations/{train,val}.json", read_coco_source},
  };
  return all;
}

const Reader& find_reader(const std::string& name) {
  std::string known;
  for (const Reader& reader : readers()) {
    if (reader.name == name) return reader;
    known += std::string(known.empty() ? "" : ", ") + reader.name;
  }
  throw Error("unknown source '" + name + "'; known are " + known);
}

void add_annotation(Image& image, const Annotation& annotation, const std::string& where, Notes& notes) {
  const Box& box = annotation.box;
  const Box clipped{
      std::clamp(box.x_min, 0.0, double(image.width)), std::clamp(box.y_min, 0.0, double(image.height)),
      std::clamp(box.x_max, 0.0, double(image.width)), std::clamp(box.y_max, 0.0, double(image.height))};
  // Coordinates are kept to 0.01 pixel; a thinner box would have no area in the file.
  if (!(clipped.width() >= 0.01 && clipped.height() >= 0.01)) {
    notes.push_back(where + ": box without area dropped");
    return;
  }
  const bool repeated =
      std::any_of(image.annotations.begin(), image.annotations.end(), [&](const Annotation& other) {
        return other.category == annotation.category && other.box.x_min == clipped.x_min &&
               other.box.y_min == clipped.y_min && other.box.x_max == clipped.x_max &&
               other.box.y_max == clipped.y_max;
      });
  if (repeated) {
    notes.push_back(where + ": repeated label dropped");
    return;
  }
  image.annotations.push_back({clipped, annotation.category});
}

}  // namespace smearscope::corpus
