// COCO detection JSON in a corpus folder: images/, annotations/train.json and annotations/val.json, at least
// one of the two. Category names are mapped to the corpus's own classes.
#include "corpus/classes.h"
#include "corpus/folder.h"
#include "corpus/image_io.h"
#include "readers/reader.h"

namespace smearscope::corpus {
namespace {

void standardise_part(std::vector<Image>& images, const std::vector<int>& category_of,
                      const std::string& source, Notes& notes) {
  for (Image& image : images) {
    const cv::Mat pixels = read_image(image.path);
    if (pixels.cols != image.width || pixels.rows != image.height) {
      throw Error(image.path.string() + ": has " + std::to_string(pixels.cols) + "x" +
                  std::to_string(pixels.rows) + " pixels, but its annotations say " +
                  std::to_string(image.width) + "x" + std::to_string(image.height));
    }
    if (image.source.empty()) {
      image.source = source;
      image.source_file = "images/" + image.file;
    }
    const std::vector<Annotation> annotations = std::move(image.annotations);
    image.annotations.clear();
    for (const Annotation& a : annotations) {
      const int category = category_of[static_cast<std::size_t>(a.category)];
      add_annotation(image, {a.box, category}, image.path.string(), notes);
    }
  }
}

}  // namespace

Corpus read_coco_source(const std::filesystem::path& folder, Notes& notes) {
  Corpus corpus = read_corpus(folder);
  std::vector<int> category_of;
  for (const std::string& name : corpus.classes) category_of.push_back(class_index(name, folder.string()));
  corpus.classes = cell_classes();
  const std::string source = std::filesystem::absolute(folder / "").parent_path().filename().string();
  standardise_part(corpus.train, category_of, source, notes);
  standardise_part(corpus.val, category_of, source, notes);
  return corpus;
}

}  // namespace smearscope::corpus
