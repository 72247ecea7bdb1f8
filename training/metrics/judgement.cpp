#include "metrics/judgement.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "metrics/completeness.h"

namespace smearscope::metrics {
namespace {

constexpr double nobody = -std::numeric_limits<double>::infinity();

// A box of the truth that a detection overlaps enough for the lowest threshold.
struct Candidate {
  std::size_t truth = 0;  // index into Image::truth
  double overlap = 0;
};

// By range and threshold: the score of the detection that took a box, or `nobody`.
using Takers = std::array<std::array<double, iou_count>, area_count>;

std::uint16_t bit(int iou) {
  return static_cast<std::uint16_t>(1U << static_cast<unsigned>(iou));
}

class ImageJudge {
 public:
  ImageJudge(const Data& data, std::size_t image, Labels labels)
      : data_(data),
        image_(data.images[image]),
        labels_(labels),
        truth_(image_.truth.size()),
        found_(image_.found.size()),
        judged_(found_.size()),
        takers_(truth_.size()) {
    std::iota(truth_.begin(), truth_.end(), std::size_t{0});
    std::iota(found_.begin(), found_.end(), std::size_t{0});
    std::stable_sort(truth_.begin(), truth_.end(), [&](std::size_t a, std::size_t b) {
      return image_.truth[a].category < image_.truth[b].category;
    });
    std::stable_sort(found_.begin(), found_.end(), [&](std::size_t a, std::size_t b) {
      const FoundBox &left = image_.found[a], &right = image_.found[b];
      return left.category != right.category ? left.category < right.category : left.score > right.score;
    });
    for (Judged& judged : judged_) judged.image = static_cast<std::uint32_t>(image);
    for (Takers& takers : takers_) {
      for (auto& of_range : takers) of_range.fill(nobody);
    }
  }

  void add_to(std::vector<CategoryJudgement>& judgements) {
    count_truth(judgements);
    std::size_t truth_begin = 0;
    for (std::size_t begin = 0, end = 0; begin < found_.size(); begin = end) {
      const int category = found(begin).category;
      while (end < found_.size() && found(end).category == category) ++end;
      while (truth_begin < truth_.size() && truth(truth_begin).category < category) ++truth_begin;
      std::size_t truth_end = truth_begin;
      while (truth_end < truth_.size() && truth(truth_end).category == category) ++truth_end;
      match(begin, end, truth_begin, truth_end);
    }
    if (labels_ == Labels::as_told) {
      for (std::size_t i = 0; i < found_.size(); ++i) forgive(i);
    }
    for (std::size_t i = 0; i < found_.size(); ++i) {
      judgements[static_cast<std::size_t>(found(i).category)].found.push_back(judged_[i]);
    }
  }

 private:
  // In the order of categories; found boxes then best score first.
  const TruthBox& truth(std::size_t place) const { return image_.truth[truth_[place]]; }
  const FoundBox& found(std::size_t place) const { return image_.found[found_[place]]; }

  bool is_known(int category) const { return labels_ == Labels::as_complete || !is_open(image_, category); }

  void count_truth(std::vector<CategoryJudgement>& judgements) const {
    int last = -1;
    for (std::size_t i = 0; i < truth_.size(); ++i) {
      if (truth(i).crowd) continue;
      CategoryJudgement& judgement = judgements[static_cast<std::size_t>(truth(i).category)];
      for (int range = 0; range < area_count; ++range) {
        if (is_in(AreaRange(range), truth(i).area)) ++judgement.truth[static_cast<std::size_t>(range)];
      }
      if (is_in(all_areas, truth(i).area) && is_known(truth(i).category)) ++judgement.known_truth;
      if (truth(i).category != last) ++judgement.images;
      last = truth(i).category;
    }
  }

