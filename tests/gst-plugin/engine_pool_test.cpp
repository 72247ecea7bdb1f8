#include "detection/engine_pool.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "element_harness.h"

namespace smearscope {
namespace {

using testing::tiny_model_path;

std::shared_ptr<const Model> load() {
  return Model::load(tiny_model_path());
}

// Two elements that ask for the same engine have one, though each loaded the model file itself.
TEST(EnginePool, SameRequestSharesOneDetector) {
  const std::shared_ptr<Detector> first = shared_detector(load(), {});
  EXPECT_EQ(first, shared_detector(load(), {}));
  DetectorOptions one_thread;
  one_thread.threads = 1;
  EXPECT_NE(first, shared_detector(load(), one_thread));
  DetectorOptions batches;
  batches.max_batch = 4;
  EXPECT_NE(first, shared_detector(load(), batches));
}

// What an automatic device comes to is one with what was asked for by name.
TEST(EnginePool, AutomaticDeviceIsTheOneThatItComesTo) {
  DetectorOptions automatic, named;
  automatic.device = Device::automatic();
  named.device = resolve(automatic.device);
  const std::shared_ptr<Detector> first = shared_detector(load(), automatic);
  EXPECT_EQ(first, shared_detector(load(), named));
}

// The file's content counts, not its name: a copy is the same model, other weights under any name are not.
TEST(EnginePool, ModelIsKnownByItsContent) {
  const testing::TemporaryFolder folder;
  std::filesystem::copy(tiny_model_path(), folder.file("copy.safetensors"));
  testing::write_random_model(folder.file("other.safetensors"), testing::tiny_model_info(), 2);
  const std::shared_ptr<Detector> first = shared_detector(load(), {});
  EXPECT_EQ(first, shared_detector(Model::load(folder.file("copy.safetensors")), {}));
  EXPECT_NE(first, shared_detector(Model::load(folder.file("other.safetensors")), {}));
}

// An engine that nobody holds gives its memory back.
TEST(EnginePool, LastHolderReleasesTheDetector) {
  std::shared_ptr<Detector> detector = shared_detector(load(), {});
  const std::weak_ptr<Detector> watch = detector;
  detector.reset();
  EXPECT_TRUE(watch.expired());
}

// Elements of several pipelines start at the same time, and still end with one engine.
TEST(EnginePool, SimultaneousRequestsShareOneDetector) {
  std::array<std::shared_ptr<Detector>, 4> detectors;
  std::vector<std::thread> threads;
  for (auto& detector : detectors)
    threads.emplace_back([&detector] { detector = shared_detector(load(), {}); });
  for (std::thread& thread : threads) thread.join();
  for (const auto& detector : detectors) EXPECT_EQ(detector, detectors[0]);
}

}  // namespace
}  // namespace smearscope
