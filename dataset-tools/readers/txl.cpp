// TXL-PBC (github.com/lugan113/TXL-PBC_Dataset): images/{train,val}/NAME.jpg and labels/{train,val}/NAME.txt
// in YOLO text. Classes by number: 0 WBC, 1 RBC, 2 Platelets (data.yaml). A classes.txt lies among the
// labels. A test part, if there, joins val. `folder` is TXL_PBC or its parent.
#include <algorithm>

#include "corpus/plain_text.h"
#include "readers/source_folder.h"
#include "readers/yolo_labels.h"
#include "storage/name_table.h"

namespace smearscope::corpus {
namespace {

namespace fs = std::filesystem;

// The part's folder is that of the image; the corpus may call it by another name.
fs::path label_file_of(const fs::path& root, const fs::path& image) {
  return root / "labels" / image.parent_path().filename() / image.stem().concat(".txt");
}

void label(const SourceFolder& folder, Image& image) {
  static const std::vector<std::string> names{"WBC", "RBC", "Platelets"};
  const fs::path labels = label_file_of(folder.root(), image.path);
  add_yolo_labels(folder.read_text(labels, largest_yolo_file), in_one_line(folder.name_of(labels)), names,
                  image);
}

void add_part(const SourceFolder& folder, const std::string& folder_name, const char* part, DataSet& set) {
  NameTable used;  // files of labels
  for (const fs::path& path : folder.files(folder.root() / "images" / folder_name)) {
    if (!is_image_name(path)) continue;
    const fs::path labels = label_file_of(folder.root(), path);
    if (!fs::exists(fs::symlink_status(labels))) {
      folder.leave_out(set, path, rules::file_unpaired,
                       "no labels: there is no " + in_one_line(folder.name_of(labels)));
    } else if (!used.insert(labels.filename().string()).second) {
      folder.leave_out(set, path, rules::file_unpaired, "another image of that name has its labels");
    } else {
      folder.add(set, folder.image(path, path.filename().string(), part));
    }
  }
  for (const fs::path& path : folder.files(folder.root() / "labels" / folder_name)) {
    if (path.extension() == ".txt" && path.filename() != "classes.txt" && !used.has(path.filename().string()))
      folder.leave_out(set, path, rules::file_unpaired, "no image of that name");
  }
}

bool holds_part(const fs::path& folder, const char* part) {
  std::error_code ignored;
  return fs::is_directory(folder / "images" / part, ignored) &&
         fs::is_directory(folder / "labels" / part, ignored);
}

bool holds_set(const fs::path& folder) {
  return holds_part(folder, "train") && holds_part(folder, "val");
}

}  // namespace

DataSet open_txl(const fs::path& folder) {
  const fs::path root = find_root(
      folder, holds_set, "TXL-PBC: expected folders images/train, images/val, labels/train and labels/val");
  const SourceFolder source(root, "txl", "TXL_PBC/");
  DataSet set;
  add_part(source, "train", "train", set);
  add_part(source, "val", "val", set);
  if (holds_part(root, "test")) add_part(source, "test", "val", set);
  name_apart(set);
  set.label = [source](Image& image, ImageFile&) { label(source, image); };
  return set;
}

}  // namespace smearscope::corpus
