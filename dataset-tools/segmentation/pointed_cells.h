// Boxes of the red cells that points name, in a picture of a blood smear.
#pragma once

#include <opencv2/core.hpp>
#include <optional>
#include <vector>

#include "corpus/records.h"

namespace smearscope::corpus {

struct PointedCells {
  struct Cell {
    Box box;           // tight around the whole cell, also where another lies over it; inside the picture
    BoxOrigin origin;  // segmented; or fallback: a square of the usual size around the point
  };
  std::vector<Cell> cells;         // one for each point, in their order
  std::vector<Box> unpointed;      // cells, or heaps of them, that no point names; also white cells, and dirt
                                   // of a cell's size
  std::optional<double> diameter;  // of the picture's red cells, pixels, as of red_cell_diameter
};

// In an 8-bit RGB picture of any size. `points`: pixels, continuous coordinates, inside the picture, each
// somewhere in its cell or close to it; cells may be without a point. A cell that stands alone is what the
// foreground has there; among others, it is what its outline encloses (cell_outline.h). Two points in what
// looks like one cell are two cells that overlap (18 such of Chula RBC-12 were looked at; all are). A point
// beside a cell is that cell's, unless it has one of its own.
//
// The result depends on nothing else, not even the order of the points. Safe to call from several threads at
// once.
PointedCells find_pointed_cells(const cv::Mat& rgb, const std::vector<cv::Point2d>& points);

}  // namespace smearscope::corpus
