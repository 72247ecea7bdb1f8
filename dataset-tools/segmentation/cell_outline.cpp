#include "segmentation/cell_outline.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

namespace smearscope::corpus {
namespace {

constexpr int rays = Outline::rays;

// Lengths are counted in steps, fortieths of a typical cell's diameter: about a pixel in Chula RBC-12. The
// constants were tried on its hand-drawn boxes (tests/dataset-tools/chula_boxes.csv); half or twice of each
// costs less than 0.01 of mean IoU. Costs compare with the edge of a cell, which is worth 1 to 2 to a ray.
constexpr int steps_per_diameter = 40;
constexpr int steps = 36;           // no outline is further away from the middle of its cell
constexpr int nearest = 6;          // nor nearer: edges there are those of pallors and of targets' centres
constexpr int largest_jump = 3;     // between rays: 57 degrees at the usual radius
constexpr float jump_cost = 0.15F;  // of each step of a jump
constexpr float size_cost = 0.03F;  // of each step from the usual radius
constexpr float other_cost = 4;     // of another cell's point inside, for each ray on that side
constexpr int other_width = 6;      // steps to both sides of such a point in which rays are affected
constexpr int certainly_near = 18;  // up to here background may be the pallor of a cell whose rim is open
constexpr int lost = 3;             // steps of background after which a ray has left the cell for good
constexpr int rounds = 2;           // of finding the outline and starting again from its centroid

constexpr int row = steps + 2 * largest_jump;  // of cost_ and sum_
constexpr int samples = steps + 3;             // of a ray; edges are measured over four
constexpr float impossible = 1e6F;

struct Directions {
  std::array<double, rays> x, y;
};

const Directions& directions() {
  static const Directions all = [] {
    Directions d{};
    for (std::size_t k = 0; k < rays; ++k) {
      d.x[k] = std::cos(2 * CV_PI * double(k) / rays);
      d.y[k] = std::sin(2 * CV_PI * double(k) / rays);
    }
    return d;
  }();
  return all;
}

double ray_of(cv::Point2d offset) {
  return std::atan2(offset.y, offset.x) * rays / (2 * CV_PI);
}

std::size_t around(int ray) {
  return std::size_t(((ray % rays) + rays) % rays);
}

}  // namespace

Box Outline::box() const {
  Box box{centre.x, centre.y, centre.x, centre.y};
  for (std::size_t k = 0; k < rays; ++k) {
    const double x = centre.x + radius[k] * directions().x[k], y = centre.y + radius[k] * directions().y[k];
    box = {std::min(box.x_min, x), std::min(box.y_min, y), std::max(box.x_max, x), std::max(box.y_max, y)};
  }
  return box;
}

bool Outline::holds(cv::Point2d point) const {
  const cv::Point2d offset = point - centre;
  return cv::norm(offset) <= radius[around(int(std::lround(ray_of(offset))))];
}

cv::Point2d Outline::centroid() const {
  double area = 0;
  cv::Point2d moment;
  for (std::size_t k = 0; k < rays; ++k) {  // of thin sectors, whose centroid is at two thirds of the radius
    const double square = radius[k] * radius[k];
    area += square;
    moment += square * 2 / 3 * radius[k] * cv::Point2d(directions().x[k], directions().y[k]);
  }
  return centre + moment / area;
}

std::vector<cv::Point> Outline::corners(double grow) const {
  std::vector<cv::Point> corners(rays);
  for (std::size_t k = 0; k < rays; ++k) {
    corners[k] = {int(std::floor(centre.x + (radius[k] + grow) * directions().x[k])),
                  int(std::floor(centre.y + (radius[k] + grow) * directions().y[k]))};
  }
  return corners;
}

OutlineFinder::OutlineFinder(const cv::Mat1f& contrast, const cv::Mat1b& mask, double diameter)
    : contrast_(contrast),
      mask_(mask),
      step_(diameter / steps_per_diameter),
      offset_(std::size_t(rays * samples)),
      cost_(std::size_t(rays * row), impossible),
      sum_(std::size_t(2 * rays * row), impossible) {
  for (std::size_t k = 0; k < rays; ++k) {
    for (int s = 0; s < samples; ++s) {
      offset_[k * samples + std::size_t(s)] = {int(std::lround(s * step_ * directions().x[k])),
                                               int(std::lround(s * step_ * directions().y[k]))};
    }
  }
}

Outline OutlineFinder::find(cv::Point2d place, const std::vector<cv::Point2d>& others) {
  Outline outline = trace(place, others);
  for (int round = 1; round < rounds; ++round) {
    const Outline next = trace(outline.centroid(), others);
    if (!next.holds(place)) break;
    outline = next;
  }
  return outline;
}

Outline OutlineFinder::trace(cv::Point2d place, const std::vector<cv::Point2d>& others) {
  const cv::Point pixel(std::clamp(int(place.x), 0, mask_.cols - 1),
                        std::clamp(int(place.y), 0, mask_.rows - 1));
  take_costs(pixel);
  Outline outline;
  outline.centre = cv::Point2d(pixel) + cv::Point2d(0.5, 0.5);
  for (const cv::Point2d& other : others) avoid(outline.centre, other);
  const std::array<int, rays> path = cheapest_path();
  // The edge that was measured is half a step further out than the sample in its middle.
  for (std::size_t k = 0; k < rays; ++k) outline.radius[k] = (path[k] + 0.5) * step_;
  return outline;
}

// What it costs to have the outline at each sample of each ray. A cell that the border cuts goes on beyond it
// as it is there.
void OutlineFinder::take_costs(cv::Point place) {
  const cv::Rect picture({0, 0}, mask_.size());
  const int reach = int(std::ceil(samples * step_));
  const cv::Rect around_place(place.x - reach, place.y - reach, 2 * reach + 1, 2 * reach + 1);
  const bool near_border = (around_place & picture) != around_place;
  std::array<float, samples> contrast;
  std::array<bool, samples> inside;
  for (std::size_t k = 0; k < rays; ++k) {
    for (std::size_t s = 0; s < samples; ++s) {
      cv::Point at = place + offset_[k * samples + s];
      if (near_border) at = {std::clamp(at.x, 0, picture.width - 1), std::clamp(at.y, 0, picture.height - 1)};
      contrast[s] = contrast_(at);
      inside[s] = mask_(at) != 0;
    }
    float* cost = &cost_[k * row + largest_jump];
    std::fill(cost, cost + steps, impossible);
    int outside = 0;
    for (std::size_t s = nearest; s < steps && outside <= lost; ++s) {
      if (s >= certainly_near) outside = inside[s] ? 0 : outside + 1;
      const float fall = (contrast[s - 2] + contrast[s - 1] - contrast[s + 1] - contrast[s + 2]) / 2;
      const float size = std::abs(float(s) - steps_per_diameter / 2.0F);
      cost[s] = size_cost * size - std::max(fall, 0.0F);
    }
  }
}

// The outline had better not hold `other`.
void OutlineFinder::avoid(cv::Point2d from, cv::Point2d other) {
  const cv::Point2d offset = other - from;
  const double distance = cv::norm(offset) / step_;
  if (distance > steps + largest_jump || distance < 1) return;
  const double width = std::asin(std::min(1.0, other_width / distance)) * rays / (2 * CV_PI);
  const double middle = ray_of(offset);
  const int first = std::max(nearest, int(distance) - 3);  // with a margin
  for (int ray = int(std::floor(middle - width)); ray <= std::ceil(middle + width); ++ray) {
    float* cost = &cost_[around(ray) * row + largest_jump];
    for (int s = first; s < steps; ++s) cost[s] += other_cost;
  }
}

// Twice around: the second time it begins where the first has ended, so that the middle of the way is closed.
std::array<int, rays> OutlineFinder::cheapest_path() {
  std::copy(cost_.begin(), cost_.begin() + row, sum_.begin());
  for (int k = 1; k < 2 * rays; ++k) {
    const float* before = &sum_[std::size_t((k - 1) * row)];
    const float* cost = &cost_[std::size_t(k % rays * row)];
    float* sum = &sum_[std::size_t(k * row)];
    for (int s = largest_jump; s < steps + largest_jump; ++s) {
      float least = before[s];
      for (int jump = 1; jump <= largest_jump; ++jump)
        least = std::min(least, std::min(before[s - jump], before[s + jump]) + float(jump) * jump_cost);
      sum[s] = least + cost[s];
    }
  }
  const float* last = &sum_[std::size_t((2 * rays - 1) * row)];
  int s = int(std::min_element(last, last + row) - last);
  std::array<int, rays> path{};
  for (int k = 2 * rays - 1;; --k) {
    if (k < rays + rays / 2) path[around(k)] = s - largest_jump;
    if (k == rays / 2) return path;
    const float* before = &sum_[std::size_t((k - 1) * row)];
    int best = s;
    float least = before[s];
    for (int to = s - largest_jump; to <= s + largest_jump; ++to) {
      const float sum = before[to] + float(std::abs(to - s)) * jump_cost;
      if (sum >= least) continue;
      best = to;
      least = sum;
    }
    s = best;
  }
}

}  // namespace smearscope::corpus
