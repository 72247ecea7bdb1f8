#include "duplicates/compare_labels.h"

#include <algorithm>
#include <tuple>

namespace smearscope::corpus {
namespace {

constexpr double least_overlap = 0.5;

Box transformed(const Box& box, const cv::Matx23d& transform) {
  const auto moved = [&](double x, double y) { return transform * cv::Vec3d(x, y, 1); };
  const cv::Vec2d a = moved(box.x_min, box.y_min), b = moved(box.x_max, box.y_max);
  return {std::min(a[0], b[0]), std::min(a[1], b[1]), std::max(a[0], b[0]), std::max(a[1], b[1])};
}

// Is the middle of the box inside the image?
bool shows(const Image& image, const Box& box) {
  const double x = (box.x_min + box.x_max) / 2, y = (box.y_min + box.y_max) / 2;
  return x >= 0 && y >= 0 && x < image.width && y < image.height;
}

std::size_t shown_without_match(const Image& image, const std::vector<Box>& boxes,
                                const std::vector<bool>& matched) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < boxes.size(); ++i) count += !matched[i] && shows(image, boxes[i]);
  return count;
}

}  // namespace

cv::Matx23d inverse(const cv::Matx23d& m) {
  const double determinant = m(0, 0) * m(1, 1) - m(0, 1) * m(1, 0);
  const double a = m(1, 1) / determinant, b = -m(0, 1) / determinant;
  const double c = -m(1, 0) / determinant, d = m(0, 0) / determinant;
  return {a, b, -a * m(0, 2) - b * m(1, 2), c, d, -c * m(0, 2) - d * m(1, 2)};
}

LabelComparison compare_labels(const Image& kept, const Image& copy, const cv::Matx23d& to_kept,
                               const std::vector<Class>& classes) {
  const cv::Matx23d to_copy = inverse(to_kept);
  std::vector<Box> kept_in_copy, copy_in_kept;
  for (const Annotation& a : kept.annotations) kept_in_copy.push_back(transformed(a.box, to_copy));
  for (const Annotation& a : copy.annotations) copy_in_kept.push_back(transformed(a.box, to_kept));

  std::vector<std::tuple<double, std::size_t, std::size_t>> candidates;  // -overlap, kept, copy
  for (std::size_t i = 0; i < kept.annotations.size(); ++i) {
    for (std::size_t j = 0; j < copy_in_kept.size(); ++j) {
      const double share = intersection_over_union(kept.annotations[i].box, copy_in_kept[j]);
      if (share >= least_overlap) candidates.emplace_back(-share, i, j);
    }
  }
  std::sort(candidates.begin(), candidates.end());
  LabelComparison result;
  std::vector<bool> kept_matched(kept.annotations.size()), copy_matched(copy_in_kept.size());
  for (const auto& [unused, i, j] : candidates) {
    if (kept_matched[i] || copy_matched[j]) continue;
    kept_matched[i] = copy_matched[j] = true;
    const int ours = kept.annotations[i].category, theirs = copy.annotations[j].category;
    const bool theirs_is_finer = theirs != ours && is_kind_of(classes, theirs, ours);
    if (theirs_is_finer) result.finer.push_back({i, theirs, copy.annotations[j].label});
    if (theirs_is_finer || is_kind_of(classes, ours, theirs)) {
      ++result.agree;
    } else {
      ++result.differ;
    }
  }
  result.only_kept = shown_without_match(copy, kept_in_copy, kept_matched);
  result.only_copy = shown_without_match(kept, copy_in_kept, copy_matched);
  return result;
}

std::string describe(const LabelComparison& comparison) {
  std::string text =
      std::to_string(comparison.agree) + (comparison.agree == 1 ? " label agrees" : " labels agree");
  if (comparison.differ > 0)
    text += ", " + std::to_string(comparison.differ) + (comparison.differ == 1 ? " differs" : " differ");
  if (comparison.only_copy > 0) text += ", " + std::to_string(comparison.only_copy) + " only here";
  if (comparison.only_kept > 0) text += ", " + std::to_string(comparison.only_kept) + " only there";
  return text;
}

}  // namespace smearscope::corpus
