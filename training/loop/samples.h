// The training images of one or more corpora: which, in what order, decoded and augmented.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "corpus/records.h"
#include "loop/random.h"
#include "loop/regimen.h"
#include "loop/sample.h"
#include "smearscope/error.h"

namespace smearscope::training {

struct CorpusChoice {
  std::string folder;
  double weight = 1;  // each image is seen this many times per epoch, on average
};

struct Batch {
  std::vector<Sample> samples;
  int min_side = 0;                 // pixels, for the network's resize
  std::uint64_t sampling_seed = 0;  // for the network's choice of anchors and proposals
  std::size_t first = 0;            // of the samples, in the whole batch
};

// Which part of each batch a process gets: of images in order, part `rank` of `count`. It has at least one
// image; where a batch has fewer than there are processes, some see the same.
struct Share {
  std::size_t rank = 0, count = 1;
};

// Thread-safe once built.
class Samples {
 public:
  // Reads the corpora's annotations. Throws Error if one can't be read, their classes differ, there are no
  // classes, or no training images.
  Samples(const std::vector<CorpusChoice>& choices, const Regimen& regimen, std::uint64_t seed);

  const std::vector<std::string>& classes() const { return classes_; }
  // For each class the index of the one that it is a kind of, or -1.
  const std::vector<int>& class_parents() const { return parents_; }
  // As Balance asks for (balance.h); empty if it doesn't.
  const std::vector<double>& class_weights() const { return class_weights_; }
  const std::string& digest() const { return digest_; }  // of the one corpus, or over those of all
  // SHA-256 over the digest and which class is a kind of which, which a corpus's digest leaves out.
  std::string digest_with_tree() const;
  std::size_t images_per_epoch() const;
  std::size_t batches_per_epoch() const;  // the last may be smaller
  std::size_t val_images() const { return val_.size(); }

  // Batch of the whole run, counted over epochs: the same for the same seed, whoever asks when; an image is
  // the same in any share that has it. Throws Error naming the file if an image can't be read or hasn't the
  // size that its annotations say.
  Batch batch(std::size_t step, Share share = {}) const;
  // Validation images first .. first + count - 1, not augmented.
  Batch val_batch(std::size_t first, std::size_t count) const;

 private:
  struct Source {
    std::vector<corpus::Image> train;
    std::vector<double> per_epoch;  // how often each of them is seen, on average; sums up to a whole number
    double weight = 1;
  };
  // A cell that may be pasted into other images.
  struct Donor {
    const corpus::Image* image;
    std::size_t annotation;
    double up_to;  // sum of the chances of the donors up to this one
  };

  void balance();
  std::vector<const corpus::Image*> epoch_order(std::size_t epoch) const;
  Sample augmented(const corpus::Image& image, int min_side, Random random) const;
  Sample load(const corpus::Image& image) const;
  void paste_rare_cells(Sample& sample, Random& random) const;

  Regimen regimen_;
  std::uint64_t seed_ = 0;
  std::vector<corpus::Class> corpus_classes_;
  std::vector<std::string> classes_;
  std::vector<int> parents_;
  std::vector<double> class_weights_;
  std::vector<Source> sources_;
  std::vector<Donor> donors_;
  std::vector<corpus::Image> val_;
  std::string digest_;

  mutable std::mutex mutex_;  // guards what follows
  mutable std::map<std::string, cv::Mat>
      decoded_;  // by path; decoding costs more than training's share of memory
  mutable std::size_t decoded_bytes_ = 0;
  mutable std::size_t order_epoch_ = 0;
  mutable std::vector<const corpus::Image*> order_;
};

}  // namespace smearscope::training
