#include "drawn_smears.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

namespace smearscope::testing {
namespace {

using corpus::Box;

// Boxes are drawn around cells. Most cells lie apart, some touch, few lie over each other.
constexpr double share_related = 0.4;     // of rectangles that touch, share sides with or lie over another
constexpr double share_lying_over = 0.2;  // of those
constexpr double smallest = 20;  // pixels a side: half of a red cell of Chula, whose cells are the smallest

// A rectangle before it is drawn: corners of the pen's path, in pixels, integers unless anti-aliased.
struct Path {
  double x_min, y_min, x_max, y_max;
  std::string relation;
};

double snapped(double value, Pen pen) {
  return pen == Pen::anti_aliased ? value : std::floor(value);
}

class Drawing {
 public:
  Drawing(cv::Size size, Pen pen, int width, cv::RNG& random)
      : size_(size), pen_(pen), width_(width), random_(random) {}

  // Up to `count` rectangles that can be told apart.
  std::vector<Path> make(int count) {
    for (int attempt = 0; attempt < 40 * count && int(paths_.size()) < count; ++attempt) {
      Path path = paths_.empty() || chance(1 - share_related)
                      ? somewhere()
                      : related(paths_[std::size_t(random_.uniform(0, int(paths_.size())))]);
      path.x_min = snapped(path.x_min, pen_);
      path.y_min = snapped(path.y_min, pen_);
      path.x_max = snapped(path.x_max, pen_);
      path.y_max = snapped(path.y_max, pen_);
      if (is_good(path)) paths_.push_back(path);
    }
    return paths_;
  }

  // Middle line of the pen.
  Box box_of(const Path& path) const {
    double before = 0.5, after = 0.5;  // OpenCV, and odd widths: the middle of the pixel
    if (pen_ == Pen::inwards) {
      before = width_ / 2.0;
      after = 1 - width_ / 2.0;
    } else if (pen_ == Pen::centred) {
      before = after = width_ % 2 ? 0.5 : 0;
    } else if (pen_ == Pen::anti_aliased) {
      before = after = 0;
    }
    const double width = size_.width, height = size_.height;
    return {std::clamp(path.x_min + before, 0.0, width), std::clamp(path.y_min + before, 0.0, height),
            std::clamp(path.x_max + after, 0.0, width), std::clamp(path.y_max + after, 0.0, height)};
  }

  void draw(cv::Mat& image, const Path& path, const cv::Scalar& colour) const {
    const cv::Point low(int(path.x_min), int(path.y_min)), high(int(path.x_max), int(path.y_max));
    switch (pen_) {
      case Pen::opencv:
        cv::rectangle(image, low, high, colour, width_);
        return;
      case Pen::inwards:
        for (int i = 0; i < width_; ++i)
          cv::rectangle(image, low + cv::Point(i, i), high - cv::Point(i, i), colour, 1);
        return;
      case Pen::centred:
        for (int i = 0; i < width_; ++i) {
          const cv::Point step(i - width_ / 2, i - width_ / 2);
          cv::rectangle(image, low + step, high - step - cv::Point(width_ % 2 ? 0 : 1, width_ % 2 ? 0 : 1),
                        colour, 1);
        }
        return;
      case Pen::anti_aliased:
        draw_between_pixels(image, path, colour);
        return;
    }
  }

 private:
  bool chance(double probability) { return random_.uniform(0.0, 1.0) < probability; }
  double side() { return std::exp(random_.uniform(std::log(smallest), std::log(300.0))); }

  Path sized(double x, double y, const char* relation) {
    const double width = side(), aspect = std::exp(random_.uniform(-std::log(4.0), std::log(4.0)));
    return {x, y, x + width, y + std::clamp(width * aspect, smallest, 300.0), relation};
  }

