// Many cameras, one detector: do detections keep up?
#pragma once

#include <string>
#include <vector>

#include "smearscope/detector.h"

namespace smearscope::bench {

// Each brings a frame every 1 / rate seconds; their clocks are spread evenly over that time.
struct Cameras {
  int count = 0;
  double rate = 30, seconds = 10;
};

// A frame is late if its detections come when the same camera's next frame is due, or later. Frames that the
// detector has not taken up when the time is up twice over are late and have no delay.
struct StreamResult {
  std::vector<double> delays;  // milliseconds from when a frame was due to its detections
  std::size_t frames = 0, late = 0;
  std::string device, precision;  // of the detector
};

// One thread per camera. Throws what detect throws.
StreamResult run_cameras(Detector& detector, const Frame& frame, const Cameras& cameras);

std::string table(const Cameras& cameras, const StreamResult& result);
std::string json(const Cameras& cameras, const StreamResult& result);

}  // namespace smearscope::bench
