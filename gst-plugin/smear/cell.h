// One cell of the slide: what it is, where it lies, its outline, and what its inside looks like.
//
// Units are micrometres; the cell's own coordinates have their origin at its centre, x to the right, y down.
#pragma once

#include <array>
#include <cstdint>
#include <variant>
#include <vector>

#include "smear/random.h"

namespace smearscope::smear {

// Classes in the order of their ids.
enum class CellClass { wbc, rbc, platelet };

enum class CellKind {
  neutrophil,
  eosinophil,
  basophil,
  lymphocyte,
  monocyte,
  discocyte,
  ovalocyte,
  target_cell,
  spherocyte,
  stomatocyte,
  hypochromic,
  teardrop,
  burr_cell,
  platelet
};

CellClass class_of(CellKind kind);
const char* name_of(CellClass cell_class);  // "wbc", "rbc", "platelet"
const char* name_of(CellKind kind);         // "neutrophil", ...

// A star-shaped outline: radius by direction. Directions are indexed by the diamond angle, a monotone
// stand-in for the angle that needs no trigonometry (Pande, "The diamond angle"): 0 at +x, 1 at +y (down), 2
// at -x, 3 at -y.
class Outline {
 public:
  static constexpr int samples = 256;

  // Ellipse of the given semi-axes turned by `angle`, its radius multiplied by
  // 1 + sum over k = 2 .. of amplitude[k - 2] * cos(k * (theta - phase[k - 2])).
  Outline(double semi_major, double semi_minor, double angle, const std::vector<double>& amplitudes,
          const std::vector<double>& phases);

  float radius(float x, float y) const;  // in the direction of (x, y)
  float max_radius() const { return max_radius_; }
  double area() const;

  struct Point {
    double x, y;
  };
  Point vertex(int index) const;  // 0 .. samples - 1

 private:
  std::array<float, samples + 1> radii_;
  float max_radius_ = 0;
};

struct RedLook {
  float pallor_radius;       // as a fraction of the outline's radius
  float pallor_depth;        // 0: none, 1: clear centre
  float pallor_x, pallor_y;  // its centre
  float pallor_stretch;      // > 1: a slit along pallor_angle (stomatocyte)
  float pallor_angle;
  float target;    // density of the central spot (target cell), else 0
  float strength;  // haemoglobin, 1 is normal
};

// A nucleus is a smooth union of segments with a radius at each end.
struct Segment {
  float x0, y0, x1, y1, radius0, radius1;
};

struct WhiteLook {
  std::vector<Segment> nucleus;
  float chromatin_scale;  // size of chromatin clumps
  float chromatin_contrast;
  float strength;
};

struct PlateletLook {
  float granulomere;  // share of the radius taken by the granular centre
  float strength;
};

struct SlideCell {
  std::uint64_t identity;  // never 0; the same for the same place of the same slide
  CellKind kind;
  double x, y;            // centre on the slide
  float softness;         // multiplies the width of its edges: the cell's own distance from best focus
  std::uint32_t texture;  // seed of its inner noise
  Outline outline;
  std::variant<RedLook, WhiteLook, PlateletLook> look;
};

// A cell of this kind with its centre at the origin; everything about it comes from the identity.
SlideCell make_cell(CellKind kind, std::uint64_t identity);

// A cell's visible part in a rectangle of the slide.
struct Visible {
  double x_min, y_min, x_max, y_max;  // extent of the painted outline inside the rectangle, slide coordinates
  double fraction;                    // of the outline's area; 0: outside, the extent is then meaningless
};
Visible visible_part(const SlideCell& cell, double left, double top, double right, double bottom);

}  // namespace smearscope::smear
