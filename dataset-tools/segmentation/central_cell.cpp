#include "segmentation/central_cell.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "segmentation/regions.h"
#include "segmentation/stain.h"

namespace smearscope::corpus {
namespace {

// Every picture is looked at in this size (pixels of its longer side), so that the lengths below, in these
// pixels, are right for all. A red cell is then about 50 pixels wide.
constexpr int working_side = 256;
constexpr int nucleus_opening = 2;     // thinner than twice this is no nucleus but a granule or an edge
constexpr int bridged_gap = 2;         // cytoplasm and nucleus may lie twice this far apart
constexpr int appendage_opening = 6;   // thinner than twice this is a hair, a smear, a platelet's bridge
constexpr double centre_sigma = 43;    // how far from the middle the labelled cell may be
constexpr double least_area = 250;     // a platelet is about 1000
constexpr double largest_side = 0.85;  // of the picture: beyond, it is a clump or a sheet of stain

// Cells that touch meet in a neck narrower than this share of the smaller; where the neck is dense, it is
// mostly one cell with a lobed nucleus.
constexpr double neck = 0.9;
constexpr double dense_neck = 0.7;

// Optical densities. On PBC, background noise is below 0.05; green is 0.3 in red cells and in the cytoplasm
// of neutrophils, above 1 in nuclei. The others are of the foreign stain (StainPlanes).
constexpr float covered_green = 0.10F;
constexpr float nucleus_green = 0.9F;
constexpr float nucleus_stain = 0.45F;
constexpr float dense_stain = 0.8F;
// Where little stain of any kind is, the foreign stain need not reach the hint's faintest: this many times
// faintest, as a share of green, is as much as in cytoplasm and more than in red cells.
constexpr double pale_slope = 4.0;

// Haemoglobin absorbs blue light half as much as green, the stains of white cells (azure, eosin) less:
// (red + green) / blue is 2.8 in red cells, 3.5 and more in white cells. It varies with the staining.
constexpr float usual_red_cell_ratio = 2.8F;
constexpr float lowest_red_cell_ratio = 2.2F;
constexpr float highest_red_cell_ratio = 3.4F;

struct StainPlanes {
  cv::Mat green;    // optical density
  cv::Mat foreign;  // red + green - ratio of red cells * blue: 0 in red cells and on the background, 0.1 in
                    // pale cytoplasm, 0.5 in platelets, above 1 in nuclei
  double red_cell_spread;  // of `foreign` among red cells: robust standard deviation; 0 if there are none
};

float median(std::vector<float>& values) {
  const auto middle = values.begin() + std::ptrdiff_t(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Pixels of the red cells: covered, not dark, and away from the middle.
cv::Mat red_cell_mask(const std::array<cv::Mat, 3>& density) {
  cv::Mat mask =
      (density[1] > covered_green) & (density[0] < nucleus_stain) & (density[2] > covered_green / 2);
  const cv::Rect middle(mask.cols / 4, mask.rows / 4, mask.cols / 2, mask.rows / 2);
  mask(middle) = 0;
  return mask;
}

std::vector<float> values_in(const cv::Mat& plane, const cv::Mat& mask) {
  std::vector<float> values;
  for (int y = 0; y < plane.rows; ++y) {
    for (int x = 0; x < plane.cols; ++x) {
      if (mask.at<uchar>(y, x)) values.push_back(plane.at<float>(y, x));
    }
  }
  return values;
}

StainPlanes stain_planes(const cv::Mat& rgb) {
  const std::array<cv::Mat, 3> density = optical_density(rgb, background_colour(rgb));
  const cv::Mat red_cells = red_cell_mask(density);
  const cv::Mat red_green = density[0] + density[1];
  float ratio = usual_red_cell_ratio;
  std::vector<float> ratios = values_in(red_green / density[2], red_cells);
  const bool measured = double(ratios.size()) > 0.005 * double(rgb.total());
  if (measured) ratio = std::clamp(median(ratios), lowest_red_cell_ratio, highest_red_cell_ratio);

  StainPlanes planes{density[1], red_green - ratio * density[2], 0};
  if (measured) {
    std::vector<float> deviations = values_in(cv::abs(planes.foreign), red_cells);
    planes.red_cell_spread = 1.4826 * median(deviations);  // of a normal distribution
  }
  return planes;
}

struct Part {
  cv::Rect box;
  int area = 0;           // pixels
  int nucleus = 0;        // pixels of nucleus in it
  double centrality = 0;  // the same, each weighted by how near it is to the middle of the picture
};

// Cells cut apart: labels 1, 2, ..., and what is known of each; parts[0] is empty.
struct Split {
  cv::Mat labels;
  std::vector<Part> parts;
  std::size_t central = 0;  // the part whose nucleus is in the middle; 0: none has a nucleus
};

void measure_parts(Split& split, const cv::Mat& nuclei) {
  double last = 0;
  cv::minMaxLoc(split.labels, nullptr, &last);
  split.parts.assign(std::size_t(last) + 1, {});
  for (int y = 0; y < nuclei.rows; ++y) {
    const double dy = y + 0.5 - nuclei.rows / 2.0;
    for (int x = 0; x < nuclei.cols; ++x) {
      const int label = split.labels.at<int>(y, x);
      if (label == 0) continue;
      Part& part = split.parts[std::size_t(label)];
      const cv::Rect pixel(x, y, 1, 1);
      part.box = part.area++ == 0 ? pixel : part.box | pixel;
      if (!nuclei.at<uchar>(y, x)) continue;
      const double dx = x + 0.5 - nuclei.cols / 2.0;
      ++part.nucleus;
      part.centrality += std::exp(-(dx * dx + dy * dy) / (centre_sigma * centre_sigma));
    }
  }
}

Split split_cells(const cv::Mat& stained, const cv::Mat& nuclei, const cv::Mat& dense) {
  cv::Mat cells = close_with_disc(stained | nuclei, bridged_gap);
  fill_holes(cells);
  cells = open_with_disc(cells, appendage_opening);
  Split split;
  split.labels = split_at_necks(cells, neck, dense, dense_neck);
  measure_parts(split, nuclei);
  const auto less_central = [](const Part& a, const Part& b) { return a.centrality < b.centrality; };
  const auto& parts = split.parts;
  split.central = std::size_t(std::max_element(parts.begin(), parts.end(), less_central) - parts.begin());
  return split;
}

using Outline = std::vector<cv::Point>;

// The largest connected region of the central part once its thin appendages are cut off; empty if there is
// none.
Outline central_outline(const Split& split) {
  if (split.central == 0) return {};
  std::vector<Outline> outlines;
  cv::findContours(open_with_disc(split.labels == int(split.central), appendage_opening), outlines,
                   cv::RETR_EXTERNAL, cv::CHAIN_APPROX_NONE);
  const auto smaller = [](const Outline& a, const Outline& b) {
    return cv::contourArea(a) < cv::contourArea(b);
  };
  const auto largest = std::max_element(outlines.begin(), outlines.end(), smaller);
  return largest == outlines.end() ? Outline() : *largest;
}

// An erythroblast of which only the nucleus is stained otherwise than red cells are, or little more.
bool may_have_red_cytoplasm(const Part& part) {
  return part.area < 1.5 * part.nucleus;
}

// A cell with red cytoplasm is a disc with the nucleus in it; a nucleus beside a red cell isn't.
bool is_red_cell_with_nucleus(const Outline& outline, const cv::Size& picture) {
  if (outline.empty()) return false;
  const cv::Rect box = cv::boundingRect(outline);
  Outline hull;
  cv::convexHull(outline, hull);
  const bool disc = cv::contourArea(outline) > 0.93 * cv::contourArea(hull);
  return disc && std::max(box.width, box.height) < 0.4 * std::max(picture.width, picture.height);
}

bool is_cell(const cv::Rect& box, const cv::Size& picture) {
  return box.area() >= least_area && box.width < largest_side * picture.width &&
         box.height < largest_side * picture.height;
}

cv::Mat working_picture(const cv::Mat& rgb) {
  const double scale = double(working_side) / std::max(rgb.cols, rgb.rows);
  const cv::Size size(std::max(1, int(std::lround(rgb.cols * scale))),
                      std::max(1, int(std::lround(rgb.rows * scale))));
  cv::Mat picture;
  cv::resize(rgb, picture, size, 0, 0, scale < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
  cv::GaussianBlur(picture, picture, cv::Size(3, 3), 0);
  return picture;
}

}  // namespace

StainedCells find_stained_cells(const cv::Mat& rgb, const CellHint& hint) {
  const cv::Mat picture = working_picture(rgb);
  const StainPlanes stain = stain_planes(picture);
  const cv::Mat nuclei =
      open_with_disc((stain.foreign > nucleus_stain) | (stain.green > nucleus_green), nucleus_opening);
  const cv::Mat dense = stain.foreign > dense_stain;
  const cv::Mat covered = stain.green > covered_green;
  const double least = std::clamp(2 * stain.red_cell_spread, 0.75 * hint.faintest, 1.5 * hint.faintest);
  const cv::Mat foreign = stain.foreign > cv::min(least, pale_slope * hint.faintest * stain.green);

  const Split split = split_cells(covered & foreign, nuclei, dense);
  Outline outline = central_outline(split);
  if (hint.red_cytoplasm && may_have_red_cytoplasm(split.parts[split.central])) {
    const Outline red = central_outline(split_cells(covered, nuclei, dense));
    if (is_red_cell_with_nucleus(red, picture.size())) outline = red;
  }

  const double across = double(rgb.cols) / picture.cols;
  const double down = double(rgb.rows) / picture.rows;
  const auto in_picture = [&](const cv::Rect& box) {
    return Box{box.x * across, box.y * down, (box.x + box.width) * across, (box.y + box.height) * down};
  };
  StainedCells found;
  const cv::Rect central = cv::boundingRect(outline);
  if (is_cell(central, picture.size())) found.central = in_picture(central);
  for (std::size_t i = 1; i < split.parts.size(); ++i) {
    if (i != split.central && split.parts[i].nucleus > 0)
      found.others.push_back(in_picture(split.parts[i].box));
  }
  std::sort(found.others.begin(), found.others.end(),
            [](const Box& a, const Box& b) { return a.x_min < b.x_min; });
  return found;
}

}  // namespace smearscope::corpus
