// BCCD (github.com/Shenggan/BCCD_Dataset): JPEGImages/NAME.jpg, Annotations/NAME.xml (Pascal VOC),
// ImageSets/Main/{train,val}.txt with one NAME a line; test.txt, if there, joins val. `folder` is BCCD or its
// parent.
#include "readers/voc_folder.h"

namespace smearscope::corpus {
namespace {

namespace fs = std::filesystem;

bool holds_set(const fs::path& folder) {
  std::error_code ignored;
  return holds_voc(folder) && fs::is_regular_file(folder / "ImageSets" / "Main" / "train.txt", ignored);
}

}  // namespace

DataSet open_bccd(const fs::path& folder) {
  const fs::path root =
      find_root(folder, holds_set,
                "BCCD: expected JPEGImages, with images, Annotations, with an XML file for each "
                "of them, and ImageSets/Main/train.txt and val.txt");
  return open_voc_folder(SourceFolder(root, "bccd", "BCCD/"), {"train", "val", "val"}, false);
}

}  // namespace smearscope::corpus
