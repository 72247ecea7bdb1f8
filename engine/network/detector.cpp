#include "smearscope/detector.h"

#include <algorithm>
#include <mutex>
#include <new>
#include <utility>

#include "network/backend.h"
#include "network/call_batcher.h"

namespace smearscope {
namespace {

constexpr int most_threads = 1024;
constexpr int largest_batch = 256;
constexpr const char* too_large =
    "not enough memory to detect in these frames; use smaller ones, or a model with a smaller max_side";

std::unique_ptr<Backend> make_backend(const Model& model, const DetectorOptions& options) {
  check_options(options);
  if (options.device.kind == Device::Kind::cuda)
    return make_cuda_backend(model, options.device,
                             options.precision == Precision::automatic ? Precision::f32 : options.precision);
  return make_cpu_backend(model, options.precision, options.threads);
}

void check_thresholds(const Thresholds& thresholds) {
  const auto is_fraction = [](double value) { return value >= 0 && value <= 1; };
  if (!is_fraction(thresholds.score))
    throw Error("score threshold is " + std::to_string(thresholds.score) + "; it must be 0 to 1");
  if (!is_fraction(thresholds.nms))
    throw Error("NMS threshold is " + std::to_string(thresholds.nms) + "; it must be 0 to 1");
  if (thresholds.max_detections < 1)
    throw Error("at most " + std::to_string(thresholds.max_detections) +
                " detections asked for; ask for 1 or more");
}

// Jobs that can run together: one padded input size, at most the backend's batch.
struct Group {
  ops::Size padded;
  std::vector<DetectionJob> jobs;
};

std::vector<Group> group_by_size(const std::vector<DetectionJob>& jobs, int max_batch) {
  std::vector<Group> groups;
  for (const DetectionJob& job : jobs) {
    const ops::Size padded = ops::padded_size(job.resized);
    const auto fits = [&](const Group& group) {
      return group.padded == padded && static_cast<int>(group.jobs.size()) < max_batch;
    };
    auto group = std::find_if(groups.begin(), groups.end(), fits);
    if (group == groups.end()) group = groups.insert(groups.end(), {padded, {}});
    group->jobs.push_back(job);
  }
  return groups;
}

}  // namespace

std::string why_no_cuda(int index) {
  try {
    check_cuda_device(index);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

void check_options(const DetectorOptions& options) {
  if (options.threads < 0 || options.threads > most_threads)
    throw Error(std::to_string(options.threads) + " threads asked for; use 0 for all cores, or 1 to " +
                std::to_string(most_threads));
  if (options.max_batch < 1 || options.max_batch > largest_batch)
    throw Error("batches of " + std::to_string(options.max_batch) + " frames asked for; use 1 to " +
                std::to_string(largest_batch));
  if (!(options.batch_wait_ms >= 0 && options.batch_wait_ms <= 1000))
    throw Error("a wait of " + std::to_string(options.batch_wait_ms) +
                " ms for a batch asked for; use 0 to 1000");
}

Device resolve(const Device& device) {
  if (device.kind != Device::Kind::automatic) return device;
  return why_no_cuda().empty() ? Device::cuda() : Device::cpu();
}

struct Detector::State {
  void run(const std::vector<DetectionJob>& jobs, const Thresholds& thresholds);
  std::unique_ptr<FrameUpload> upload(const Frame& frame) const;

  std::shared_ptr<const Model> model;
  DetectorOptions options;
  std::unique_ptr<Backend> backend;
  mutable std::mutex mutex;  // guards times
  StageTimes times;
  std::unique_ptr<CallBatcher> batcher;
};

// By one thread at a time.
void Detector::State::run(const std::vector<DetectionJob>& jobs, const Thresholds& thresholds) {
  StageTimes taken;
  try {
    for (const Group& group : group_by_size(jobs, backend->max_batch()))
      backend->detect(group.jobs, group.padded, thresholds, taken);
  } catch (const std::bad_alloc&) {
    throw Error(too_large);
  }
  const std::lock_guard<std::mutex> lock(mutex);
  times = taken;
}

std::unique_ptr<FrameUpload> Detector::State::upload(const Frame& frame) const {
  try {
    return backend->upload(frame);
  } catch (const std::bad_alloc&) {
    throw Error(too_large);
  }
}

Detector::Detector(std::shared_ptr<const Model> model, const DetectorOptions& options)
    : state_(std::make_unique<State>()) {
  if (!model) throw Error("no model given to the detector; load one with Model::load");
  state_->options = options;
  state_->options.device = resolve(options.device);
  try {
    state_->backend = make_backend(*model, state_->options);
  } catch (const std::bad_alloc&) {
    throw Error(model->path() + ": not enough memory for its network");
  }
  state_->options.precision = state_->backend->precision();
  state_->batcher = std::make_unique<CallBatcher>(
      [state = state_.get()](const auto& jobs, const auto& thresholds) { state->run(jobs, thresholds); },
      options.max_batch, std::chrono::duration<double, std::milli>(options.batch_wait_ms));
  state_->model = std::move(model);
}

Detector::~Detector() = default;

std::vector<Detections> Detector::detect(const std::vector<Frame>& frames,
                                         const std::optional<Thresholds>& thresholds) {
  const Thresholds& used = thresholds ? *thresholds : state_->model->info().thresholds;
  check_thresholds(used);
  std::vector<Detections> found(frames.size());
  std::vector<DetectionJob> jobs;
  std::vector<std::unique_ptr<FrameUpload>> uploads;  // of the first batch, beside another call's detection
  for (std::size_t i = 0; i < frames.size(); ++i) {
    ops::check_frame(frames[i]);
    if (!state_->backend->accepts(frames[i].memory))
      throw Error("the frame lies in memory that device " + state_->options.device.to_string() +
                  " can't read; download it first");
    const ops::Size size{frames[i].width, frames[i].height};
    std::unique_ptr<FrameUpload> upload;
    if (i < static_cast<std::size_t>(state_->backend->max_batch())) upload = state_->upload(frames[i]);
    jobs.push_back(
        {&frames[i], ops::resized_size(size, state_->model->info().transform), &found[i], upload.get()});
    if (upload) uploads.push_back(std::move(upload));
  }
  if (!jobs.empty()) state_->batcher->call(std::move(jobs), used);
  return found;
}

const Model& Detector::model() const {
  return *state_->model;
}
const DetectorOptions& Detector::options() const {
  return state_->options;
}

StageTimes Detector::last_times() const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->times;
}

}  // namespace smearscope