  Path somewhere() {
    Path path = sized(0, 0, "alone");
    const double width = path.x_max, height = path.y_max;
    double x = random_.uniform(0.0, std::max(1.0, size_.width - width)),
           y = random_.uniform(0.0, std::max(1.0, size_.height - height));
    if (chance(0.15)) {
      path.relation = "border";
      const bool both = chance(0.3);
      if (both || chance(0.5))
        x = chance(0.5) ? -random_.uniform(0.1, 0.7) * width
                        : size_.width - random_.uniform(0.3, 0.9) * width;
      else
        y = chance(0.5) ? -random_.uniform(0.1, 0.7) * height
                        : size_.height - random_.uniform(0.3, 0.9) * height;
      if (both)
        y = chance(0.5) ? -random_.uniform(0.1, 0.7) * height
                        : size_.height - random_.uniform(0.3, 0.9) * height;
    }
    return {x, y, x + width, y + height, path.relation};
  }

  Path related(const Path& other) {
    const double width = other.x_max - other.x_min, height = other.y_max - other.y_min;
    const bool lies_over = chance(share_lying_over);
    switch (lies_over ? random_.uniform(4, 7) : random_.uniform(0, 4)) {
      case 0: {  // beside it, the same side drawn twice
        Path path = sized(other.x_max, other.y_min + random_.uniform(-0.5, 0.5) * height, "shared side");
        return path;
      }
      case 1:
        return {other.x_min, other.y_max, other.x_max, other.y_max + std::clamp(side(), smallest, 300.0),
                "whole side shared"};
      case 2:
        return sized(other.x_max, other.y_max, "shared corner");
      case 3:
        return sized(other.x_max + width_ + random_.uniform(-1, 3),
                     other.y_min + random_.uniform(-0.5, 0.5) * height, "touching");
      case 4: {
        const double by = random_.uniform(width_ + 3.0, 20.0);
        return {other.x_min + by, other.y_min + random_.uniform(width_ + 3.0, 20.0), other.x_max - by,
                other.y_max - random_.uniform(width_ + 3.0, 20.0), "nested"};
      }
      case 5:
        return sized(other.x_min + random_.uniform(0.2, 0.8) * width,
                     other.y_min + random_.uniform(0.2, 0.8) * height, "overlapping");
      default: {
        const double x = other.x_min - random_.uniform(0.1, 0.5) * width,
                     y = other.y_min + random_.uniform(0.2, 0.4) * height;
        return {x, y, other.x_max + random_.uniform(0.1, 0.5) * width, y + random_.uniform(0.3, 0.4) * height,
                "crossing"};
      }
    }
  }

  bool is_good(const Path& path) const {
    const double width = path.x_max - path.x_min, height = path.y_max - path.y_min;
    const double most = std::min({300.0, 0.8 * size_.width, 0.8 * size_.height});
    if (std::min(width, height) < smallest || std::max(width, height) > most ||
        std::max(width, height) > 4 * std::min(width, height))
      return false;
    const Box box = box_of(path);
    // A hole of some pixels must be left, and enough of what the border cuts.
    if (std::min(box.width(), box.height()) < std::max(12, width_ + 4)) return false;
    // Nobody can tell a rectangle that shares three sides with one around it from one beside it.
    const auto as_three_sides = [&](const Path& other) {
      const Box o = box_of(other);
      const auto near = [](double a, double b) { return std::abs(a - b) < 2; };
      return int(near(o.x_min, box.x_min)) + int(near(o.x_max, box.x_max)) + int(near(o.y_min, box.y_min)) +
                 int(near(o.y_max, box.y_max)) >=
             3;
    };
    // Cells may lie over each other, but no two are in one place; and a box within another is one by intent.
    const bool may_cover =
        path.relation == "nested" || path.relation == "crossing" || path.relation == "overlapping";
    return std::none_of(paths_.begin(), paths_.end(), [&](const Path& other) {
      return as_three_sides(other) || overlap(box_of(other), box) > (may_cover ? 0.5 : 0.2);
    });
  }

