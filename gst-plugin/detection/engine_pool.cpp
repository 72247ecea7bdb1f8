#include "detection/engine_pool.h"

#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <utility>

namespace smearscope {

std::shared_ptr<Detector> shared_detector(std::shared_ptr<const Model> model,
                                          const DetectorOptions& options) {
  using Key = std::tuple<std::string, Device::Kind, int, Precision, int, int, double>;
  static std::mutex mutex;  // also held while a detector is made: two that start at once must end with one
  static std::map<Key, std::weak_ptr<Detector>> pool;

  const Device device = resolve(options.device);
  const Key key{model->digest(), device.kind,       device.index,         options.precision,
                options.threads, options.max_batch, options.batch_wait_ms};
  const std::lock_guard<std::mutex> lock(mutex);
  for (auto entry = pool.begin(); entry != pool.end();) {
    entry = entry->second.expired() ? pool.erase(entry) : std::next(entry);
  }
  std::shared_ptr<Detector> detector = pool[key].lock();
  if (!detector) pool[key] = detector = std::make_shared<Detector>(std::move(model), options);
  return detector;
}

}  // namespace smearscope
