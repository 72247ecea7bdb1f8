// TXL-PBC (github.com/lugan113/TXL-PBC_Dataset): images/{train,val}/NAME.jpg and labels/{train,val}/NAME.txt
// in YOLO text: a line per cell, "class x_centre y_centre width height", lengths relative to the image.
// Classes by number: 0 WBC, 1 RBC, 2 Platelets (data.yaml). A classes.txt lies among the labels. A test part,
// if there, joins val. `folder` is TXL_PBC or its parent.
#include <algorithm>
#include <fstream>
#include <sstream>

#include "corpus/classes.h"
#include "corpus/image_io.h"
#include "readers/reader.h"

namespace smearscope::corpus {
namespace {

namespace fs = std::filesystem;

Annotation read_line(const std::string& line, const Image& image, const std::string& where) {
  static const std::vector<std::string> names{"WBC", "RBC", "Platelets"};
  std::istringstream in(line);
  int number = -1;
  double x = 0, y = 0, width = 0, height = 0;
  std::string rest;
  if (!(in >> number >> x >> y >> width >> height) || in >> rest) {
    throw Error(where + ": not 'class x y width height': '" + line + "'");
  }
  if (number < 0 || number >= static_cast<int>(names.size())) {
    throw Error(where + ": unknown class number " + std::to_string(number));
  }
  constexpr double slack = 0.01;  // of the image; labels are rounded
  const bool inside = x - width / 2 > -slack && x + width / 2 < 1 + slack && y - height / 2 > -slack &&
                      y + height / 2 < 1 + slack && width >= 0 && height >= 0;
  if (!inside) throw Error(where + ": the box reaches outside the image");
  const Box box{(x - width / 2) * image.width, (y - height / 2) * image.height, (x + width / 2) * image.width,
                (y + height / 2) * image.height};
  return {box, class_index(names[static_cast<std::size_t>(number)], where)};
}

Image read_image_record(const fs::path& root, const std::string& part, const fs::path& file, Notes& notes) {
  Image image;
  image.file = file.filename().string();
  image.source = "txl";
  image.source_file = "TXL_PBC/images/" + part + "/" + image.file;
  image.path = file;
  const cv::Mat pixels = read_image(file);
  image.width = pixels.cols;
  image.height = pixels.rows;

  const fs::path labels = root / "labels" / part / file.stem().concat(".txt");
  std::ifstream in(labels);
  if (!in) throw Error(labels.string() + ": cannot read the labels of " + file.string());
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const std::string where = labels.string() + ": line " + std::to_string(number);
    add_annotation(image, read_line(line, image, where), where, notes);
  }
  return image;
}

std::vector<Image> read_part(const fs::path& root, const std::string& part, Notes& notes) {
  const fs::path folder = root / "images" / part;
  if (!fs::is_directory(folder)) throw Error(folder.string() + ": no such folder; is it TXL-PBC?");
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string type = entry.path().extension().string();
    if (type == ".jpg" || type == ".jpeg" || type == ".png") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<Image> images;
  for (const fs::path& file : files) images.push_back(read_image_record(root, part, file, notes));
  return images;
}

}  // namespace

Corpus read_txl(const fs::path& folder, Notes& notes) {
  const fs::path root = fs::is_directory(folder / "TXL_PBC") ? folder / "TXL_PBC" : folder;
  Corpus corpus;
  corpus.classes = cell_classes();
  corpus.train = read_part(root, "train", notes);
  corpus.val = read_part(root, "val", notes);
  if (fs::is_directory(root / "images" / "test")) {
    for (Image& image : read_part(root, "test", notes)) corpus.val.push_back(std::move(image));
  }
  return corpus;
}

}  // namespace smearscope::corpus