  void draw_between_pixels(cv::Mat& image, const Path& path, const cv::Scalar& colour) const {
    const double half = width_ / 2.0;
    const auto inside = [](double from, double to, int pixel) {
      return std::max(0.0, std::min(to, pixel + 1.0) - std::max(from, double(pixel)));
    };
    for (int y = std::max(0, int(path.y_min - half) - 1);
         y < std::min(image.rows, int(path.y_max + half) + 2); ++y) {
      for (int x = std::max(0, int(path.x_min - half) - 1);
           x < std::min(image.cols, int(path.x_max + half) + 2); ++x) {
        const double outer =
            inside(path.x_min - half, path.x_max + half, x) * inside(path.y_min - half, path.y_max + half, y);
        const double hole =
            inside(path.x_min + half, path.x_max - half, x) * inside(path.y_min + half, path.y_max - half, y);
        auto& pixel = image.at<cv::Vec3b>(y, x);
        for (int c = 0; c < 3; ++c)
          pixel[c] = cv::saturate_cast<std::uint8_t>(pixel[c] + (outer - hole) * (colour[c] - pixel[c]));
      }
    }
  }

  cv::Size size_;
  Pen pen_;
  int width_;
  cv::RNG& random_;
  std::vector<Path> paths_;
};

cv::Mat through_jpeg(const cv::Mat& rgb, int quality) {
  cv::Mat bgr, decoded;
  cv::cvtColor(rgb, bgr, cv::COLOR_RGB2BGR);
  std::vector<std::uint8_t> bytes;
  cv::imencode(".jpg", bgr, bytes, {cv::IMWRITE_JPEG_QUALITY, quality});
  cv::cvtColor(cv::imdecode(bytes, cv::IMREAD_COLOR), decoded, cv::COLOR_BGR2RGB);
  return decoded;
}

}  // namespace

DrawnSmear draw_into(const cv::Mat& smear, unsigned seed, int width, int quality) {
  cv::RNG random(seed);
  for (int i = 0; i < 8; ++i) random.next();
  DrawnSmear result;
  result.pen = Pen(random.uniform(0, 4));
  result.width = width;
  result.quality = quality;
  result.unlabelled = through_jpeg(smear, random.uniform(60, 96));
  const bool on_copy = random.uniform(0, 2) == 0;
  cv::Mat drawn = on_copy ? result.unlabelled.clone() : smear.clone();
  Drawing drawing(smear.size(), result.pen, width, random);
  const int most = std::clamp(int(smear.total() / 15000), 1, 20);
  const cv::Scalar colour = cv::Scalar::all(random.uniform(0, 41));
  for (const Path& path : drawing.make(random.uniform(1, most + 1))) {
    drawing.draw(drawn, path, colour);
    result.rectangles.push_back({drawing.box_of(path), path.relation});
  }
  result.labelled = through_jpeg(drawn, quality);
  return result;
}

double overlap(const Box& a, const Box& b) {
  const double width = std::min(a.x_max, b.x_max) - std::max(a.x_min, b.x_min);
  const double height = std::min(a.y_max, b.y_max) - std::max(a.y_min, b.y_min);
  if (width <= 0 || height <= 0) return 0;
  return width * height / (a.area() + b.area() - width * height);
}

std::vector<int> match(const std::vector<DrawnRectangle>& drawn, const std::vector<Box>& found) {
  struct Pair {
    double overlap;
    std::size_t drawn, found;
  };
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    for (std::size_t k = 0; k < found.size(); ++k) {
      const double both = overlap(drawn[i].box, found[k]);
      if (both >= 0.9) pairs.push_back({both, i, k});
    }
  }
  std::sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) { return a.overlap > b.overlap; });
  std::vector<int> partner(drawn.size(), -1);
  std::vector<bool> taken(found.size());
  for (const Pair& pair : pairs) {
    if (partner[pair.drawn] >= 0 || taken[pair.found]) continue;
    partner[pair.drawn] = int(pair.found);
    taken[pair.found] = true;
  }
  return partner;
}

}  // namespace smearscope::testing
