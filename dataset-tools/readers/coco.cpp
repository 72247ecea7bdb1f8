// A corpus folder, from these tools or others: images/ and annotations/{train,val,test,all}.json, at least
// one of them (COCO detection JSON), or instances_train.json and so on. What an image says about the
// completeness of its labels is kept.
#include <memory>
#include <unordered_map>

#include "corpus/folder.h"
#include "readers/reader.h"
#include "readers/source_folder.h"

namespace smearscope::corpus {

namespace {

void label(const Corpus& corpus, std::size_t index, Image& image) {
  const Image& record = corpus.images[index];
  if (record.width != image.width || record.height != image.height) {
    throw Error(image.source_file + ": has " + std::to_string(image.width) + "x" +
                std::to_string(image.height) + " pixels, but its annotations say " +
                std::to_string(record.width) + "x" + std::to_string(record.height));
  }
  int number = 0;
  for (Annotation annotation : record.annotations) {
    if (annotation.label.empty()) {
      annotation.label = corpus.classes[static_cast<std::size_t>(annotation.category)].name;
    }
    add_annotation(image, annotation, image.file + ": annotation " + std::to_string(++number));
  }
}

// Images are held to the same by read_corpus.
void refuse_links_outside(const SourceFolder& source) {
  const std::filesystem::path annotations = source.root() / "annotations";
  if (!std::filesystem::is_directory(annotations)) return;
  for (const std::filesystem::path& file : source.files(annotations)) {
    if (!source.holds(file)) throw Error(file.string() + ": is a link that leads outside of the data set");
  }
}

}  // namespace

DataSet open_coco(const std::filesystem::path& folder) {
  refuse_links_outside(SourceFolder(folder, own_name(folder)));
  const auto corpus = std::make_shared<Corpus>(read_corpus(folder));
  const std::string name = own_name(folder);
  DataSet set;
  set.classes = corpus->classes;
  set.left_out = corpus->left_out;
  std::unordered_map<std::string, std::size_t> index_of;
  for (Image& image : corpus->images) {
    const std::size_t index = index_of.size();
    index_of[image.file] = index;
    Image listed = image;
    listed.annotations.clear();
    listed.width = listed.height = 0;
    if (image.source.empty()) {
      listed.source = name;
      listed.source_file = "images/" + image.file;
    }
    set.gives_completeness |= !image.absent.empty() || !image.not_exhaustive.empty();
    set.images.push_back(std::move(listed));
  }
  set.label = [corpus, index_of](Image& image, ImageFile&) {
    label(*corpus, index_of.at(image.file), image);
  };
  return set;
}

}  // namespace smearscope::corpus
