#include "draw/paint.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "draw/samples.h"

namespace smearscope::draw {
namespace {

constexpr std::size_t max_cached_bytes = 64U << 20U;

// Columns, rows or samples [first, last).
struct Range {
  int first, last;
};

std::uint8_t* sample_at(const CanvasPlane& plane, int row, int sample) {
  return plane.data + row * plane.stride + static_cast<std::ptrdiff_t>(sample) * (plane.bits == 8 ? 1 : 2);
}

void blend(const CanvasPlane& plane, int plane_rows, const Samples& samples, int row, int sample) {
  const Range across{std::max(0, sample), std::min(plane.row_samples, sample + samples.width)};
  const Range down{std::max(0, row), std::min(plane_rows, row + samples.height)};
  if (across.first >= across.last) return;
  for (int y = down.first; y < down.last; ++y) {
    const std::size_t from = static_cast<std::size_t>(y - row) * samples.width + (across.first - sample);
    blend_row(plane, sample_at(plane, y, across.first), samples, from, across.last - across.first);
  }
}

// Share of `row`, which stands for 2^shift rows of pixels, that `pixels` cover.
float coverage(int row, int shift, Range pixels) {
  const int covered = std::min(pixels.last, (row + 1) << shift) - std::max(pixels.first, row << shift);
  return static_cast<float>(covered) / static_cast<float>(1 << shift);
}

bool is_opaque(const Samples& row) {
  return std::all_of(row.alpha.begin(), row.alpha.end(), [](std::uint8_t alpha) { return alpha == 255; });
}

// `columns` and `rows` lie inside the frame.
void fill(const CanvasPlane& plane, const Item& item, Range columns, Range rows, Samples& flat) {
  const Unit unit = unit_of(plane);
  const int first = (columns.first >> unit.shift) * unit.samples;
  float made_for = 0;
  bool opaque = false;
  int count = 0;
  constexpr int rows_ahead = 12;
  const int last_row = (rows.last - 1) >> plane.row_shift;
  for (int row = rows.first >> plane.row_shift; row <= last_row; ++row) {
    const float share = coverage(row, plane.row_shift, rows);
    if (share != made_for) {
      convert_flat(item, plane, columns.first, columns.last, share, flat);
      count = std::min(flat.width, plane.row_samples - first);
      opaque = plane.bits == 8 && is_opaque(flat);
      made_for = share;
    }
    std::uint8_t* destination = sample_at(plane, row, first);
    // Upright bars touch a new cache line in every row; waiting for memory is most of their time.
    if (row + rows_ahead <= last_row) __builtin_prefetch(destination + rows_ahead * plane.stride, 1);
    if (opaque) {
      std::memcpy(destination, flat.value8.data(), static_cast<std::size_t>(count));
    } else {
      blend_row(plane, destination, flat, 0, count);
    }
  }
}

}  // namespace

bool CanvasPlane::same_encoding(const CanvasPlane& other) const {
  const auto same = [](const Component& a, const Component& b) {
    return a.first == b.first && a.step == b.step && a.column_shift == b.column_shift &&
           a.constant == b.constant && a.red == b.red && a.green == b.green && a.blue == b.blue;
  };
  return row_shift == other.row_shift && bits == other.bits && low_bits == other.low_bits &&
         big_endian == other.big_endian &&
         std::equal(components.begin(), components.end(), other.components.begin(), other.components.end(),
                    same);
}

Canvas bgr_canvas(std::uint8_t* data, int width, int height, std::ptrdiff_t stride) {
  CanvasPlane plane;
  plane.data = data;
  plane.stride = stride;
  plane.row_samples = 3 * width;
  plane.components = {{0, 3, 0, 0, 0, 0, 255}, {1, 3, 0, 0, 0, 255, 0}, {2, 3, 0, 0, 255, 0, 0}};
  return {width, height, {plane}};
}

struct Painter::State {
  std::vector<CanvasPlane> encoding;  // that the cached samples are for
  std::unordered_map<std::uint64_t, Samples> cache;
  std::size_t bytes = 0;
  Samples flat;  // memory for fill

  void begin(const Canvas& canvas) {
    const auto same = [](const CanvasPlane& a, const CanvasPlane& b) { return a.same_encoding(b); };
    const bool unchanged =
        std::equal(encoding.begin(), encoding.end(), canvas.planes.begin(), canvas.planes.end(), same);
    if (unchanged && bytes <= max_cached_bytes) return;
    encoding = canvas.planes;
    cache.clear();
    bytes = 0;
  }

  const Samples& samples(const Patch& patch, std::size_t plane, int phase_x, int phase_y) {
    // At most 4 planes, and no format has more than 4 pixels in a unit, across or down.
    const std::uint64_t key = ((patch.serial * 4 + plane) * 4 + phase_x) * 4 + phase_y;
    const auto found = cache.find(key);
    if (found != cache.end()) return found->second;
    const Samples& made = cache.emplace(key, convert(patch, encoding[plane], phase_x, phase_y)).first->second;
    bytes += made.alpha.size() * 3 + sizeof(Samples);
    return made;
  }
};

Painter::Painter() : state_(std::make_unique<State>()) {}
Painter::~Painter() = default;

void Painter::paint(const Canvas& canvas, const std::vector<Item>& items) {
  state_->begin(canvas);
  for (const Item& item : items) {
    const Range columns{std::max(0, item.x), std::min(canvas.width, item.x + item.width)};
    const Range rows{std::max(0, item.y), std::min(canvas.height, item.y + item.height)};
    if (columns.first >= columns.last || rows.first >= rows.last) continue;
    for (std::size_t i = 0; i < canvas.planes.size(); ++i) {
      const CanvasPlane& plane = canvas.planes[i];
      if (item.patch == nullptr) {
        fill(plane, item, columns, rows, state_->flat);
        continue;
      }
      const Unit unit = unit_of(plane);
      const Samples& samples = state_->samples(*item.patch, i, item.x & ((1 << unit.shift) - 1),
                                               item.y & ((1 << plane.row_shift) - 1));
      blend(plane, extent(canvas.height, plane.row_shift), samples, item.y >> plane.row_shift,
            (item.x >> unit.shift) * unit.samples);
    }
  }
}

}  // namespace smearscope::draw
