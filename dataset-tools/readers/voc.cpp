// Pascal VOC: JPEGImages/NAME.jpg (or another image), Annotations/NAME.xml and, optionally,
// ImageSets/Main/{train,val,test}.txt with one NAME a line. `folder` is the one with JPEGImages, or its
// parent. An image without annotations is one that nobody labelled; a document without objects says that
// there is no cell.
#include "readers/voc_folder.h"

namespace smearscope::corpus {

DataSet open_voc(const std::filesystem::path& folder) {
  const std::filesystem::path root =
      find_root(folder, holds_voc,
                "Pascal VOC: expected folders JPEGImages, with images, and Annotations, with an XML file "
                "for each of them");
  return open_voc_folder(SourceFolder(root, own_name(folder)), {}, true);
}

}  // namespace smearscope::corpus
