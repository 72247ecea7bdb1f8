#include "loop/samples.h"

#include <algorithm>
#include <cmath>

#include "corpus/folder.h"
#include "corpus/image_io.h"
#include "loop/augment.h"
#include "loop/random.h"

namespace smearscope::training {
namespace {

constexpr std::size_t decoded_bytes_limit = std::size_t{2} << 30U;

enum Purpose : std::uint64_t { order_of_epoch = 1, augmentation_of_step = 2, sampling_of_step = 3 };

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

std::size_t Samples::Source::per_epoch() const {
  return static_cast<std::size_t>(std::llround(weight * static_cast<double>(train.size())));
}

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
    classes_ = names;
    digests.push_back(corpus::digest_of(read));
    sources_.push_back({{}, choice.weight});
    for (corpus::Image& image : read.images) {
      if (image.part == "train") sources_.back().train.push_back(std::move(image));
      if (image.part == "val") val_.push_back(std::move(image));
    }
  }
  digest_ = digests.size() == 1 ? digests[0] : corpus::sha256_of_text(joined(digests));
  if (images_per_epoch() == 0) {
    throw Error(choices.front().folder +
                ": no training images (annotations/train.json; smearscope-corpus split makes it)");
  }
}

std::size_t Samples::images_per_epoch() const {
  std::size_t count = 0;
  for (const Source& source : sources_) count += source.per_epoch();
  return count;
}

std::size_t Samples::batches_per_epoch() const {
  const auto batch = static_cast<std::size_t>(regimen_.optimisation.batch_size);
  return (images_per_epoch() + batch - 1) / batch;
}

std::vector<const corpus::Image*> Samples::epoch_order(std::size_t epoch) const {
  Random random(seed_, order_of_epoch, epoch);
  std::vector<const corpus::Image*> order;
  for (const Source& source : sources_) {
    std::vector<const corpus::Image*> once;
    for (const corpus::Image& image : source.train) once.push_back(&image);
    std::size_t wanted = source.per_epoch();
    while (wanted > 0 && !once.empty()) {
      random.shuffle(once);
      const std::size_t count = std::min(wanted, once.size());
      order.insert(order.end(), once.begin(), once.begin() + static_cast<std::ptrdiff_t>(count));
      wanted -= count;
    }
  }
  random.shuffle(order);
  return order;
}

Sample Samples::load(const corpus::Image& record) const {
  Sample sample{record.path.string(), {}, record.annotations};
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

Batch Samples::batch(std::size_t step) const {
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
  for (const corpus::Image* image : chosen) {
    batch.samples.push_back(load(*image));
    augment(batch.samples.back().image, batch.samples.back().annotations, regimen_.augmentation, random);
  }
  return batch;
}

Batch Samples::val_batch(std::size_t first, std::size_t count) const {
  Batch batch;
  batch.min_side = regimen_.info.transform.min_side;
  for (std::size_t i = first; i < std::min(first + count, val_.size()); ++i)
    batch.samples.push_back(load(val_[i]));
  return batch;
}

}  // namespace smearscope::training
