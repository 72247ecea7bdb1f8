// Smears with rectangles drawn into them, as somebody who labels cells in a drawing program leaves them.
#pragma once

#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "corpus/records.h"

namespace smearscope::testing {

// How a program draws the outline of a rectangle with a wide pen.
enum class Pen {
  opencv,       // cv::rectangle: centred, rounded corners, even widths one wider
  inwards,      // Pillow: within the rectangle
  centred,      // Paint, ImageJ: centred, square corners
  anti_aliased  // a vector program: anywhere between pixels
};

struct DrawnRectangle {
  corpus::Box box;       // middle line of the pen, clipped to the picture
  std::string relation;  // to another one or to the border: "alone", "nested", ...
};

struct DrawnSmear {
  cv::Mat unlabelled, labelled;  // 8-bit RGB, as decoded from JPEG
  std::vector<DrawnRectangle> rectangles;
  Pen pen = Pen::opencv;
  int width = 0, quality = 0;  // of the pen; of the labelled JPEG
};

// Draws up to 20 rectangles into `smear` (8-bit RGB), all that is random following from `seed`.
// Sides are of 20 to 300 pixels. No two overlap with an IoU above 0.2, or 0.5 where one is meant to lie over
// another; none shares three sides with another.
DrawnSmear draw_into(const cv::Mat& smear, unsigned seed, int width, int quality);

double overlap(const corpus::Box& a, const corpus::Box& b);  // intersection over union

// For each drawn rectangle the index of the found box that overlaps it by 0.9 or more, or -1; the best pairs
// first, each found box once.
std::vector<int> match(const std::vector<DrawnRectangle>& drawn, const std::vector<corpus::Box>& found);

}  // namespace smearscope::testing
