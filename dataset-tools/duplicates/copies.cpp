#include "duplicates/copies.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>

#include "corpus/image_io.h"
#include "corpus/parallel.h"
#include "corpus/progress.h"
#include "duplicates/alignment.h"
#include "duplicates/candidates.h"
#include "duplicates/compare_labels.h"
#include "duplicates/patches.h"

namespace smearscope::corpus {
namespace {

// What is kept of each image.
struct Prints {
  std::vector<std::string> sha256;
  std::vector<Miniature> miniatures;
  std::vector<std::vector<Patch>> patches;

  explicit Prints(std::size_t count) : sha256(count), miniatures(count), patches(count) {}
};

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

Prints read(const std::vector<Image>& images, unsigned threads) {
  Prints prints(images.size());
  Progress progress("looking for copies", images.size());
  parallel_for(images.size(), threads, [&](std::size_t i) {
    ImageFile file(images[i].path);
    prints.sha256[i] = file.sha256();
    const cv::Mat1f grey = small_grey(file, images[i]);
    prints.miniatures[i] = miniature_of(grey);
    prints.patches[i] = patches_of(grey);
    progress.step();
  });
  return prints;
}

// Images by their bytes, those of the earliest image first.
std::vector<std::vector<std::size_t>> by_bytes(const std::vector<std::string>& sha256) {
  std::vector<std::vector<std::size_t>> groups;
  std::unordered_map<std::string, std::size_t> group_of;
  for (std::size_t i = 0; i < sha256.size(); ++i) {
    const auto [at, is_new] = group_of.emplace(sha256[i], groups.size());
    if (is_new) groups.emplace_back();
    groups[at->second].push_back(i);
  }
  return groups;
}

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

// Candidates are of the first images of `groups`; the others of a group share their pairs.
class PairList {
 public:
  PairList(const std::vector<Image>& images, const std::vector<std::vector<std::size_t>>& groups)
      : images_(images), groups_(groups) {
    for (const std::vector<std::size_t>& group : groups) {
      for (std::size_t i = 0; i < group.size(); ++i) {
        for (std::size_t k = i + 1; k < group.size(); ++k)
          pairs_.push_back({group[i], group[k], Likeness::same_bytes, 1, {1, 0, 0, 0, 1, 0}});
      }
    }
  }

  void add(const Candidate& candidate, const Alignment& alignment) {
    const auto likeness = likeness_of(alignment);
    if (!likeness) return;
    for (const std::size_t a : groups_[candidate.first]) {
      for (const std::size_t b : groups_[candidate.second]) {
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

  const std::vector<Image>& images_;
  const std::vector<std::vector<std::size_t>>& groups_;
  std::vector<Pair> pairs_;
};

}  // namespace

std::vector<Pair> find_copies(const std::vector<Image>& images, unsigned threads) {
  Prints prints = read(images, threads);
  const std::vector<std::vector<std::size_t>> groups = by_bytes(prints.sha256);
  // Groups are in the order of their first images, so none of these is overwritten before it is read.
  for (std::size_t i = 0; i < groups.size(); ++i) {
    prints.miniatures[i] = prints.miniatures[groups[i].front()];
    std::swap(prints.patches[i], prints.patches[groups[i].front()]);
  }
  prints.miniatures.resize(groups.size());
  prints.patches.resize(groups.size());

  const auto candidates = find_candidates(prints.miniatures, std::move(prints.patches), threads);
  std::vector<Alignment> alignments(candidates.size());
  parallel_for(candidates.size(), threads, [&](std::size_t i) {
    const Candidate& candidate = candidates[i];
    alignments[i] =
        align(prints.miniatures[candidate.first], prints.miniatures[candidate.second], candidate.to_second);
  });
  PairList pairs(images, groups);
  for (std::size_t i = 0; i < candidates.size(); ++i) pairs.add(candidates[i], alignments[i]);
  return std::move(pairs).in_order();
}

}  // namespace smearscope::corpus
