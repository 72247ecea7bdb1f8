// Whether a frame is in focus, beside the frames before it.
#pragma once

#include <deque>

#include "smearscope/frame.h"

namespace smearscope {

// How a frame's middle looks after a slight blur that takes the sensor's noise away. Host memory only.
struct Sharpness {
  double edges = 0;     // mean square of the Laplacian over the variance of brightness: no unit
  double energy = 0;    // the former of these alone, in grey levels squared
  double contrast = 0;  // standard deviation of brightness, grey levels
  int background = 0;   // grey level above which a tenth of the picture is: the light that cells lie in
};
Sharpness sharpness_of(const Frame& frame);

// Below this background many cells are missed: of BCCD's and TXL-PBC's 0.86 are found at 102, 0.72 at 81,
// 0.42 at 61, and 0.96 in their own light (docs/performance.md).
inline constexpr int dark_background = 96;

enum class Focus {
  sharp,
  blurred,
  blank,  // too little contrast to tell: no cells, or no light
};

// One stream's. One thread at a time.
class FocusGate {
 public:
  // A frame with less than `least` (0..1) of the edges of the sharpest so far is blurred, as is one with less
  // than 0.06 of their energy: far out of focus noise is all that is left. One with a contrast below 4 is
  // blank. What the sharpest was fades, by half in some 460 frames; up to four frames of noise among fifteen
  // don't count. With `least` 0 all frames are sharp.
  Focus judge(const Sharpness& now, double least);
  Focus judge(const Frame& frame, double least) { return judge(sharpness_of(frame), least); }
  void reset();

 private:
  std::deque<Sharpness> last_;  // of the last frames that were not blank
  double best_edges_ = 0, best_energy_ = 0;
};

}  // namespace smearscope
