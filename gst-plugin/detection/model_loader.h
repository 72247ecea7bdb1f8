// Models loaded beside a running stream: on request, and when another file takes the place of the one in use.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "detection/file_watch.h"
#include "smearscope/detector.h"

namespace smearscope {

enum class LoadStep { find, read, run };  // the file; what is in it; on this device, with these classes

class LoadError : public Error {
 public:
  LoadError(LoadStep step, const std::string& what) : Error(what), step(step) {}
  LoadStep step;
};

struct ReadyModel {
  std::string path;
  FileWatch watch;                     // what lay there just before it was read
  std::shared_ptr<Detector> detector;  // see shared_detector
};

// `name` is as for find_model. Throws LoadError. Stops early, with a result that is not to be used, once
// `stopped` says so.
ReadyModel load_model(
    const std::string& name, const DetectorOptions& options,
    const std::function<bool()>& stopped = [] { return false; });

// One thread, which sleeps while there is nothing to do and runs nicer than the stream. All functions may
// be called from any thread and return at once.
class ModelLoader {
 public:
  // Called one at a time, on threads of the loader. Both should do nothing if newer_request() says that the
  // request is no longer the last one.
  struct Client {
    // The model can be used: weights are packed, and one detection is done at the stream's size. Throws Error
    // to refuse it.
    std::function<void(const ReadyModel&)> use;
    std::function<void(const LoadError&)> refuse;
  };

  // `name` was loaded, with these options, as `in_use`.
  ModelLoader(std::string name, const ReadyModel& in_use, Client client);
  ~ModelLoader();  // waits for the step of a load that is under way
  ModelLoader(const ModelLoader&) = delete;
  ModelLoader& operator=(const ModelLoader&) = delete;

  void load(const std::string& name);  // a newer request replaces an older one, also one under way
  void watch(bool on);                 // reload the model in use when its file has changed
  void frame_size(int width, int height);

  bool newer_request() const;  // since the load under way began; also true once the loader is to stop
  bool busy() const;           // until `use` or `refuse` has returned for the last request

 private:
  struct Size {
    int width = 0, height = 0;
  };

  void work();
  void run(const std::string& name);
  void warm_up(Detector& detector);
  Size size() const;

  const DetectorOptions options_;
  const Client client_;

  // Of the model in use. Loader's thread alone.
  std::string name_;
  FileWatch watch_;
  std::weak_ptr<Detector> in_use_;

  mutable std::mutex mutex_;  // guards all below
  std::condition_variable wake_;
  std::optional<std::string> request_;
  bool loading_ = false;
  bool watching_ = false;
  Size size_;  // of the stream's frames; 0: not known yet
  bool stop_ = false;

  std::thread thread_;  // last: starts when all else is there
};

}  // namespace smearscope
