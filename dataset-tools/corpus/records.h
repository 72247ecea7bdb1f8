// What a corpus says: images, the cells in them, and where they came from.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace smearscope::corpus {

// Pixels of the image, continuous coordinates: the whole image is 0, 0, width, height.
struct Box {
  double x_min = 0, y_min = 0, x_max = 0, y_max = 0;

  double width() const { return x_max - x_min; }
  double height() const { return y_max - y_min; }
};

struct Annotation {
  Box box;           // inside the image, with area
  int category = 0;  // 0-based index into Corpus::classes; the category id in COCO is one more
};

struct Image {
  std::string file;           // name in the corpus's images/ folder
  int width = 0, height = 0;  // pixels
  std::string source;         // data set it comes from: "bccd", "txl", ...
  std::string source_file;    // its file in that data set, relative to the data set's folder
  std::vector<Annotation> annotations;
  std::filesystem::path path;  // where its bytes are now; not written to the corpus
};

struct Corpus {
  std::vector<std::string> classes;
  std::vector<Image> train, val;
};

}  // namespace smearscope::corpus
