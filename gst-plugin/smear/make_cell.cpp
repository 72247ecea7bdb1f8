// How cells of each kind are made from their identity: sizes and proportions as in haematology textbooks
// (red cell 7.5 um; neutrophil 12-15, eosinophil 12-17, basophil 10-14, lymphocyte 8-12, monocyte 14-20,
// platelet 2-4).
#include <cmath>

#include "smear/cell.h"

namespace smearscope::smear {
namespace {

constexpr double pi = 3.141592653589793;

// Outline of mean radius `radius` and elongation (long over short axis), with harmonics from the third on
// that fall off as 1/k from `irregularity`.
Outline make_outline(Random& random, double radius, double elongation, double irregularity, int harmonics) {
  std::vector<double> amplitudes{0}, phases{0};
  for (int k = 3; k <= harmonics; ++k) {
    amplitudes.push_back(irregularity * 3 / k * random.normal(0, 0.6));
    phases.push_back(random.uniform(0, 2 * pi));
  }
  const double root = std::sqrt(elongation);
  return Outline(radius * root, radius / root, random.uniform(0, pi), amplitudes, phases);
}

float f(double value) {
  return static_cast<float>(value);
}

double clamp(double value, double low, double high) {
  return value < low ? low : value > high ? high : value;
}

Outline red_outline(Random& random, CellKind kind) {
  const double radius = clamp(random.normal(3.75, 0.3), 2.9, 4.7);
  const double elongation = 1 + std::abs(random.normal(0, 0.14));
  switch (kind) {
    case CellKind::ovalocyte:
      return make_outline(random, radius, random.uniform(1.25, 1.7), 0.015, 5);
    case CellKind::spherocyte:
      return make_outline(random, radius * 0.86, 1 + 0.3 * (elongation - 1), 0.008, 5);
    case CellKind::teardrop: {
      // A tail: harmonics with the same phase add up on one side.
      const double phase = random.uniform(0, 2 * pi);
      return Outline(radius * 0.95, radius * 0.95, 0, {0.1, 0.1, 0.07, 0.05, 0.03},
                     {phase, phase, phase, phase, phase});
    }
    case CellKind::burr_cell: {
      const int spikes = 10 + random.below(8);
      std::vector<double> amplitudes(static_cast<std::size_t>(spikes - 1), 0.0),
          phases(amplitudes.size(), 0.0);
      amplitudes.back() = random.uniform(0.03, 0.055);
      phases.back() = random.uniform(0, pi);
      return Outline(radius * 0.95, radius * 0.92, random.uniform(0, pi), amplitudes, phases);
    }
    default:
      return make_outline(random, radius, elongation, 0.03, 6);
  }
}

RedLook red_look(Random& random, CellKind kind) {
  RedLook look{};
  look.pallor_radius = f(random.uniform(0.5, 0.86));
  look.pallor_depth = f(clamp(random.normal(0.58, 0.22), 0.08, 0.92));
  look.pallor_x = f(random.normal(0, 0.25));
  look.pallor_y = f(random.normal(0, 0.25));
  look.pallor_stretch = f(random.uniform(1, 1.35));
  look.pallor_angle = f(random.uniform(0, pi));
  look.strength = f(clamp(random.normal(1, 0.12), 0.7, 1.4));
  switch (kind) {
    case CellKind::target_cell:
      look.pallor_radius = f(random.uniform(0.65, 0.75));
      look.pallor_depth = 0.75f;
      look.target = f(random.uniform(0.6, 0.95));
      break;
    case CellKind::spherocyte:
      look.pallor_depth = 0;
      look.strength *= 1.2f;
      break;
    case CellKind::stomatocyte:
      look.pallor_stretch = f(random.uniform(2, 3));
      break;
    case CellKind::hypochromic:
      look.pallor_radius = f(random.uniform(0.8, 0.9));
      look.pallor_depth = f(random.uniform(0.75, 0.95));
      look.strength *= 0.85f;
      break;
    default:
      break;
  }
  return look;
}

// Lobes strung along an arc of a circle around the cell's centre, with thin bridges between them.
std::vector<Segment> lobed_nucleus(Random& random, double cell_radius, int lobes, double lobe_radius,
                                   double span) {
  std::vector<Segment> nucleus;
  const double start = random.uniform(0, 2 * pi), ring = cell_radius * random.uniform(0.38, 0.52);
  const double off_x = random.normal(0, 0.06 * cell_radius), off_y = random.normal(0, 0.06 * cell_radius);
  double last_x = 0, last_y = 0;
  for (int i = 0; i < lobes; ++i) {
    const double angle = start + span * (lobes == 1 ? 0 : i / (lobes - 1.0)) + random.normal(0, 0.08);
    const double distance = ring * random.uniform(0.85, 1.15),
                 radius = lobe_radius * random.uniform(0.82, 1.15);
    const double x = off_x + distance * std::cos(angle), y = off_y + distance * std::sin(angle);
    const double turn = angle + pi / 2 + random.normal(0, 0.5), half = radius * random.uniform(0.25, 0.75);
    const double dx = half * std::cos(turn), dy = half * std::sin(turn);
    if (i > 0)
      nucleus.push_back({f(last_x), f(last_y), f(x), f(y), f(lobe_radius * 0.3), f(lobe_radius * 0.3)});
    nucleus.push_back(
        {f(x - dx), f(y - dy), f(x + dx), f(y + dy), f(radius), f(radius * random.uniform(0.75, 1))});
    last_x = x;
    last_y = y;
  }
  return nucleus;
}

// A thick arc: band forms and the kidney of monocytes.
std::vector<Segment> arc_nucleus(Random& random, double ring, double thickness, double span) {
  constexpr int parts = 6;
  std::vector<Segment> nucleus;
  const double start = random.uniform(0, 2 * pi);
  const double back_x = -0.35 * ring * std::cos(start + span / 2),
               back_y = -0.35 * ring * std::sin(start + span / 2);
  double x = 0, y = 0, radius = 0;
  for (int i = 0; i <= parts; ++i) {
    const double angle = start + span * i / parts, distance = ring * random.uniform(0.92, 1.08);
    const double next_x = back_x + distance * std::cos(angle), next_y = back_y + distance * std::sin(angle);
    const double next_radius = thickness * random.uniform(0.82, 1.12);
    if (i > 0) nucleus.push_back({f(x), f(y), f(next_x), f(next_y), f(radius), f(next_radius)});
    x = next_x;
    y = next_y;
    radius = next_radius;
  }
  return nucleus;
}

SlideCell make_white(CellKind kind, std::uint64_t identity, Random& random) {
  WhiteLook look{{},
                 f(random.uniform(0.5, 1.0)),
                 f(random.uniform(0.15, 0.4)),
                 f(clamp(random.normal(1, 0.1), 0.75, 1.3))};
  double radius = 0, elongation = 1 + std::abs(random.normal(0, 0.08)), irregularity = 0.02;
  switch (kind) {
    case CellKind::neutrophil: {
      radius = random.uniform(5.8, 7.9);
      const int lobes = 1 + random.below(5);
      if (lobes == 1) {
        look.nucleus =
            arc_nucleus(random, radius * 0.48, radius * random.uniform(0.2, 0.26), random.uniform(2.6, 4.2));
      } else {
        const double lobe = radius * (0.46 - 0.045 * lobes);
        look.nucleus = lobed_nucleus(random, radius, lobes, lobe, random.uniform(0.75, 1.15) * (lobes - 0.4));
      }
      break;
    }
    case CellKind::eosinophil:
      radius = random.uniform(6, 8.2);
      look.nucleus =
          lobed_nucleus(random, radius, random.chance(0.75) ? 2 : 3, radius * 0.34, random.uniform(1.5, 2.4));
      break;
    case CellKind::basophil:
      radius = random.uniform(5, 6.8);
      look.nucleus =
          lobed_nucleus(random, radius, 2 + random.below(2), radius * 0.42, random.uniform(1.4, 2.4));
      break;
    case CellKind::lymphocyte: {
      radius = random.uniform(4.2, 6.2);
      irregularity = 0.03;
      const double nucleus = radius * random.uniform(0.76, 0.92), shift = radius - nucleus,
                   angle = random.uniform(0, 2 * pi);
      const double x = 0.7 * shift * std::cos(angle), y = 0.7 * shift * std::sin(angle),
                   half = 0.08 * nucleus;
      look.nucleus = {{f(x - half), f(y), f(x + half), f(y), f(nucleus * 0.95), f(nucleus * 0.93)}};
      break;
    }
    default:  // monocyte
      radius = random.uniform(7, 9.3);
      irregularity = 0.045;
      look.nucleus =
          arc_nucleus(random, radius * 0.36, radius * random.uniform(0.34, 0.42), random.uniform(1.6, 3));
      look.strength *= 0.9f;
      break;
  }
  Outline outline = make_outline(random, radius, elongation, irregularity, 8);
  return {identity, kind, 0, 0, 1, static_cast<std::uint32_t>(random.next()), outline, std::move(look)};
}

}  // namespace

SlideCell make_cell(CellKind kind, std::uint64_t identity) {
  Random random(identity);
  const float softness = f(random.uniform(0.8, 1.5));
  SlideCell cell = [&]() -> SlideCell {
    switch (class_of(kind)) {
      case CellClass::wbc:
        return make_white(kind, identity, random);
      case CellClass::rbc: {
        Outline outline = red_outline(random, kind);
        return {identity, kind,
                0,        0,
                1,        static_cast<std::uint32_t>(random.next()),
                outline,  red_look(random, kind)};
      }
      default:
        break;
    }
    Outline outline =
        make_outline(random, clamp(random.normal(1.3, 0.25), 0.8, 2.2), random.uniform(1, 1.5), 0.05, 7);
    const PlateletLook look{f(random.uniform(0.3, 0.9)), f(random.uniform(0.4, 1.1))};
    return {identity, kind, 0, 0, 1, static_cast<std::uint32_t>(random.next()), outline, look};
  }();
  cell.softness = softness;
  return cell;
}

}  // namespace smearscope::smear
