#include "corpus/stored_corpus.h"

#include "storage/name_table.h"

namespace smearscope::corpus {

Corpus in_memory(const StoredCorpus& corpus) {
  return {corpus.classes,
          {corpus.images.begin(), corpus.images.end()},
          {corpus.left_out.begin(), corpus.left_out.end()}};
}

std::vector<std::string> class_names(const StoredCorpus& corpus) {
  return class_names(Corpus{corpus.classes, {}, {}});
}

std::size_t count_of_part(const StoredCorpus& corpus, const std::string& part) {
  std::size_t count = 0;
  for (const Image& image : corpus.images) count += image.part == part;
  return count;
}

std::size_t first_repeated_file(const StoredList<Image>& images) {
  NameTable names;
  for (std::size_t i = 0; i < images.size(); ++i) {
    if (!names.insert(images[i].file).second) return i;
  }
  return images.size();
}

}  // namespace smearscope::corpus
