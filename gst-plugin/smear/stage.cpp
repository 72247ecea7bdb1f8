#include "smear/stage.h"

#include <algorithm>
#include <cmath>

#include "smear/random.h"

namespace smearscope::smear {
namespace {

constexpr double rest_s = 1;         // at each stop
constexpr double raster_fields = 5;  // length of a row

// Starting and stopping gently: 0 .. 1 with no speed at the ends.
double ease(double t) {
  return t * t * (3 - 2 * t);
}

// How far along the way after `seconds` of stops of `rest_s`, each followed by a move of `step`.
double stop_and_go(double step, double speed, double seconds) {
  const double moving = step / speed, period = rest_s + moving;
  const double stops = std::floor(seconds / period), into = seconds - stops * period;
  return step * (stops + (into <= rest_s ? 0 : ease((into - rest_s) / moving)));
}

// 0 .. 1 .. 0, resting at both ends.
double there_and_back(double distance, double speed, double seconds) {
  const double moving = distance / speed, period = 2 * (moving + rest_s);
  const double into = seconds - std::floor(seconds / period) * period;
  if (into <= rest_s) return 0;
  if (into <= rest_s + moving) return ease((into - rest_s) / moving);
  if (into <= 2 * rest_s + moving) return 1;
  return 1 - ease((into - 2 * rest_s - moving) / moving);
}

// A position on an endless line, folded back into [0, limit].
double fold(double position, double limit) {
  if (limit <= 0) return 0;
  const double period = 2 * limit, into = position - std::floor(position / period) * period;
  return into <= limit ? into : period - into;
}

}  // namespace

StagePosition stage_at(const StageSettings& s, double seconds) {
  double x = 0, y = 0;
  if (s.speed_um_per_s > 0) {
    const double way = s.speed_um_per_s * seconds;
    switch (s.path) {
      case StagePath::still:
        break;
      case StagePath::pan:
        x = way;
        break;
      case StagePath::stop_and_go:
        x = stop_and_go(0.8 * s.field_width_um, s.speed_um_per_s, seconds);
        break;
      case StagePath::there_and_back: {
        const double across = 2 * s.field_width_um, down = 0.5 * s.field_height_um;
        const double along = there_and_back(std::hypot(across, down), s.speed_um_per_s, seconds);
        x = across * along;
        y = down * along;
        break;
      }
      case StagePath::raster: {
        const double row = raster_fields * s.field_width_um, down = 0.9 * s.field_height_um;
        const double rows = std::floor(way / (row + down)), into = way - rows * (row + down);
        const bool leftwards = std::fmod(rows, 2) == 1;
        x = std::min(into, row);
        if (leftwards) x = row - x;
        y = down * rows + std::max(0.0, into - row);
        break;
      }
    }
  }
  const auto wandering = static_cast<std::uint32_t>(mix(s.seed, 0xf0c5));
  const double drift =
      s.focus_drift_um * value_noise(wandering, static_cast<float>(std::fmod(seconds, 1e6) / 2), 0.5f);
  return {fold(s.start_x_um + x, slide_width_um - s.field_width_um),
          fold(s.start_y_um + y, slide_height_um - s.field_height_um), s.focus_um + drift};
}

}  // namespace smearscope::smear
