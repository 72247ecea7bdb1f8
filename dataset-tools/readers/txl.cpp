// TXL-PBC (github.com/lugan113/TXL-PBC_Dataset): images/{train,val}/NAME.jpg and labels/{train,val}/NAME.txt
// in YOLO text: a line per cell, "class x_centre y_centre width height", lengths relative to the image.
// Classes by number: 0 WBC, 1 RBC, 2 Platelets (data.yaml). A classes.txt lies among the labels. A test part,
// if there, joins val. `folder` is TXL_PBC or its parent.
#include <algorithm>
#include <fstream>
#include <sstream>

#include "readers/reader.h"

namespace smearscope::corpus {
namespace {

namespace fs = std::filesystem;

Annotation read_line(const std::string& line, const Image& image) {
  static const std::vector<std::string> names{"WBC", "RBC", "Platelets"};
  std::istringstream in(line);
  int number = -1;
  double x = 0, y = 0, width = 0, height = 0;
  std::string rest;
  if (!(in >> number >> x >> y >> width >> height) || in >> rest) {
    throw Error("not 'class x y width height': '" + line + "'");
  }
  if (number < 0 || number >= static_cast<int>(names.size())) {
    throw Error("unknown class number " + std::to_string(number));
  }
  constexpr double slack = 0.01;  // of the image; labels are rounded
  const bool inside = x - width / 2 > -slack && x + width / 2 < 1 + slack && y - height / 2 > -slack &&
                      y + height / 2 < 1 + slack && width >= 0 && height >= 0;
  if (!inside) throw Error("the box reaches outside the image");
  const Box box{(x - width / 2) * image.width, (y - height / 2) * image.height, (x + width / 2) * image.width,
                (y + height / 2) * image.height};
  return {box, -1, names[static_cast<std::size_t>(number)]};
}

void label(const fs::path& root, Image& image) {
  // The part's folder, which the corpus may call by another name.
  const std::string part = image.path.parent_path().filename().string();
  const fs::path labels = root / "labels" / part / image.path.stem().concat(".txt");
  std::ifstream in(labels);
  if (!in) throw Error(labels.string() + ": cannot read the labels of " + image.path.string());
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const std::string where = labels.string() + ": line " + std::to_string(number);
    try {
      add_annotation(image, read_line(line, image), where);
    } catch (const Error& problem) {
      note_unreadable_label(image, where, problem.what());
    }
  }
}

void add_part(const fs::path& root, const std::string& folder_name, const char* part, DataSet& set) {
  const fs::path folder = root / "images" / folder_name;
  if (!fs::is_directory(folder)) throw Error(folder.string() + ": no such folder; is it TXL-PBC?");
  for (const fs::path& file : images_in(folder)) {
    Image image;
    image.file = file.filename().string();
    image.source = "txl";
    image.source_file = "TXL_PBC/images/" + folder_name + "/" + image.file;
    image.part = part;
    image.path = file;
    set.images.push_back(std::move(image));
  }
}

}  // namespace

DataSet open_txl(const fs::path& folder) {
  const fs::path root = fs::is_directory(folder / "TXL_PBC") ? folder / "TXL_PBC" : folder;
  DataSet set;
  add_part(root, "train", "train", set);
  add_part(root, "val", "val", set);
  if (fs::is_directory(root / "images" / "test")) add_part(root, "test", "val", set);
  set.label = [root](Image& image, ImageFile&) { label(root, image); };
  return set;
}

}  // namespace smearscope::corpus
