#include "corpus/standardise.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <numeric>
#include <optional>
#include <vector>

#include "corpus/folder.h"
#include "corpus/parallel.h"
#include "corpus/pixel_size.h"
#include "corpus/progress.h"
#include "segmentation/unlabelled_cells.h"

namespace smearscope::corpus {
namespace {

// Not an Error: it's not the image's fault, and there is no going on.
struct CannotWrite : std::runtime_error {
  using std::runtime_error::runtime_error;
};

void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  if (!out) throw CannotWrite(path.string() + ": cannot write the file (is the disk full?)");
}

// Where cells may be without a box, those that the picture shows become ignore regions.
void mark_unlabelled(Image& image, ImageFile& file) {
  if (image.regions_complete || image.not_exhaustive.empty()) return;
  std::vector<Box> labelled = image.ignore_regions;
  for (const Annotation& a : image.annotations) labelled.push_back(a.box);
  const std::vector<Box> found = unlabelled_cells(file.foreground(), file.red_cell_diameter(), labelled);
  image.ignore_regions.insert(image.ignore_regions.end(), found.begin(), found.end());
  image.regions_complete = true;
}

// Of a cell that is labelled as two things, neither is believed: its place becomes an ignore region.
void drop_contradictions(Image& image, const std::vector<Class>& classes) {
  const std::vector<Annotation>& all = image.annotations;
  std::vector<std::size_t> other(all.size());  // for each annotation one that contradicts it, or itself
  std::iota(other.begin(), other.end(), std::size_t(0));
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (are_compatible(classes, all[i].category, all[j].category) ||
          !are_of_one_cell(all[i].box, all[j].box))
        continue;
      other[i] = j;
      other[j] = i;
    }
  }
  std::vector<Annotation> kept;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (other[i] == i) {
      kept.push_back(all[i]);
      continue;
    }
    const auto name = [&](std::size_t index) { return classes[std::size_t(all[index].category)].name; };
    image.ignore_regions.push_back(all[i].box);
    image.changes.push_back({rules::labels_contradict, "box " + std::to_string(i + 1) + " says " + name(i) +
                                                           ", box " + std::to_string(other[i] + 1) +
                                                           " of the same cell " + name(other[i])});
  }
  image.annotations = std::move(kept);
}

class Standardiser {
 public:
  Standardiser(const DataSet& set, const std::string& kind, const Taxonomy& taxonomy,
               const std::filesystem::path& output, const StandardiseOptions& options)
      : set_(set), kind_(kind), taxonomy_(taxonomy), options_(options), fresh_(output) {}

  StoredCorpus run() {
    const std::size_t count = set_.images.size();
    images_.resize(count);
    unreadable_.resize(count);
    pixel_sizes_um_.resize(count);
    std::vector<std::uint32_t> indices(count);
    std::iota(indices.begin(), indices.end(), std::uint32_t(0));
    take(indices, std::nullopt);
    // Those that need the usual scale, which is known when all have been read.
    indices.erase(std::remove_if(indices.begin(), indices.end(),
                                 [&](std::uint32_t i) { return images_.has(i) || unreadable_.has(i); }),
                  indices.end());
    if (!indices.empty()) take(indices, usual_pixel_size());
    StoredCorpus corpus = gathered();
    fresh_.finish(corpus);
    return corpus;
  }

 private:
  void take(const std::vector<std::uint32_t>& indices, std::optional<double> usual_pixel_size) {
    Progress progress("reading " + kind_, indices.size());
    parallel_for(indices.size(), options_.threads, [&](std::size_t i) {
      const std::uint32_t index = indices[i];
      const Image listed = set_.images[index];
      try {
        take(index, listed, usual_pixel_size);
      } catch (const Error& problem) {
        unreadable_.set(index,
                        {listed.source, listed.source_file, "", {rules::file_unreadable, problem.what()}});
      }
      progress.step();
    });
  }

  void take(std::size_t index, const Image& listed, std::optional<double> usual_pixel_size) {
    ImageFile file(listed.path, listed.source_file);
    Image image = read_labelled(set_, index, file);
    classify(image, taxonomy_, kind_, set_.classes, set_.gives_completeness);
    if (set_.is_partial) open_all_classes(image, taxonomy_);
    drop_contradictions(image, taxonomy_.classes);
    if (!set_.gives_completeness) mark_unlabelled(image, file);
    if (image.pixel_size_um <= 0) image.pixel_size_um = estimated_pixel_size_um(image, taxonomy_, file);
    if (!options_.keep_general) drop_general(image, taxonomy_);
    pixel_sizes_um_[index] = image.pixel_size_um;
    const Scaling& scaling = options_.scaling;
    double factor = 1;
    if (image.pixel_size_um > 0 || !scaling.pixel_size_um) {
      factor = scale_factor(scaling, image.width, image.height, image.pixel_size_um);
    } else if (!usual_pixel_size) {
      return;
    } else if (*usual_pixel_size > 0) {
      image.pixel_size_um = *usual_pixel_size;
      factor = scale_factor(scaling, image.width, image.height, image.pixel_size_um);
    }
    const std::string bytes = factor == 1 ? file.bytes() : scaled_image(image, file, factor);
    write_bytes(fresh_.image_path(image.file), bytes);
    images_.set(index, image);
  }

  // The median of those that are known; 0 if none is.
  double usual_pixel_size() const {
    std::vector<double> sizes;
    std::copy_if(pixel_sizes_um_.begin(), pixel_sizes_um_.end(), std::back_inserter(sizes),
                 [](double size) { return size > 0; });
    if (sizes.empty()) return 0;
    const auto middle = sizes.begin() + std::ptrdiff_t(sizes.size() / 2);
    std::nth_element(sizes.begin(), middle, sizes.end());
    return *middle;
  }

  StoredCorpus gathered() {
    StoredCorpus corpus;
    corpus.classes = options_.keep_general ? taxonomy_.classes : classes_without_general(taxonomy_);
    corpus.left_out = set_.left_out;
    std::vector<std::uint32_t> read;
    for (std::size_t i = 0; i < images_.size(); ++i) {
      if (images_.has(i)) read.push_back(static_cast<std::uint32_t>(i));
      if (unreadable_.has(i)) corpus.left_out.push_back(unreadable_[i]);
    }
    images_.reorder(read, [](std::uint32_t i) { return i; });
    corpus.images = std::move(images_);
    return corpus;
  }

  const DataSet& set_;
  const std::string& kind_;
  const Taxonomy& taxonomy_;
  const StandardiseOptions& options_;
  NewCorpus fresh_;
  // As set_.images. Each gets a record in the one or the other.
  StoredList<Image> images_;
  StoredList<LeftOut> unreadable_;
  std::vector<double> pixel_sizes_um_;  // before scaling; 0: unknown
};

}  // namespace

StoredCorpus standardise(const DataSet& set, const std::string& kind, const Taxonomy& taxonomy,
                         const std::filesystem::path& output, const StandardiseOptions& options) {
  return Standardiser(set, kind, taxonomy, output, options).run();
}

}  // namespace smearscope::corpus
