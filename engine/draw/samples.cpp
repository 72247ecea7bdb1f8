#include "draw/samples.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace smearscope::draw {
namespace {

// Premultiplied, each 0..1.
struct Paint {
  float red, green, blue, alpha;
};

void resize(Samples& samples, const CanvasPlane& plane, int width, int height) {
  samples.width = width;
  samples.height = height;
  const std::size_t count = static_cast<std::size_t>(width) * height;
  samples.alpha.assign(count, 0);
  if (plane.bits == 8) {
    samples.value8.assign(count, 0);
  } else {
    samples.value16.assign(count, 0);
  }
}

void store(Samples& samples, const CanvasPlane& plane, const Component& c, std::size_t index,
           const Paint& paint) {
  const float alpha = std::nearbyint(paint.alpha * 255.0F);
  const float bound = static_cast<float>((1 << plane.bits) - 1) * alpha / 255.0F;
  const float value =
      c.constant * paint.alpha + c.red * paint.red + c.green * paint.green + c.blue * paint.blue;
  const auto code = static_cast<std::uint16_t>(std::clamp(value, 0.0F, bound) + 0.5F);
  samples.alpha[index] = static_cast<std::uint8_t>(alpha);
  if (plane.bits == 8) {
    samples.value8[index] = static_cast<std::uint8_t>(code);
  } else {
    samples.value16[index] = code;
  }
}

// Mean over one sample's pixels of the patch: columns x0.. and rows y0.. of 2^column_shift by 2^row_shift.
Paint mean(const Patch& patch, int x0, int y0, int column_shift, int row_shift) {
  std::array<std::uint32_t, 4> sum{};  // blue, green, red, alpha
  for (int y = std::max(0, y0); y < std::min(patch.height, y0 + (1 << row_shift)); ++y) {
    for (int x = std::max(0, x0); x < std::min(patch.width, x0 + (1 << column_shift)); ++x) {
      const std::uint32_t pixel = patch.pixels[static_cast<std::size_t>(y) * patch.width + x];
      for (int i = 0; i < 4; ++i) sum[i] += (pixel >> (8 * i)) & 0xFF;
    }
  }
  const float scale = 1.0F / (255.0F * static_cast<float>(1 << (column_shift + row_shift)));
  const auto part = [&](int i) { return static_cast<float>(sum[i]) * scale; };
  return {part(2), part(1), part(0), part(3)};
}

// destination * (255 - alpha) / 255, rounded, plus value; exact, and the same as it was where alpha is 0.
void blend8(std::uint8_t* __restrict destination, const std::uint8_t* __restrict value,
            const std::uint8_t* __restrict alpha, int count) {
  for (int i = 0; i < count; ++i) {
    const auto rest = static_cast<std::uint16_t>(destination[i] * (255 - alpha[i]) + 128);
    destination[i] = static_cast<std::uint8_t>(value[i] + ((rest + (rest >> 8)) >> 8));
  }
}

void blend16(const CanvasPlane& plane, std::uint8_t* destination, const std::uint16_t* value,
             const std::uint8_t* alpha, int count) {
  const int low = plane.big_endian ? 1 : 0;
  const int largest = (1 << plane.bits) - 1;
  for (int i = 0; i < count; ++i, destination += 2) {
    if (alpha[i] == 0) continue;
    const int old = ((destination[low] | (destination[1 - low] << 8)) >> plane.low_bits) & largest;
    const int mixed = std::min(value[i] + (old * (255 - alpha[i]) + 127) / 255, largest) << plane.low_bits;
    destination[low] = static_cast<std::uint8_t>(mixed);
    destination[1 - low] = static_cast<std::uint8_t>(mixed >> 8);
  }
}

// Copies the first `unit` of `count` elements over the others.
template <typename T>
void repeat(T* first, std::size_t unit, std::size_t count) {
  for (std::size_t done = unit; done < count; done *= 2) {
    std::copy_n(first, std::min(done, count - done), first + done);
  }
}

}  // namespace

Unit unit_of(const CanvasPlane& plane) {
  Unit unit;
  for (const Component& c : plane.components) unit.shift = std::max(unit.shift, c.column_shift);
  const Component& any = plane.components.front();
  unit.samples = any.step << (unit.shift - any.column_shift);
  return unit;
}

Samples convert(const Patch& patch, const CanvasPlane& plane, int phase_x, int phase_y) {
  const Unit unit = unit_of(plane);
  Samples samples;
  resize(samples, plane, extent(patch.width + phase_x, unit.shift) * unit.samples,
         extent(patch.height + phase_y, plane.row_shift));
  for (const Component& c : plane.components) {
    for (int row = 0; row < samples.height; ++row) {
      const std::size_t start = static_cast<std::size_t>(row) * samples.width;
      for (int i = c.first, column = 0; i < samples.width; i += c.step, ++column) {
        const int x = (column << c.column_shift) - phase_x, y = (row << plane.row_shift) - phase_y;
        store(samples, plane, c, start + i, mean(patch, x, y, c.column_shift, plane.row_shift));
      }
    }
  }
  return samples;
}

void convert_flat(const Item& item, const CanvasPlane& plane, int begin, int end, float share, Samples& row) {
  const Unit unit = unit_of(plane);
  const int first_unit = begin >> unit.shift, last_unit = (end - 1) >> unit.shift;
  resize(row, plane, (last_unit - first_unit + 1) * unit.samples, 1);
  const auto convert_unit = [&](int index) {
    for (const Component& c : plane.components) {
      const int pixels = 1 << c.column_shift;
      int i = (index - first_unit) * unit.samples + c.first;
      for (int x = index << unit.shift; x < (index + 1) << unit.shift; x += pixels, i += c.step) {
        const int covered = std::min(end, x + pixels) - std::max(begin, x);
        if (covered <= 0) continue;
        const float alpha =
            share * static_cast<float>(item.alpha * covered) / static_cast<float>(255 * pixels);
        const auto part = [alpha](std::uint8_t channel) {
          return static_cast<float>(channel) * alpha / 255.0F;
        };
        store(row, plane, c, i, {part(item.color.red), part(item.color.green), part(item.color.blue), alpha});
      }
    }
  };
  // Only the first and the last unit can be covered in part; those between are alike.
  convert_unit(first_unit);
  if (last_unit == first_unit) return;
  convert_unit(last_unit);
  if (last_unit == first_unit + 1) return;
  convert_unit(first_unit + 1);
  const auto start = static_cast<std::size_t>(unit.samples);
  const auto count = start * (last_unit - first_unit - 1);
  repeat(row.alpha.data() + start, start, count);
  if (plane.bits == 8) {
    repeat(row.value8.data() + start, start, count);
  } else {
    repeat(row.value16.data() + start, start, count);
  }
}

void blend_row(const CanvasPlane& plane, std::uint8_t* destination, const Samples& samples, std::size_t from,
               int count) {
  if (plane.bits == 8) {
    blend8(destination, samples.value8.data() + from, samples.alpha.data() + from, count);
  } else {
    blend16(plane, destination, samples.value16.data() + from, samples.alpha.data() + from, count);
  }
}

}  // namespace smearscope::draw
