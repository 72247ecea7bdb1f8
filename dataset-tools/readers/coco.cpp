// A corpus folder, from these tools or others: images/ and annotations/{train,val,test,all}.json, at least
// one of them (COCO detection JSON), or instances_train.json and so on. What an image says about the
// completeness of its labels is kept.
#include <memory>

#include "corpus/folder.h"
#include "readers/reader.h"
#include "readers/source_folder.h"
#include "storage/name_table.h"

namespace smearscope::corpus {

namespace {

void label(const StoredCorpus& corpus, std::size_t index, Image& image) {
  const Image record = corpus.images[index];
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
  struct Opened {
    StoredCorpus corpus;
    NameTable files;  // as the images
  };
  const auto opened = std::make_shared<Opened>();
  opened->corpus = open_corpus(folder);
  const std::string name = own_name(folder);
  DataSet set;
  set.classes = opened->corpus.classes;
  set.left_out = opened->corpus.left_out;
  for (Image image : opened->corpus.images) {
    opened->files.insert(image.file);
    image.annotations.clear();
    image.width = image.height = 0;
    if (image.source.empty()) {
      image.source = name;
      image.source_file = "images/" + image.file;
    }
    set.gives_completeness |= !image.absent.empty() || !image.not_exhaustive.empty();
    set.images.push_back(image);
  }
  set.label = [opened](Image& image, ImageFile&) {
    label(opened->corpus, opened->files.find(image.file).value(), image);
  };
  return set;
}

}  // namespace smearscope::corpus
