// The white cell or platelet in the middle of a picture of a stained smear (May-Gruenwald-Giemsa, Wright),
// and the others around it. Safe to call from several threads at once.
#pragma once

#include <opencv2/core/mat.hpp>
#include <optional>
#include <vector>

#include "corpus/records.h"

namespace smearscope::corpus {

// What is known of the cell in the middle.
struct CellHint {
  // Least stain (optical density, beyond that of red cells) that is the cell's: 0.08 takes in the palest
  // cytoplasm, 0.3 leaves out the pink veil that the granules of basophils spread about them when they
  // dissolve.
  double faintest = 0.08;
  // Its cytoplasm may have the colour of red cells (erythroblasts, which are on the way to be some).
  bool red_cytoplasm = false;
};

struct StainedCells {
  std::optional<Box> central;  // the whole cell with its cytoplasm; none if it could not be told from what is
                               // around it
  std::vector<Box> others;  // other white cells and platelets, whole or cut by the edge, from left to right
};

// Finds them in an 8-bit RGB picture of about five red cells across, of any size. A cell is what holds
// together around a nucleus (or a platelet's granules) and is stained otherwise than the red cells of the
// same picture. Cells that touch are cut apart at the neck between them.
StainedCells find_stained_cells(const cv::Mat& rgb, const CellHint& hint = {});

}  // namespace smearscope::corpus
