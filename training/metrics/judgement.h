// Which detections are right: matched with the truth as pycocotools' COCOeval matches boxes, for every IoU
// threshold and area range.
//
// In each image and category, best score first, a detection takes the box that it overlaps most, of those
// that are not taken and overlap by at least the threshold (of equals the last). Boxes that don't count
// (crowds, and boxes outside of the area range) are taken only where no other is left; a detection that took
// one counts for nothing, and so does one that took none and is itself outside of the area range.
//
// With Labels::as_told a detection that took none counts for nothing also where
//   - its category is open in the image (cells of it may have no box),
//   - more than half of its area is inside ignore regions, or
//   - it overlaps, by at least the threshold, a box of a category that its own is a kind of (it says
//     lymphocyte, the label only wbc), which no better detection of the box's own category has taken.
// That box stays to be found by its own category.
#pragma once

#include <cstddef>
#include <cstdint>

#include "metrics/boxes.h"

namespace smearscope::metrics {

struct Judged {
  double score = 0;
  std::uint32_t image = 0;  // index into Data::images
  std::uint32_t rank = 0;   // place among those of its image and category, best score first
  bool known = true;        // false: with Labels::as_told, where its category is open in the image
  // Bit t is for iou_thresholds()[t]: took a box; counts for nothing (which may both be so).
  std::array<std::uint16_t, area_count> taking{}, ignored{};

  bool counts(AreaRange range, int iou) const { return (ignored[range] >> iou & 1) == 0; }
  bool is_true(AreaRange range, int iou) const {
    return counts(range, iou) && (taking[range] >> iou & 1) != 0;
  }
};

struct CategoryJudgement {
  std::array<std::size_t, area_count> truth{};  // boxes that count
  std::size_t images = 0;                       // that have boxes which count, of any area
  std::size_t known_truth = 0;  // boxes that count, of any area, where the category isn't open
  std::vector<Judged> found;    // best score first
};

// By category, those that are not evaluated too. All categories of boxes must be in Data::categories, and
// coordinates, areas and scores finite.
std::vector<CategoryJudgement> judge(const Data& data, Labels labels);

}  // namespace smearscope::metrics
