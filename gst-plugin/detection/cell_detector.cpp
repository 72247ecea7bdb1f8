#include "detection/cell_detector.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace smearscope {
namespace {

double milliseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

Thresholds thresholds_of(const Selection& selection, const ModelInfo& model) {
  Thresholds thresholds = model.thresholds;
  thresholds.score = selection.score.value_or(thresholds.score);
  thresholds.nms = selection.nms.value_or(thresholds.nms);
  thresholds.max_detections = selection.max_detections.value_or(thresholds.max_detections);
  return thresholds;
}

// How many detections to ask for, so that those of unwanted classes and second names of a cell don't use up
// the limit.
int candidates(bool all_classes, double agnostic_nms, const ModelInfo& model, int limit) {
  constexpr int names_of_a_cell = 5;  // hardly ever more above a useful score threshold
  const int all = model.architecture.rpn_post_nms_top_n * static_cast<int>(model.classes.size());
  if (!all_classes) return std::max(limit, all);
  return agnostic_nms < 1 ? std::max(limit, std::min(limit, all / names_of_a_cell) * names_of_a_cell) : limit;
}

}  // namespace

CellDetector::Setup::Setup(std::shared_ptr<Detector> detector, const Selection& selection)
    : detector(std::move(detector)), selection(selection), filter(selection.classes, info()) {
  for (std::size_t label = 0; label < info().classes.size(); ++label)
    weak.push_back(is_weak(info(), static_cast<int>(label)));
}

const std::string& CellDetector::Setup::family_of(int label) const {
  auto at = static_cast<std::size_t>(label);
  while (!info().parents.empty() && info().parents.at(at) >= 0)
    at = static_cast<std::size_t>(info().parents[at]);
  return info().classes.at(at);
}

// Holds the setup in `running_` as long as it lives.
class CellDetector::Running {
 public:
  explicit Running(CellDetector& owner) : owner_(owner) {
    const std::lock_guard<std::mutex> lock(owner_.mutex_);
    owner_.running_ = owner_.setup_;
  }
  ~Running() {
    const std::lock_guard<std::mutex> lock(owner_.mutex_);
    owner_.running_.reset();
    owner_.ended_.notify_all();
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  const Setup& setup() const { return *owner_.running_; }  // only this object changes running_

 private:
  CellDetector& owner_;
};

CellDetector::CellDetector(std::shared_ptr<Detector> detector, const Selection& selection)
    : setup_(std::make_shared<Setup>(std::move(detector), selection)) {}

void CellDetector::go_live() {
  if (live_) return;
  auto live = std::make_unique<LiveDetector>([this](const Frame& frame) { return detect(frame); });
  const std::lock_guard<std::mutex> lock(mutex_);
  live_ = std::move(live);
}

void CellDetector::select(const Selection& selection) {
  const std::lock_guard<std::mutex> lock(mutex_);
  setup_ = std::make_shared<Setup>(setup_->detector, selection);
}

std::shared_ptr<Detector> CellDetector::swap(std::shared_ptr<Detector> detector, const Selection& selection) {
  std::shared_ptr<const Setup> setup = std::make_shared<Setup>(std::move(detector), selection);
  const std::lock_guard<std::mutex> lock(mutex_);
  std::swap(setup_, setup);
  return setup->detector;
}

void CellDetector::wait_for(const Detector& detector) {
  std::unique_lock<std::mutex> lock(mutex_);
  ended_.wait(lock, [&] { return !running_ || running_->detector.get() != &detector; });
}

std::shared_ptr<Detector> CellDetector::detector() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return setup_->detector;
}

std::string CellDetector::classes() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return setup_->selection.classes;
}

Findings CellDetector::process(const Frame& frame) {
  if (live_ && frame.memory != MemoryKind::host) {
    throw Error(
        "mode latest needs frames in host memory, and these come in CUDA memory; set mode=every, or put "
        "cudadownload before this element");
  }
  return live_ ? live_->process(frame) : detect(frame);
}

void CellDetector::reset() {
  if (live_) live_->reset();
}

DetectionStats CellDetector::stats() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return {detected_, live_ ? live_->counts().skipped : 0, last_ms_};
}

Findings CellDetector::detect(const Frame& frame) {
  const Running running(*this);
  const Setup& setup = running.setup();
  const ModelInfo& info = setup.info();

  Thresholds thresholds = thresholds_of(setup.selection, info);
  const auto limit = static_cast<std::size_t>(thresholds.max_detections);
  thresholds.max_detections = candidates(setup.filter.keeps_all(), setup.selection.naming.agnostic_nms, info,
                                         thresholds.max_detections);
  const auto start = std::chrono::steady_clock::now();
  // A cell whose best name is of an unwanted class does not come back under its second.
  const Detections detections = find_cells(*setup.detector, frame, thresholds, setup.selection.naming);
  const double elapsed_ms = milliseconds_since(start);

  Findings found{{}, {setup.detector->model().digest(), 0}};
  if (const auto known = known_red_cells(info, frame.width, frame.height)) {
    found.origin.least_red_cell = (*known)[0];
    found.origin.largest_red_cell = (*known)[1];
  }
  for (const Detection& detection : detections) {
    if (found.cells.size() == limit) break;
    if (!setup.filter.keeps(detection.label)) continue;
    found.cells.push_back({detection.box, detection.score, detection.label,
                           info.classes.at(static_cast<std::size_t>(detection.label)), 0,
                           setup.family_of(detection.label)});
    found.cells.back().weak = setup.weak.at(static_cast<std::size_t>(detection.label));
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  ++detected_;
  last_ms_ = elapsed_ms;
  return found;
}

}  // namespace smearscope
