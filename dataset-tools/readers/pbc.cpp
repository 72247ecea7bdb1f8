// PBC (Acevedo et al., 2020, doi 10.1016/j.dib.2020.105474): CLASS/PREFIX_NUMBER.jpg, where CLASS is one of
// eight folders and PREFIX the finer name of the cell in the middle of the picture. No boxes: they are drawn
// around the segmented cell. `folder` is the one with the eight, or its parent, or one with
// PBC_dataset_normal_DIB in it.
#include <algorithm>
#include <cctype>
#include <optional>

#include "readers/reader.h"
#include "segmentation/central_cell.h"

namespace smearscope::corpus {
namespace {

namespace fs = std::filesystem;

struct Kind {
  const char *folder, *prefix;
  double side;    // of the usual box, as a share of the picture: median of pbc_boxes.csv, which people drew
  CellHint hint;  // what find_stained_cells needs to know
};

// Dissolving basophils spread a veil about them; erythroblasts are on the way to red cells.
constexpr CellHint usual{}, veiled{0.3, false}, red{0.08, true};
const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all{
      {"basophil", "BA", 0.34, veiled},     {"eosinophil", "EO", 0.38, usual},
      {"erythroblast", "ERB", 0.28, red},   {"ig", "IG", 0.38, usual},
      {"ig", "MMY", 0.36, usual},           {"ig", "MY", 0.38, usual},
      {"ig", "PMY", 0.43, usual},           {"lymphocyte", "LY", 0.29, usual},
      {"monocyte", "MO", 0.47, usual},      {"neutrophil", "BNE", 0.39, usual},
      {"neutrophil", "SNE", 0.39, usual},   {"neutrophil", "NEUTROPHIL", 0.39, usual},
      {"platelet", "PLATELET", 0.16, usual}};
  return all;
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

std::string prefix_of(const fs::path& file) {
  const std::string name = file.filename().string();
  return upper(name.substr(0, name.find_first_of("_.")));
}

const Kind& kind_of(const fs::path& file) {
  const std::string folder = file.parent_path().filename().string(), prefix = prefix_of(file);
  std::string known;
  for (const Kind& kind : kinds()) {
    if (folder != kind.folder) continue;
    if (prefix == kind.prefix) return kind;
    known += std::string(known.empty() ? "" : ", ") + kind.prefix;
  }
  throw Error("the name doesn't begin with one of those of " + folder + "/: " + known);
}

void label(Image& image, ImageFile& file) {
  const Kind* kind = nullptr;
  try {
    kind = &kind_of(image.path);
  } catch (const Error& problem) {
    return note_unreadable_label(image, image.source_file, problem.what());
  }
  const StainedCells cells = find_stained_cells(file.rgb(), kind->hint);
  // White cells and platelets that nobody labelled.
  image.ignore_regions.insert(image.ignore_regions.end(), cells.others.begin(), cells.others.end());
  if (cells.central) {
    add_annotation(image, {*cells.central, -1, kind->prefix, BoxOrigin::segmented}, image.source_file);
    return;
  }
  const double width = image.width, height = image.height, share = kind->side;
  const Box middle{width * (1 - share) / 2, height * (1 - share) / 2, width * (1 + share) / 2,
                   height * (1 + share) / 2};
  image.changes.push_back({rules::box_fallback, image.source_file + ": no cell could be told from the rest"});
  add_annotation(image, {middle, -1, kind->prefix, BoxOrigin::fallback}, image.source_file);
}

bool holds_classes(const fs::path& folder) {
  return std::any_of(kinds().begin(), kinds().end(),
                     [&](const Kind& kind) { return fs::is_directory(folder / kind.folder); });
}

fs::path root_of(const fs::path& folder) {
  if (holds_classes(folder)) return folder;
  std::vector<fs::path> inside;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_directory() && holds_classes(entry.path())) inside.push_back(entry.path());
  }
  if (inside.size() == 1) return inside.front();
  throw Error(folder.string() + ": no PBC: expected folders basophil, eosinophil, erythroblast, ig, " +
              "lymphocyte, monocyte, neutrophil, platelet, with images in them");
}

}  // namespace

DataSet open_pbc(const fs::path& folder) {
  const fs::path root = root_of(folder);
  DataSet set;
  std::string last;
  for (const Kind& kind : kinds()) {
    if (kind.folder == last || !fs::is_directory(root / kind.folder)) continue;
    last = kind.folder;
    for (const fs::path& path : images_in(root / kind.folder)) {
      Image image;
      image.file = path.filename().string();
      image.source = "pbc";
      image.source_file = "PBC_dataset_normal_DIB/" + (fs::path(kind.folder) / image.file).string();
      image.path = path;
      set.images.push_back(std::move(image));
    }
  }
  set.label = label;
  return set;
}

}  // namespace smearscope::corpus