  // Detections begin .. end - 1 of one category with its boxes truth_begin .. truth_end - 1.
  void match(std::size_t begin, std::size_t end, std::size_t truth_begin, std::size_t truth_end) {
    for (std::size_t i = begin; i < end; ++i) {
      judged_[i].score = found(i).score;
      judged_[i].rank = static_cast<std::uint32_t>(i - begin);
      judged_[i].known = is_known(found(i).category);
      const std::vector<Candidate> candidates = candidates_of(found(i), truth_begin, truth_end);
      for (int range = 0; range < area_count; ++range) {
        const auto r = static_cast<std::size_t>(range);
        const bool outside = !is_in(AreaRange(range), found(i).box.area());
        for (int iou = 0; iou < iou_count; ++iou) {
          const std::size_t taken = best(candidates, AreaRange(range), iou);
          if (taken < image_.truth.size()) {
            judged_[i].taking[r] |= bit(iou);
            takers_[taken][r][static_cast<std::size_t>(iou)] = found(i).score;
            if (!counts(image_.truth[taken], AreaRange(range))) judged_[i].ignored[r] |= bit(iou);
          } else if (outside) {
            judged_[i].ignored[r] |= bit(iou);
          }
        }
      }
    }
  }

  std::vector<Candidate> candidates_of(const FoundBox& found, std::size_t truth_begin,
                                       std::size_t truth_end) const {
    std::vector<Candidate> candidates;
    for (std::size_t i = truth_begin; i < truth_end; ++i) {
      const double overlapping = overlap(found.box, truth(i).box, truth(i).crowd);
      if (overlapping >= iou_thresholds().front()) candidates.push_back({truth_[i], overlapping});
    }
    return candidates;
  }

  static bool counts(const TruthBox& box, AreaRange range) { return !box.crowd && is_in(range, box.area); }

  // The box to take, as an index into Image::truth; its size if there is none.
  std::size_t best(const std::vector<Candidate>& candidates, AreaRange range, int iou) const {
    std::size_t chosen = image_.truth.size();
    double most = std::min(iou_thresholds()[static_cast<std::size_t>(iou)], 1 - 1e-10);
    for (const bool that_count : {true, false}) {
      for (const Candidate& candidate : candidates) {
        const TruthBox& box = image_.truth[candidate.truth];
        const double taker = takers_[candidate.truth][range][static_cast<std::size_t>(iou)];
        if (counts(box, range) != that_count || candidate.overlap < most) continue;
        if (taker != nobody && !box.crowd) continue;
        most = candidate.overlap;
        chosen = candidate.truth;
      }
      if (chosen < image_.truth.size()) break;
    }
    return chosen;
  }

  // What Labels::as_told adds.
  void forgive(std::size_t place) {
    const FoundBox& box = found(place);
    Judged& judged = judged_[place];
    if (may_be_unlabelled(image_, box)) {
      for (std::size_t r = 0; r < area_count; ++r) {
        judged.ignored[r] |= static_cast<std::uint16_t>(~judged.taking[r]);
      }
      return;
    }
    for (std::size_t i = 0; i < image_.truth.size(); ++i) {
      const TruthBox& general = image_.truth[i];
      if (!is_kind_of(data_.categories, box.category, general.category)) continue;
      const double overlapping = overlap(box.box, general.box, general.crowd);
      for (std::size_t r = 0; r < area_count; ++r) {
        for (int iou = 0; iou < iou_count; ++iou) {
          const auto t = static_cast<std::size_t>(iou);
          const bool free = general.crowd || takers_[i][r][t] < box.score;
          const bool took_none = (judged.taking[r] & bit(iou)) == 0;
          if (free && took_none && overlapping >= iou_thresholds()[t]) judged.ignored[r] |= bit(iou);
        }
      }
    }
  }

  const Data& data_;
  const Image& image_;
  Labels labels_;
  std::vector<std::size_t> truth_, found_;  // indices, in the order of categories
  std::vector<Judged> judged_;              // as found_
  std::vector<Takers> takers_;              // as Image::truth
};

}  // namespace

std::vector<CategoryJudgement> judge(const Data& data, Labels labels) {
  std::vector<CategoryJudgement> judgements(data.categories.size());
  for (std::size_t image = 0; image < data.images.size(); ++image) {
    ImageJudge(data, image, labels).add_to(judgements);
  }
  for (CategoryJudgement& judgement : judgements) {
    std::stable_sort(judgement.found.begin(), judgement.found.end(),
                     [](const Judged& a, const Judged& b) { return a.score > b.score; });
  }
  return judgements;
}

}  // namespace smearscope::metrics
