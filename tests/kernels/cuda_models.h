// Random models and frames for tests of the CUDA engine, small enough for the emulator.
#pragma once

#include <cmath>
#include <memory>

#include "frames.h"
#include "smearscope/detector.h"
#include "temporary_folder.h"
#include "tiny_model.h"

namespace smearscope::testing {

inline ModelInfo cuda_model_info(const std::string& backbone = "resnet18") {
  ModelInfo info = tiny_model_info(backbone);
  info.transform.min_side = 64;
  info.transform.max_side = 96;
  info.architecture.rpn_pre_nms_top_n = 200;
  info.architecture.rpn_post_nms_top_n = 60;
  return info;
}

inline std::shared_ptr<const Model> make_model(const ModelInfo& info, std::uint64_t seed = 1) {
  const TemporaryFolder folder;
  write_random_model(folder.file("m.safetensors"), info, seed);
  return Model::load(folder.file("m.safetensors"));
}

inline std::unique_ptr<OwnedFrame> random_frame(PixelFormat format, int width, int height,
                                                std::uint32_t seed) {
  auto owned = std::make_unique<OwnedFrame>(format, width, height, static_cast<int>(seed % 5));
  Random random(seed);
  owned->randomise(random);
  return owned;
}

inline bool is_near(const Detection& a, const Detection& b, float pixels, float score) {
  return a.label == b.label && std::abs(a.score - b.score) <= score &&
         std::abs(a.box.x_min - b.box.x_min) <= pixels && std::abs(a.box.y_min - b.box.y_min) <= pixels &&
         std::abs(a.box.x_max - b.box.x_max) <= pixels && std::abs(a.box.y_max - b.box.y_max) <= pixels;
}

// Share of `some` that have their like in `others`. Scores that differ in the last digit can change places,
// or sides of a threshold, so order and number are not compared.
inline double share_found(const Detections& some, const Detections& others, float pixels, float score) {
  std::size_t found = 0;
  for (const Detection& one : some)
    for (const Detection& other : others)
      if (is_near(one, other, pixels, score)) {
        ++found;
        break;
      }
  return some.empty() ? 1 : static_cast<double>(found) / static_cast<double>(some.size());
}

inline bool same_bits(const Detections& a, const Detections& b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(),
                    [](const Detection& x, const Detection& y) { return is_near(x, y, 0, 0); });
}

}  // namespace smearscope::testing
