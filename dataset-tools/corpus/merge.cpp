#include "corpus/merge.h"

#include <map>
#include <memory>
#include <set>

#include "corpus/similarity.h"

namespace smearscope::corpus {
namespace {

class Merger {
 public:
  explicit Merger(const std::vector<Class>& classes) { result_.corpus.classes = classes; }

  void add_val(const Image& image) {
    Fingerprint fingerprint = fingerprint_of(image.path);
    const auto [same, is_new] = val_of_sum_.emplace(fingerprint.sha256, val_.size());
    if (!is_new) return remove(image, val_[same->second], Removal::Kind::val_repeats_val, 1);
    val_fingerprints_.push_back(std::move(fingerprint));
    add(image, val_);
  }

  // After all of val.
  void add_train(const Image& image) {
    if (!index_) index_ = std::make_unique<SimilarityIndex>(val_fingerprints_);
    const Fingerprint fingerprint = fingerprint_of(image.path);
    const auto match = index_->best_match(fingerprint);
    if (match && match->correlation > near_duplicate) {
      return remove(image, val_[match->index],
                    match->same_bytes ? Removal::Kind::train_repeats_val : Removal::Kind::train_resembles_val,
                    match->correlation);
    }
    const auto [same, is_new] = train_of_sum_.emplace(fingerprint.sha256, train_.size());
    if (!is_new) return remove(image, train_[same->second], Removal::Kind::train_repeats_train, 1);
    add(image, train_);
  }

  MergeResult take() {
    for (std::vector<Image>* part : {&train_, &val_}) {
      for (Image& image : *part) result_.corpus.images.push_back(std::move(image));
    }
    return std::move(result_);
  }

 private:
  void add(const Image& image, std::vector<Image>& part) {
    Image copy = image;
    if (!names_.insert(copy.file).second) {
      copy.file = copy.source + "-" + copy.file;
      if (!names_.insert(copy.file).second) throw Error("two images are named '" + copy.file + "'");
    }
    part.push_back(std::move(copy));
  }

  void remove(const Image& image, const Image& kept, Removal::Kind kind, double correlation) {
    result_.removals.push_back({kind, image.source, image.file, kept.source, kept.file, correlation});
  }

  MergeResult result_;
  std::vector<Image> train_, val_;
  std::set<std::string> names_;
  std::map<std::string, std::size_t> val_of_sum_, train_of_sum_;
  std::vector<Fingerprint> val_fingerprints_;
  std::unique_ptr<SimilarityIndex> index_;
};

}  // namespace

MergeResult merge(const std::vector<Corpus>& corpora) {
  if (corpora.empty()) throw Error("nothing to merge: name at least one corpus");
  for (const Corpus& corpus : corpora) {
    if (corpus.classes != corpora.front().classes) {
      throw Error("the corpora have different classes; standardise them first");
    }
  }
  Merger merger(corpora.front().classes);
  for (const bool val : {true, false}) {
    for (const Corpus& corpus : corpora) {
      for (const Image& image : corpus.images) {
        if ((image.part == "val" || image.part == "test") != val) continue;
        val ? merger.add_val(image) : merger.add_train(image);
      }
    }
  }
  return merger.take();
}

}  // namespace smearscope::corpus
