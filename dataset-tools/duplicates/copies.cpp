#include "duplicates/copies.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <opencv2/imgproc.hpp>
#include <optional>
#include <string>
#include <tuple>

#include "corpus/digest.h"
#include "corpus/image_io.h"
#include "corpus/parallel.h"
#include "corpus/progress.h"
#include "duplicates/alignment.h"
#include "duplicates/candidates.h"
#include "duplicates/compare_labels.h"
#include "duplicates/patches.h"

namespace smearscope::corpus {
namespace {

cv::Mat1f small_grey(ImageFile& file, const Image& image) {
  constexpr int side = 128;
  int reduction = 1;
  while (reduction < 8 && std::min(image.width, image.height) >= 2 * reduction * side) reduction *= 2;
  const cv::Mat grey = file.grey(reduction);
  const bool grows = grey.cols < side || grey.rows < side;
  cv::Mat small;
  cv::resize(grey, small, {side, side}, 0, 0, grows ? cv::INTER_LINEAR : cv::INTER_AREA);
  cv::Mat1f result;
  small.convertTo(result, CV_32F);
  return result;
}

// What is kept of each image.
struct Prints {
  std::vector<Digest> digests;
  StoredList<Miniature> miniatures;
  PatchIndex patches;
};

void read(const StoredList<Image>& images, unsigned threads, Prints& prints) {
  prints.digests.resize(images.size());
  prints.miniatures.resize(images.size());
  Progress progress("looking for copies", images.size());
  parallel_for(images.size(), threads, [&](std::size_t i) {
    const Image image = images[i];
    ImageFile file(image.path);
    prints.digests[i] = digest_of_digits(file.sha256());
    const cv::Mat1f grey = small_grey(file, image);
    prints.miniatures.set(i, miniature_of(grey));
    prints.patches.add(i, patches_of(grey));
    progress.step();
  });
}

// Images that have the same bytes.
class Groups {
 public:
  explicit Groups(const std::vector<Digest>& digests) : is_first_(digests.size(), true) {
    std::vector<std::uint32_t> order(digests.size());
    std::iota(order.begin(), order.end(), std::uint32_t(0));
    std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
      return std::tie(digests[a], a) < std::tie(digests[b], b);
    });
    for (auto begin = order.begin(); begin != order.end();) {
      const auto end = std::find_if(begin, order.end(),
                                    [&](std::uint32_t image) { return digests[image] != digests[*begin]; });
      if (end - begin > 1) several_.emplace(*begin, std::vector<std::uint32_t>(begin, end));
      for (auto other = begin + 1; other != end; ++other) is_first_[*other] = false;
      count_ += 1;
      begin = end;
    }
  }

  std::size_t count() const { return count_; }
  // Of each image: is it the first of its group?
  const std::vector<bool>& is_first() const { return is_first_; }
  // The images of a group by its first; ascending.
  std::vector<std::uint32_t> of(std::uint32_t first) const {
    const auto found = several_.find(first);
    return found == several_.end() ? std::vector<std::uint32_t>{first} : found->second;
  }
  // The groups of more than one, by their first.
  const std::map<std::uint32_t, std::vector<std::uint32_t>>& several() const { return several_; }

 private:
  std::vector<bool> is_first_;
  std::size_t count_ = 0;
  std::map<std::uint32_t, std::vector<std::uint32_t>> several_;
};

// The same cells under another focus or camera: all of the one picture is where it is in the other.
bool is_taken_again(const Alignment& alignment) {
  constexpr double least_share = 0.87, most_stretch = 0.1;
  const AxisMap& map = alignment.to_second;
  return !map.swap && std::abs(map.x.scale - 1) <= most_stretch &&
         std::abs(map.y.scale - 1) <= most_stretch &&
         std::min(alignment.share_first, alignment.share_second) >= least_share;
}

// README has the correlations of true and of chance pairs that these lie between.
std::optional<Likeness> likeness_of(const Alignment& alignment) {
  constexpr double same = 0.8, taken_again = 0.47;
  constexpr double all = 0.93, least_share = 0.3;  // of the picture of which more is in the overlap
  const double share = std::max(alignment.share_first, alignment.share_second);
  if (alignment.correlation >= same && share >= all) return Likeness::same_picture;
  if (alignment.correlation >= same && share >= least_share) return Likeness::same_field;
  if (alignment.correlation >= taken_again && is_taken_again(alignment)) return Likeness::same_field;
  return std::nullopt;
}

// Candidates are of the first images of groups; the others of a group share their pairs.
class PairList {
 public:
  PairList(const StoredList<Image>& images, const Groups& groups) : images_(images), groups_(groups) {
    for (const auto& [first, group] : groups.several()) {
      for (std::size_t i = 0; i < group.size(); ++i) {
        for (std::size_t k = i + 1; k < group.size(); ++k)
          pairs_.push_back({group[i], group[k], Likeness::same_bytes, 1, {1, 0, 0, 0, 1, 0}});
      }
    }
  }

  void add(const Candidate& candidate, const Alignment& alignment) {
    const auto likeness = likeness_of(alignment);
    if (!likeness) return;
    for (const std::uint32_t a : groups_.of(candidate.first)) {
      for (const std::uint32_t b : groups_.of(candidate.second)) {
        const cv::Matx23d map = alignment.to_second.in_pixels(size_of(images_[a]), size_of(images_[b]));
        pairs_.push_back(a < b ? Pair{a, b, *likeness, alignment.correlation, map}
                               : Pair{b, a, *likeness, alignment.correlation, inverse(map)});
      }
    }
  }

  std::vector<Pair> in_order() && {
    std::sort(pairs_.begin(), pairs_.end(), [](const Pair& a, const Pair& b) {
      return std::tie(a.first, a.second) < std::tie(b.first, b.second);
    });
    return std::move(pairs_);
  }

 private:
  static cv::Size2d size_of(const Image& image) { return {double(image.width), double(image.height)}; }

  const StoredList<Image>& images_;
  const Groups& groups_;
  std::vector<Pair> pairs_;
};

}  // namespace

std::vector<Pair> find_copies(const StoredList<Image>& images, unsigned threads) {
  Prints prints;
  read(images, threads, prints);
  const Groups groups(prints.digests);
  prints.digests = {};

  PairList pairs(images, groups);
  std::vector<Alignment> alignments;
  const auto take = [&](const std::vector<Candidate>& candidates) {
    alignments.resize(candidates.size());
    parallel_for(candidates.size(), threads, [&](std::size_t i) {
      const Candidate& candidate = candidates[i];
      alignments[i] =
          align(prints.miniatures[candidate.first], prints.miniatures[candidate.second], candidate.to_second);
    });
    for (std::size_t i = 0; i < candidates.size(); ++i) pairs.add(candidates[i], alignments[i]);
  };
  find_candidates(prints.miniatures, prints.patches, groups.is_first(), groups.count(), threads, take);
  return std::move(pairs).in_order();
}

}  // namespace smearscope::corpus
