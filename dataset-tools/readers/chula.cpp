// Chula RBC-12 (github.com/Chula-PIC-Lab/Chula-RBC-12-Dataset): Dataset/N.jpg, 640x480, and Label/N.txt with
// a line "x y class" per cell: a point in or near the cell, in pixels, and its class, 0 to 12. Boxes are
// drawn around the segmented cells. `folder` is the one with Dataset and Label, or its parent.
//
// 115 of the 738 images have no label file, and a .DS_Store lies in Label. In three quarters of the others
// many red cells have no point, in two of them all: what looks like a cell and has none becomes an ignore
// region.
#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>

#include "corpus/pixel_size.h"
#include "readers/reader.h"
#include "segmentation/pointed_cells.h"

namespace smearscope::corpus {
namespace {

namespace fs = std::filesystem;

constexpr int classes = 13;
constexpr std::size_t largest_file = 64 * 1024;  // bytes; 139 cells, the most there are, take 2 kB

struct LabelledPoint {
  cv::Point2d at;
  std::string label;
  std::string where;  // file and line
};

std::string read_text(const fs::path& file) {
  if (!fs::is_regular_file(file)) throw Error(file.string() + ": no such label file");
  std::string text(largest_file + 1, '\0');
  std::ifstream in(file, std::ios::binary);
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in.is_open() || in.bad()) throw Error(file.string() + ": cannot read the labels");
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > largest_file)
    throw Error(file.string() + ": larger than 64 KiB, which no label file of Chula RBC-12 is");
  const auto printable = [](unsigned char c) {
    return (c >= ' ' && c < 127) || c == '\n' || c == '\r' || c == '\t';
  };
  if (!std::all_of(text.begin(), text.end(), printable))
    throw Error(file.string() + ": not a text of numbers");
  return text;
}

// Throws Error, saying why not, if it is no point of the image.
LabelledPoint read_line(const std::string& line, const Image& image) {
  std::istringstream in(line);
  std::string x, y, number, rest;
  LabelledPoint point;
  int id = -1;
  const bool three = static_cast<bool>(in >> x >> y >> number) && !(in >> rest);
  if (!three || !parse_number(x, point.at.x) || !parse_number(y, point.at.y) ||
      std::from_chars(number.data(), number.data() + number.size(), id).ptr != number.data() + number.size())
    throw Error("not 'x y class': '" + (line.size() > 60 ? line.substr(0, 60) + "..." : line) + "'");
  if (id < 0 || id >= classes) throw Error("unknown class " + number + "; there are 0 to 12");
  if (point.at.x < 0 || point.at.y < 0 || point.at.x >= image.width || point.at.y >= image.height)
    throw Error("the point " + x + ", " + y + " is outside the image");
  point.label = std::to_string(id);
  return point;
}

std::vector<LabelledPoint> read_points(const fs::path& file, Image& image) {
  std::vector<LabelledPoint> points;
  std::istringstream in(read_text(file));
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.find_first_not_of(" \t") == std::string::npos) continue;
    const std::string where = file.string() + ": line " + std::to_string(number);
    try {
      LabelledPoint point = read_line(line, image);
      point.where = where;
      const auto same = std::find_if(points.begin(), points.end(),
                                     [&](const LabelledPoint& other) { return other.at == point.at; });
      if (same == points.end()) {
        points.push_back(std::move(point));
      } else if (same->label == point.label) {
        image.changes.push_back({rules::label_doubled, where + ": dropped"});
      } else {
        throw Error("the same point has class " + same->label + " already");
      }
    } catch (const Error& problem) {
      note_unreadable_label(image, where, problem.what());
    }
  }
  return points;
}

void label(const fs::path& root, Image& image, ImageFile& file) {
  const std::vector<LabelledPoint> labels =
      read_points(root / "Label" / image.path.stem().concat(".txt"), image);
  std::vector<cv::Point2d> points;
  for (const LabelledPoint& label : labels) points.push_back(label.at);
  const PointedCells found = find_pointed_cells(file.rgb(), points);
  if (found.diameter) image.pixel_size_um = red_cell_um / *found.diameter;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const PointedCells::Cell& cell = found.cells[i];
    if (cell.origin == BoxOrigin::fallback)
      image.changes.push_back({rules::box_fallback, labels[i].where + ": no cell found at the point"});
    add_annotation(image, {cell.box, -1, labels[i].label, cell.origin}, labels[i].where);
  }
  image.ignore_regions.insert(image.ignore_regions.end(), found.unpointed.begin(), found.unpointed.end());
  image.regions_complete = true;
}

bool holds_set(const fs::path& folder) {
  return fs::is_directory(folder / "Dataset") && fs::is_directory(folder / "Label");
}

fs::path root_of(const fs::path& folder) {
  if (holds_set(folder)) return folder;
  std::vector<fs::path> inside;
  if (fs::is_directory(folder)) {
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (holds_set(entry.path())) inside.push_back(entry.path());
    }
  }
  if (inside.size() == 1) return inside.front();
  throw Error(folder.string() +
              ": no Chula RBC-12: expected folders Dataset, with images, and Label, with a " +
              "text file for each of them");
}

// Label files of which there is no image.
void report_lone_labels(const fs::path& root, DataSet& set) {
  std::vector<std::string> lone;
  for (const auto& entry : fs::directory_iterator(root / "Label")) {
    const std::string name = entry.path().filename().string();
    const bool used = std::any_of(set.images.begin(), set.images.end(), [&](const Image& image) {
      return image.path.stem() == entry.path().stem();
    });
    if (!used && name[0] != '.' && entry.path().extension() == ".txt") lone.push_back(name);
  }
  std::sort(lone.begin(), lone.end());
  for (const std::string& name : lone)
    set.left_out.push_back({"chula", "Label/" + name, "", {rules::file_unpaired, "no image of that name"}});
}

}  // namespace

DataSet open_chula(const fs::path& folder) {
  const fs::path root = root_of(folder);
  DataSet set;
  for (const fs::path& path : images_in(root / "Dataset")) {
    Image image;
    image.file = path.filename().string();
    image.source = "chula";
    image.source_file = "Dataset/" + image.file;
    image.path = path;
    const std::string labels = "Label/" + path.stem().string() + ".txt";
    if (fs::exists(root / labels)) {
      set.images.push_back(std::move(image));
    } else {
      set.left_out.push_back(
          {image.source, image.source_file, "", {rules::file_unpaired, "no labels: there is no " + labels}});
    }
  }
  report_lone_labels(root, set);
  set.label = [root](Image& image, ImageFile& file) { label(root, image, file); };
  return set;
}

}  // namespace smearscope::corpus
