#include "report/mqtt_outbox.h"

#include <utility>

namespace smearscope {
namespace {

constexpr std::size_t most_frames = 64;  // two seconds: what is older is no news to who watches live
constexpr std::size_t most_bytes = 4 << 20;
constexpr std::size_t most_warnings = 16;  // where nobody takes them

using Lock = std::lock_guard<std::mutex>;

}  // namespace

void MqttOutbox::set_tally(std::string json) {
  const Lock lock(mutex_);
  if (deadline_) return;
  tally_ = std::move(json);
  tally_waits_ = true;
  wake_up_.ring();
}

void MqttOutbox::add_frame(std::string json) {
  const Lock lock(mutex_);
  if (deadline_) return;
  bytes_ += json.size();
  frames_.push_back(std::move(json));
  for (; frames_.size() > most_frames || bytes_ > most_bytes; ++dropped_) {
    bytes_ -= frames_.front().size();
    frames_.pop_front();
  }
  wake_up_.ring();
}

std::uint64_t MqttOutbox::frames_dropped() const {
  const Lock lock(mutex_);
  return dropped_;
}

std::vector<std::string> MqttOutbox::take_warnings() {
  const Lock lock(mutex_);
  return std::exchange(warnings_, {});
}

void MqttOutbox::close(Clock::time_point deadline) {
  const Lock lock(mutex_);
  deadline_ = deadline;
  changed_.notify_all();
  wake_up_.ring();
}

bool MqttOutbox::wait_for_finish(Clock::time_point time) {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, time, [&] { return finished_; });
}

bool MqttOutbox::give_up() {
  const Lock lock(mutex_);
  dropped_ += frames_.size();
  frames_.clear();
  bytes_ = 0;
  return !std::exchange(tally_waits_, false);
}

std::optional<std::string> MqttOutbox::take_tally() {
  const Lock lock(mutex_);
  if (!std::exchange(tally_waits_, false)) return std::nullopt;
  return tally_;
}

std::optional<std::string> MqttOutbox::take_frame() {
  const Lock lock(mutex_);
  if (frames_.empty()) return std::nullopt;
  std::string frame = std::move(frames_.front());
  frames_.pop_front();
  bytes_ -= frame.size();
  return frame;
}

void MqttOutbox::return_tally() {
  const Lock lock(mutex_);
  tally_waits_ = !tally_.empty();
}

bool MqttOutbox::waiting() const {
  const Lock lock(mutex_);
  return tally_waits_ || !frames_.empty();
}

bool MqttOutbox::closed() const {
  const Lock lock(mutex_);
  return deadline_.has_value();
}

bool MqttOutbox::expired() const {
  const Lock lock(mutex_);
  return deadline_ && Clock::now() >= *deadline_;
}

void MqttOutbox::wait_for_close(Clock::duration limit) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, limit, [&] { return deadline_.has_value(); });
}

void MqttOutbox::warn(const std::string& line) {
  const Lock lock(mutex_);
  if (warnings_.size() < most_warnings) warnings_.push_back(line);
}

void MqttOutbox::finish() {
  const Lock lock(mutex_);
  finished_ = true;
  changed_.notify_all();
}

}  // namespace smearscope
