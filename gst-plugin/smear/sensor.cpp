#include "smear/sensor.h"

#include <algorithm>
#include <cmath>

#include "smear/random.h"

namespace smearscope::smear {
namespace {

constexpr double read_share = 0.3;  // of the noise at white is there in the dark too

// Standard normal samples, made once and read from a random place for each row: far cheaper than fresh ones.
class NoisePool {
 public:
  static constexpr std::size_t size = 1 << 18;

  NoisePool() : samples_(size) {
    Random random(0x5eed);
    for (float& sample : samples_) sample = static_cast<float>(random.normal());
  }
  const float* run(std::uint64_t place, std::size_t length) const {
    return samples_.data() + place % (size - length);
  }

 private:
  std::vector<float> samples_;
};

const NoisePool& noise_pool() {
  static const NoisePool pool;
  return pool;
}

constexpr int noise_run = 4096;  // samples read from one place of the pool

// In two steps, so that compilers vectorise both.
void expose_run(const float* __restrict light, const float* __restrict gain, const float* __restrict noise,
                float shot, float read, int length, std::int32_t* __restrict levels,
                std::uint8_t* __restrict out) {
  for (int i = 0; i < length; ++i) {
    const float value = light[i] * gain[i];
    const float noisy = value + noise[i] * std::sqrt(shot * std::max(value, 0.f) + read) + 0.5f;
    levels[i] = static_cast<std::int32_t>(std::min(std::max(noisy, 0.f), 255.f));
  }
  for (int i = 0; i < length; ++i) out[i] = static_cast<std::uint8_t>(levels[i]);
}

}  // namespace

Sensor::Sensor(const SensorSettings& settings, const Rgb& background, int width, int height)
    : settings_(settings), white_(background * 255), width_(width), height_(height) {
  Random random(mix(settings.seed, 0x5e25));
  const double angle = random.uniform(0, 6.2832);
  tilt_x_ = static_cast<float>(settings.illumination * std::cos(angle));
  tilt_y_ = static_cast<float>(settings.illumination * std::sin(angle));
  for (int speck = 0; speck < settings.dust; ++speck) {
    const double x = random.uniform(0, width), y = random.uniform(0, height),
                 radius = random.uniform(1.5, 4.5);
    const double depth = random.uniform(0.1, 0.4), hollow = random.uniform(0, 0.8);
    const int reach = static_cast<int>(radius) + 2;
    for (int row = std::max(0, static_cast<int>(y) - reach);
         row < std::min<int>(height, static_cast<int>(y) + reach); ++row) {
      for (int column = std::max(0, static_cast<int>(x) - reach);
           column < std::min<int>(width, static_cast<int>(x) + reach); ++column) {
        const double r = std::hypot(column + 0.5 - x, row + 0.5 - y) / radius;
        if (r >= 1) continue;
        // Specks out of focus show as small rings.
        const double ring = (1 - r * r) * (1 - hollow * (1 - r) * (1 - r) * 2);
        dust_.push_back({static_cast<std::size_t>(row) * width + column,
                         static_cast<float>(1 - depth * std::max(0.0, ring))});
      }
    }
  }
}

void Sensor::expose(FloatImage& light, std::uint64_t frame, std::uint8_t* rgb, std::ptrdiff_t stride) const {
  for (const DustPixel& speck : dust_) {
    for (int c = 0; c < 3; ++c) light.values[speck.index * 3 + c] *= speck.share;
  }
  // The lamp wavers over seconds.
  const auto wavering = static_cast<std::uint32_t>(mix(settings_.seed, 0x1a3b));
  const float lamp = 1 + static_cast<float>(0.3 * settings_.illumination) *
                             value_noise(wavering, static_cast<float>(frame % 1000000) / 40, 0);
  const float shot =
      static_cast<float>(settings_.noise * settings_.noise * (1 - read_share * read_share) / 255);
  const float read = static_cast<float>(settings_.noise * settings_.noise * read_share * read_share);

  std::vector<std::int32_t> levels(noise_run);
  std::vector<float> gain(static_cast<std::size_t>(width_) * 3);
  const float diagonal = static_cast<float>(width_) * width_ + static_cast<float>(height_) * height_;
  for (int row = 0; row < height_; ++row) {
    const float y = 2 * (row + 0.5f) - height_;
    for (int column = 0; column < width_; ++column) {
      const float x = 2 * (column + 0.5f) - width_;
      const float g = lamp * (1 - static_cast<float>(settings_.vignetting) * (x * x + y * y) / diagonal) *
                      (1 + tilt_x_ * x / width_ + tilt_y_ * y / height_);
      gain[column * 3] = white_.r * g;
      gain[column * 3 + 1] = white_.g * g;
      gain[column * 3 + 2] = white_.b * g;
    }
    const float* values = light.values.data() + static_cast<std::size_t>(row) * width_ * 3;
    for (int start = 0; start < width_ * 3; start += noise_run) {
      const int length = std::min(noise_run, width_ * 3 - start);
      const std::uint64_t place = mix(mix(settings_.seed, frame),
                                      static_cast<std::uint64_t>(row) << 16 | static_cast<unsigned>(start));
      expose_run(values + start, gain.data() + start, noise_pool().run(place, noise_run), shot, read, length,
                 levels.data(), rgb + row * stride + start);
    }
  }
}

}  // namespace smearscope::smear
