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

// More than any frame can have: the limit is then ours to apply.
int all_detections(const ModelInfo& model) {
  return model.architecture.rpn_post_nms_top_n * static_cast<int>(model.classes.size());
}

}  // namespace

CellDetector::CellDetector(std::shared_ptr<Detector> detector, const Selection& selection)
    : detector_(std::move(detector)),
      selection_(selection),
      filter_(selection.classes, model().info().classes) {}

void CellDetector::go_live() {
  if (live_) return;
  auto live = std::make_unique<LiveDetector>([this](const Frame& frame) { return detect(frame); });
  const std::lock_guard<std::mutex> lock(mutex_);
  live_ = std::move(live);
}

void CellDetector::select(const Selection& selection) {
  ClassFilter filter(selection.classes, model().info().classes);
  const std::lock_guard<std::mutex> lock(mutex_);
  selection_ = selection;
  filter_ = std::move(filter);
}

std::vector<Cell> CellDetector::process(const Frame& frame) {
  return live_ ? live_->process(frame) : detect(frame);
}

void CellDetector::reset() {
  if (live_) live_->reset();
}

DetectionStats CellDetector::stats() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return {detected_, live_ ? live_->counts().skipped : 0, last_ms_};
}

std::vector<Cell> CellDetector::detect(const Frame& frame) {
  const ModelInfo& info = model().info();
  std::unique_lock<std::mutex> lock(mutex_);
  const ClassFilter filter = filter_;
  Thresholds thresholds = thresholds_of(selection_, info);
  lock.unlock();

  // Cells of unwanted classes must not use up the limit.
  const auto limit = static_cast<std::size_t>(thresholds.max_detections);
  if (!filter.keeps_all())
    thresholds.max_detections = std::max(thresholds.max_detections, all_detections(info));
  const auto start = std::chrono::steady_clock::now();
  const Detections detections = detector_->detect({frame}, thresholds).at(0);
  const double elapsed_ms = milliseconds_since(start);

  std::vector<Cell> cells;
  for (const Detection& detection : detections) {
    if (cells.size() == limit) break;
    if (!filter.keeps(detection.label)) continue;
    cells.push_back({detection.box, detection.score, detection.label,
                     info.classes.at(static_cast<std::size_t>(detection.label)), 0});
  }
  lock.lock();
  ++detected_;
  last_ms_ = elapsed_ms;
  return cells;
}

}  // namespace smearscope
