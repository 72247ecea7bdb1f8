#include "loop/samples.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "corpus/completeness.h"
#include "corpus/folder.h"
#include "corpus/image_io.h"
#include "loop/augment.h"
#include "loop/balance.h"
#include "loop/copy_paste.h"
#include "loop/zoom.h"

namespace smearscope::training {
namespace {

// Cells of a class are pasted if the class has at most this share of the boxes that the commonest one has.
constexpr double rare = 0.2;

constexpr std::size_t decoded_bytes_limit = std::size_t{2} << 30U;

enum Purpose : std::uint64_t { order_of_epoch = 1, augmentation_of_step = 2, sampling_of_step = 3 };

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

Samples::Samples(const std::vector<CorpusChoice>& choices, const Regimen& regimen, std::uint64_t seed)
    : regimen_(regimen), seed_(seed) {
  std::vector<std::string> digests;
  for (const CorpusChoice& choice : choices) {
    corpus::Corpus read = corpus::read_corpus(choice.folder);
    if (read.classes.empty())
      throw Error(choice.folder + ": the corpus has no classes (\"categories\" is empty)");
    const std::vector<std::string> names = corpus::class_names(read);
    if (!classes_.empty() && names != classes_) {
      throw Error(choice.folder + ": its classes (" + joined(names) + ") differ from the first corpus's (" +
                  joined(classes_) + ")");
    }
    if (!corpus_classes_.empty() && read.classes != corpus_classes_) {
      throw Error(choice.folder +
                  ": says otherwise than the first corpus which class is a kind of which "
                  "(\"supercategory\")");
    }
    classes_ = names;
    corpus_classes_ = read.classes;
    digests.push_back(corpus::digest_of(read));
    sources_.emplace_back();
    sources_.back().weight = choice.weight;
    for (corpus::Image& image : read.images) {
      if (image.part == "train") sources_.back().train.push_back(std::move(image));
      if (image.part == "val") val_.push_back(std::move(image));
    }
  }
  digest_ = digests.size() == 1 ? digests[0] : corpus::sha256_of_text(joined(digests));
  for (const corpus::Class& c : corpus_classes_) parents_.push_back(c.parent);
  balance();
  if (images_per_epoch() == 0) {
    throw Error(choices.front().folder +
                ": no training images (annotations/train.json; smearscope-corpus split makes it)");
  }
}

std::string Samples::digest_with_tree() const {
  std::string text = digest_;
  for (const int parent : parents_) text += " " + std::to_string(parent);
  return corpus::sha256_of_text(text);
}

void Samples::balance() {
  std::vector<corpus::Image> all;  // without what balancing doesn't look at
  for (const Source& source : sources_) {
    for (const corpus::Image& image : source.train) {
      all.emplace_back();
      all.back().annotations = image.annotations;
    }
  }
  class_weights_ = training::class_weights(all, classes_.size(), regimen_.balance);
  const std::vector<double> factors = repeat_factors(all, classes_.size(), regimen_.balance);
  std::size_t next = 0;
  for (Source& source : sources_) {
    double sum = 0;
    for (std::size_t i = 0; i < source.train.size(); ++i) {
      source.per_epoch.push_back(source.weight * factors[next++]);
      sum += source.per_epoch.back();
    }
    const double whole = std::round(sum);
    for (double& often : source.per_epoch) often = sum > 0 ? often * whole / sum : 0;
  }
  if (regimen_.augmentation.copy_paste <= 0) return;
  // The rarer a class, the likelier are its cells; together they are as likely as those of another.
  std::vector<double> boxes(classes_.size());
  for (const corpus::Image& image : all) {
    for (const corpus::Annotation& a : image.annotations) ++boxes[static_cast<std::size_t>(a.category)];
  }
  const double usual = *std::max_element(boxes.begin(), boxes.end());
  double sum = 0;
  for (const Source& source : sources_) {
    for (const corpus::Image& image : source.train) {
      for (std::size_t i = 0; i < image.annotations.size(); ++i) {
        const double count = boxes[static_cast<std::size_t>(image.annotations[i].category)];
        if (source.weight <= 0 || count > rare * usual ||
            image.annotations[i].origin == corpus::BoxOrigin::fallback) {
          continue;
        }
        sum += 1 / count;
        donors_.push_back({&image, i, sum});
      }
    }
  }
}

std::size_t Samples::images_per_epoch() const {
  double count = 0;
  for (const Source& source : sources_)
    count += std::accumulate(source.per_epoch.begin(), source.per_epoch.end(), 0.0);
  return static_cast<std::size_t>(std::llround(count));
}

std::size_t Samples::batches_per_epoch() const {
  const auto batch = static_cast<std::size_t>(regimen_.optimisation.batch_size);
  return (images_per_epoch() + batch - 1) / batch;
}

// Each image as often as it is due: shares of a whole are dealt out anew in each epoch.
std::vector<const corpus::Image*> Samples::epoch_order(std::size_t epoch) const {
  Random random(seed_, order_of_epoch, epoch);
  std::vector<const corpus::Image*> order;
  for (const Source& source : sources_) {
    std::vector<std::size_t> indices(source.train.size());
    std::iota(indices.begin(), indices.end(), std::size_t(0));
    random.shuffle(indices);
    const double whole = std::round(std::accumulate(source.per_epoch.begin(), source.per_epoch.end(), 0.0));
    const double begin = random.uniform();
    double due = begin;
    std::size_t given = 0;
    for (std::size_t i = 0; i < indices.size(); ++i) {
      due += source.per_epoch[indices[i]];
      // Rounding must not cost the last image its place.
      const bool last = i + 1 == indices.size();
      const auto up_to = static_cast<std::size_t>(last ? whole : std::floor(due));
      for (; given < up_to; ++given) order.push_back(&source.train[indices[i]]);
    }
  }
  random.shuffle(order);
  return order;
}

Sample Samples::load(const corpus::Image& record) const {
  Sample sample;
  sample.file = record.path.string();
  sample.annotations = record.annotations;
  sample.pixel_size_um = record.pixel_size_um;
  if (regimen_.labels.completeness) {
    sample.ignore_regions = record.ignore_regions;
    sample.open_classes = corpus::open_classes(record, corpus_classes_);
  }
  {
    const std::lock_guard lock(mutex_);
    const auto found = decoded_.find(sample.file);
    if (found != decoded_.end()) sample.image = found->second;
  }
  if (!sample.image.empty()) return sample;
  sample.image = corpus::read_image(record.path);
  if (sample.image.cols != record.width || sample.image.rows != record.height) {
    throw Error(sample.file + ": has " + std::to_string(sample.image.cols) + "x" +
                std::to_string(sample.image.rows) + " pixels, but its annotations say " +
                std::to_string(record.width) + "x" + std::to_string(record.height));
  }
  const std::size_t bytes = sample.image.total() * sample.image.elemSize();
  const std::lock_guard lock(mutex_);
  if (decoded_bytes_ + bytes <= decoded_bytes_limit && decoded_.emplace(sample.file, sample.image).second) {
    decoded_bytes_ += bytes;
  }
  return sample;
}

Batch Samples::batch(std::size_t step, Share share) const {
  const std::size_t epoch = step / batches_per_epoch();
  const auto size = static_cast<std::size_t>(regimen_.optimisation.batch_size);
  const std::size_t first = step % batches_per_epoch() * size;
  std::vector<const corpus::Image*> chosen;
  {
    const std::lock_guard lock(mutex_);
    if (order_.empty() || order_epoch_ != epoch) {
      order_ = epoch_order(epoch);
      order_epoch_ = epoch;
    }
    const std::size_t last = std::min(first + size, order_.size());
    chosen.assign(order_.begin() + static_cast<std::ptrdiff_t>(first),
                  order_.begin() + static_cast<std::ptrdiff_t>(last));
  }
  Batch batch;
  Random random(seed_, augmentation_of_step, step);
  const std::vector<int>& sides = regimen_.optimisation.min_sides;
  batch.min_side = sides.empty() ? regimen_.info.transform.min_side : sides[random.below(sides.size())];
  batch.sampling_seed = Random(seed_, sampling_of_step, step).next();
  std::vector<std::uint64_t> seeds(chosen.size());
  for (std::uint64_t& seed : seeds) seed = random.next();
  batch.first = std::min(chosen.size() * share.rank / share.count, chosen.size() - 1);
  const std::size_t end = std::max(batch.first + 1, chosen.size() * (share.rank + 1) / share.count);
  for (std::size_t i = batch.first; i < end; ++i)
    batch.samples.push_back(augmented(*chosen[i], batch.min_side, Random(seeds[i])));
  return batch;
}

Sample Samples::augmented(const corpus::Image& image, int min_side, Random random) const {
  const Augmentation& augmentation = regimen_.augmentation;
  Sample sample = load(image);
  const double share = augmentation.red_cell_sides_share;
  if (augmentation.red_cell_sides.size() == 2 && (share == 1 || random.uniform() < share)) {
    const double low = std::log(augmentation.red_cell_sides[0]),
                 high = std::log(augmentation.red_cell_sides[1]);
    zoom_to(sample, std::exp(random.uniform(low, high)), min_side, regimen_.info.transform.max_side, random);
  }
  paste_rare_cells(sample, random);
  augment(sample, augmentation, random);
  return sample;
}

void Samples::paste_rare_cells(Sample& sample, Random& random) const {
  if (donors_.empty() || random.uniform() >= regimen_.augmentation.copy_paste) return;
  const std::size_t count =
      1 + random.below(static_cast<std::size_t>(regimen_.augmentation.copy_paste_cells));
  for (std::size_t i = 0; i < count; ++i) {
    const double drawn = random.uniform(0, donors_.back().up_to);
    const auto donor = std::upper_bound(donors_.begin(), donors_.end() - 1, drawn,
                                        [](double value, const Donor& d) { return value < d.up_to; });
    const corpus::Image& image = *donor->image;
    paste(sample, cut_out(load(image), image.annotations[donor->annotation]), random);
  }
}

Batch Samples::val_batch(std::size_t first, std::size_t count) const {
  Batch batch;
  batch.min_side = regimen_.info.transform.min_side;
  for (std::size_t i = first; i < std::min(first + count, val_.size()); ++i)
    batch.samples.push_back(load(val_[i]));
  return batch;
}

}  // namespace smearscope::training
