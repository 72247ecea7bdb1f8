// How far the stage moved the picture between one frame and the next, by phase correlation.
#pragma once

#include <opencv2/core.hpp>

#include "smearscope/frame.h"

namespace smearscope {

// Pixels of the frame; positive x: what is in the picture moved right, positive y: down.
struct Shift {
  double x = 0;
  double y = 0;
};

// Phase correlation (Kuglin and Hines, 1975) of small grey copies, with the spectrum's weak frequencies
// damped, so that neither sensor noise nor defocus hides the peak; then image registration (Lucas and Kanade,
// 1981) for the parts of a pixel. Each frame is compared with a key frame some way back, not with the one
// before, so that small errors don't add up while the stage creeps. Measures translation alone, up to about a
// third of the frame's side per frame. Host memory only. One thread at a time.
class MotionEstimator {
 public:
  // Shift of the picture since the previous call; none if there is nothing to compare with (first frame,
  // after reset, a new frame size, a small copy under 32 pixels). A cut to another picture gives some shift
  // without meaning; lost() tells.
  Shift update(const Frame& frame);
  void reset();

  // Even moved by what update found last, the picture differs from the key frame: a cut, a leap of the stage,
  // another focus; not another light. False where update had nothing to compare with.
  bool lost() const { return lost_; }

 private:
  bool key_is_left() const;
  bool is_unlike_key() const;
  void become_key();

  int frame_width_ = 0;
  int frame_height_ = 0;
  cv::Mat window_;
  cv::Mat key_picture_, key_spectrum_;  // both empty: nothing to compare with
  cv::Point2d since_key_;               // shift of the last frame from the key frame, small pixels
  bool lost_ = false;
  cv::Mat picture_, spectrum_, cross_, correlation_, windowed_;
};

}  // namespace smearscope
