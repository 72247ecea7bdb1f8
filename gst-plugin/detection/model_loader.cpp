#include "detection/model_loader.h"

#include <pthread.h>
#include <sys/resource.h>

#include <utility>
#include <vector>

#include "detection/engine_pool.h"

namespace smearscope {
namespace {

using namespace std::chrono_literals;

constexpr auto look_interval = 250ms;
constexpr auto rest = 1s;           // a file that is being written may pause
constexpr int loader_niceness = 5;  // steps: frames go first, as with the live worker

// Empty if there is none.
std::string path_of(const std::string& name) {
  try {
    return find_model(name);
  } catch (const Error&) {
    return "";
  }
}

template <typename Step>
auto attempt(LoadStep name, Step step) {
  try {
    return step();
  } catch (const std::exception& error) {  // also std::bad_alloc: the stream must go on
    throw LoadError(name, error.what());
  }
}

}  // namespace

ReadyModel load_model(const std::string& name, const DetectorOptions& options,
                      const std::function<bool()>& stopped) {
  const std::string path = attempt(LoadStep::find, [&] { return find_model(name); });
  ReadyModel ready{path, FileWatch(path), nullptr};
  const std::shared_ptr<const Model> model = attempt(LoadStep::read, [&] { return Model::load(path); });
  if (stopped()) return ready;
  ready.detector = attempt(LoadStep::run, [&] { return shared_detector(model, options); });
  return ready;
}

ModelLoader::ModelLoader(std::string name, const ReadyModel& in_use, Client client)
    : options_(in_use.detector->options()),
      client_(std::move(client)),
      name_(std::move(name)),
      watch_(in_use.watch),
      in_use_(in_use.detector),
      thread_([this] { work(); }) {}

ModelLoader::~ModelLoader() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void ModelLoader::load(const std::string& name) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    request_ = name;
  }
  wake_.notify_one();
}

void ModelLoader::watch(bool on) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    watching_ = on;
  }
  wake_.notify_one();
}

void ModelLoader::frame_size(int width, int height) {
  const std::lock_guard<std::mutex> lock(mutex_);
  size_ = {width, height};
}

ModelLoader::Size ModelLoader::size() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return size_;
}

bool ModelLoader::newer_request() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return stop_ || request_;
}

bool ModelLoader::busy() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return loading_ || request_;
}

void ModelLoader::work() {
  pthread_setname_np(pthread_self(), "model-loader");
  setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + loader_niceness);
  std::unique_lock<std::mutex> lock(mutex_);
  const auto called = [this] { return stop_ || request_; };
  while (!stop_) {
    if (!watching_) {
      wake_.wait(lock, [&] { return called() || watching_; });
    } else {
      wake_.wait_for(lock, look_interval, called);
    }
    if (stop_) return;
    const bool look = !request_ && watching_;
    const std::string name = request_ ? *std::exchange(request_, std::nullopt) : name_;
    loading_ = true;
    lock.unlock();
    // OpenMP keeps a team of threads for every thread that has used it, until that one ends: so end it.
    if (!look || watch_.changed(path_of(name), rest, FileWatch::Clock::now()))
      std::thread([&] { run(name); }).join();
    lock.lock();
    loading_ = false;
  }
}

void ModelLoader::run(const std::string& name) {
  try {
    const ReadyModel ready = load_model(name, options_, [this] { return newer_request(); });
    if (newer_request()) return;
    if (ready.detector != in_use_.lock()) attempt(LoadStep::run, [&] { warm_up(*ready.detector); });
    attempt(LoadStep::run, [&] { client_.use(ready); });
    name_ = name;
    watch_ = ready.watch;
    in_use_ = ready.detector;
  } catch (const LoadError& error) {
    client_.refuse(error);
  }
}

// The first detection of a size packs weights and allocates. The stream may change its size meanwhile.
void ModelLoader::warm_up(Detector& detector) {
  Size warm;
  for (Size now = size(); now.width != warm.width || now.height != warm.height; now = size()) {
    if (newer_request()) return;
    warm = now;
    const std::vector<std::uint8_t> grey(
        static_cast<std::size_t>(now.width) * static_cast<std::size_t>(now.height), 128);
    Frame frame;
    frame.format = PixelFormat::gray8;
    frame.width = now.width;
    frame.height = now.height;
    frame.planes[0] = {grey.data(), now.width};
    detector.detect({frame});
  }
}

}  // namespace smearscope
