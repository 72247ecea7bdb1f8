// From transmitted light to the camera's 8-bit RGB: lamp, vignetting, dust, noise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "smear/blur.h"
#include "smear/stain.h"

namespace smearscope::smear {

struct SensorSettings {
  std::uint64_t seed = 1;
  double noise = 1.5;  // standard deviation at full white, in 8-bit steps: shot noise with some read noise
  double vignetting = 0.1;     // loss of light in the corners, 0..1
  double illumination = 0.05;  // how much the light tilts across the field and wavers over time, 0..1
  int dust = 4;                // specks on the camera, which stay where they are when the stage moves
};

// Immutable after construction.
class Sensor {
 public:
  Sensor(const SensorSettings& settings, const Rgb& background, int width, int height);

  // `light`: transmitted light of the field, 1 is the empty field; width x height pixels, changed in passing.
  // `rgb`: height rows of width * 3 bytes, `stride` bytes apart. The same frame number gives the same noise.
  void expose(FloatImage& light, std::uint64_t frame, std::uint8_t* rgb, std::ptrdiff_t stride) const;

 private:
  struct DustPixel {
    std::size_t index;  // of the pixel
    float share;        // of light that comes through
  };

  SensorSettings settings_;
  Rgb white_;  // full light in 8-bit steps
  int width_, height_;
  float tilt_x_, tilt_y_;
  std::vector<DustPixel> dust_;
};

}  // namespace smearscope::smear
