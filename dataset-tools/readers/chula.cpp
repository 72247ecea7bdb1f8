// Chula RBC-12 (github.com/Chula-PIC-Lab/Chula-RBC-12-Dataset): Dataset/N.jpg, 640x480, and Label/N.txt with
// a line "x y class" per cell: a point in or near the cell, in pixels, and its class, 0 to 12. Boxes are
// drawn around the segmented cells. `folder` is the one with Dataset and Label, or its parent.
//
// 115 of the 738 images have no label file, and a .DS_Store lies in Label. In three quarters of the others
// many red cells have no point, in two of them all: what looks like a cell and has none becomes an ignore
// region.
#include "corpus/pixel_size.h"
#include "corpus/plain_text.h"
#include "readers/chula_labels.h"
#include "readers/source_folder.h"
#include "segmentation/pointed_cells.h"
#include "storage/name_table.h"

namespace smearscope::corpus {
namespace {

namespace fs = std::filesystem;

fs::path label_file_of(const SourceFolder& folder, const fs::path& image) {
  return folder.root() / "Label" / image.stem().concat(".txt");
}

void label(const SourceFolder& folder, Image& image, ImageFile& file) {
  const fs::path text = label_file_of(folder, image.path);
  const std::vector<LabelledPoint> labels = parse_chula_labels(folder.read_text(text, largest_chula_file),
                                                               in_one_line(folder.name_of(text)), image);
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
  std::error_code ignored;
  return fs::is_directory(folder / "Dataset", ignored) && fs::is_directory(folder / "Label", ignored);
}

}  // namespace

DataSet open_chula(const fs::path& folder) {
  const SourceFolder source(
      find_root(
          folder, holds_set,
          "Chula RBC-12: expected folders Dataset, with images, and Label, with a text file for each of "
          "them"),
      "chula");
  DataSet set;
  NameTable used;  // files in Label
  for (const fs::path& path : source.files(source.root() / "Dataset")) {
    if (!is_image_name(path)) continue;
    const fs::path labels = label_file_of(source, path);
    if (!fs::exists(fs::symlink_status(labels))) {
      source.leave_out(set, path, rules::file_unpaired,
                       "no labels: there is no " + in_one_line(source.name_of(labels)));
    } else if (!used.insert(labels.filename().string()).second) {
      source.leave_out(set, path, rules::file_unpaired, "another image of that name has its labels");
    } else {
      source.add(set, source.image(path, path.filename().string()));
    }
  }
  for (const fs::path& path : source.files(source.root() / "Label")) {
    if (path.extension() == ".txt" && !used.has(path.filename().string()))
      source.leave_out(set, path, rules::file_unpaired, "no image of that name");
  }
  set.label = [source](Image& image, ImageFile& file) { label(source, image, file); };
  return set;
}

}  // namespace smearscope::corpus
