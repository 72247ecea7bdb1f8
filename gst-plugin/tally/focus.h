// Whether a frame is in focus, beside the frames before it.
#pragma once

#include <deque>

#include "smearscope/frame.h"

namespace smearscope {

// How sharp a frame's middle is: the mean square of its Laplacian over the variance of its brightness, both
// after a slight blur that takes the sensor's noise away. Has no unit and grows with sharpness; negative
// where there is too little contrast to tell. Host memory only.
double sharpness_of(const Frame& frame);

// One stream's. One thread at a time.
class FocusGate {
 public:
  // True if the frame has at least `least` (0..1) of the sharpness of the sharpest so far, or can't be told.
  // How sharp that was fades, by half in some 460 frames; one or two frames of noise in a row don't count.
  bool is_sharp(const Frame& frame, double least);
  void reset();

 private:
  std::deque<double> last_;  // sharpness of the last frames
  double best_ = 0;
};

}  // namespace smearscope
