// What celldetect does to one stream's frames: frame in, cells to attach out.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "cell_meta.h"
#include "detection/class_filter.h"
#include "detection/live_detector.h"
#include "smearscope/detector.h"

namespace smearscope {

// Which detections are kept. What is not set is the model's own choice.
struct Selection {
  std::optional<double> score;  // 0..1, see Thresholds
  std::optional<double> nms;    // 0..1
  Naming naming;
  std::optional<int> max_detections;  // per frame, best first, after `classes`
  std::string classes;                // see ClassFilter
};

struct DetectionStats {
  std::uint64_t frames_detected = 0;
  std::uint64_t frames_skipped = 0;  // passed without a detection of their own
  double last_ms = 0;  // wall-clock time of the last detection, waiting for a shared engine included
};

// go_live, live, process and reset are for one thread at a time (the streaming thread); the others for
// any.
class CellDetector {
 public:
  // Throws Error if `selection` names a class that the model lacks.
  CellDetector(std::shared_ptr<Detector> detector, const Selection& selection);

  // At first each frame is detected before process returns; from here on frames pass at once, see
  // LiveDetector.
  void go_live();
  bool live() const { return live_ != nullptr; }

  // Takes effect with the next detection. Throws Error, and changes nothing, on a class that the model lacks.
  void select(const Selection& selection);

  // From the next detection on, this detector finds the cells, and this is the selection; a detection under
  // way ends with the old ones. In live mode cells already found keep their motion and age until the new
  // detector has found its own. Returns the old detector; see wait_for. Throws Error, and changes nothing, on
  // a class that the new model lacks.
  std::shared_ptr<Detector> swap(std::shared_ptr<Detector> detector, const Selection& selection);

  // Waits for the detection under way, if it is by this detector. Who keeps the old detector until then
  // releases it himself, and not the streaming thread, where freeing a network would delay a frame.
  void wait_for(const Detector& detector);

  // Cells in pixels of the frame, inside it. Throws Error if detection fails, and, once live, on a frame that
  // is not in host memory: motion is measured there.
  Findings process(const Frame& frame);

  void reset();  // the next frame belongs to another stream
  DetectionStats stats() const;
  std::shared_ptr<Detector> detector() const;  // of the next detection
  std::string classes() const;                 // likewise, of its selection

 private:
  // What one detection works with, as a whole.
  struct Setup {
    Setup(std::shared_ptr<Detector> detector, const Selection& selection);
    const ModelInfo& info() const { return detector->model().info(); }
    const std::string& family_of(int label) const;  // name of the class that it is a kind of, in the end

    std::shared_ptr<Detector> detector;
    Selection selection;
    ClassFilter filter;
    std::vector<bool> weak;  // by label
  };
  class Running;  // a detection under way

  Findings detect(const Frame& frame);

  mutable std::mutex mutex_;              // guards these; detect runs on the live worker too
  std::shared_ptr<const Setup> setup_;    // of the next detection
  std::shared_ptr<const Setup> running_;  // of the one under way, if any
  std::condition_variable ended_;         // running_ became empty
  std::uint64_t detected_ = 0;
  double last_ms_ = 0;

  std::unique_ptr<LiveDetector> live_;  // last: its worker uses all above
};

}  // namespace smearscope
