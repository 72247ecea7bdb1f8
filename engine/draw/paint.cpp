#include "draw/paint.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_map>

namespace smearscope::draw {
namespace {

constexpr std::size_t max_cached_bytes = 64U << 20U;

// A patch in one component's code values: `value` is premultiplied, both at the component's resolution.
struct Samples {
  int width = 0, height = 0;
  std::vector<std::uint8_t> alpha;
  std::vector<std::uint16_t> value;
};

// Samples of a component that a span of pixels touches: columns or rows [first, last).
struct Range {
  int first, last;
};

int extent(int pixels, int shift) { return (pixels + (1 << shift) - 1) >> shift; }

float code_value(const Component& c, float red, float green, float blue, float alpha) {
  const float value = c.offset * alpha + c.red * red + c.green * green + c.blue * blue;
  return std::clamp(value, 0.0F, static_cast<float>((1 << c.bits) - 1) * alpha);
}

// destination = value + destination * (255 - alpha) / 255, rounded. value <= maximum * alpha / 255.
void blend8(std::uint8_t& sample, int value, int alpha) {
  const int rest = sample * (255 - alpha) + 128;
  sample = static_cast<std::uint8_t>(value + ((rest + (rest >> 8)) >> 8));
}

void blend16(std::uint8_t* sample, const Component& c, int value, int alpha) {
  const int low = c.big_endian ? 1 : 0;
  const int word = sample[low] | (sample[1 - low] << 8);
  const int old = (word >> c.shift) & ((1 << c.bits) - 1);
  const int mixed = std::min(value + (old * (255 - alpha) + 127) / 255, (1 << c.bits) - 1);
  const int packed = (word & ~(((1 << c.bits) - 1) << c.shift)) | (mixed << c.shift);
  sample[low] = static_cast<std::uint8_t>(packed);
  sample[1 - low] = static_cast<std::uint8_t>(packed >> 8);
}

// One row of `count` samples; alpha_step and value_step are 0 for a flat colour, else 1. The pixel stride is a
// constant where it is a usual one, so that the compiler can vectorise.
template <int Stride>
void blend_row8(std::uint8_t* row, std::ptrdiff_t stride, const std::uint16_t* value, const std::uint8_t* alpha,
                int count) {
  for (int i = 0; i < count; ++i) blend8(row[i * (Stride != 0 ? Stride : stride)], value[i], alpha[i]);
}

template <int Stride>
void fill_row8(std::uint8_t* row, std::ptrdiff_t stride, int value, int alpha, int count) {
  for (int i = 0; i < count; ++i) blend8(row[i * (Stride != 0 ? Stride : stride)], value, alpha);
}

void blend_row(std::uint8_t* row, const Component& c, const std::uint16_t* value, const std::uint8_t* alpha,
               int count) {
  if (c.bits > 8) {
    for (int i = 0; i < count; ++i) blend16(row + i * c.pixel_stride, c, value[i], alpha[i]);
    return;
  }
  switch (c.pixel_stride) {
    case 1: return blend_row8<1>(row, 1, value, alpha, count);
    case 2: return blend_row8<2>(row, 2, value, alpha, count);
    case 3: return blend_row8<3>(row, 3, value, alpha, count);
    case 4: return blend_row8<4>(row, 4, value, alpha, count);
    default: return blend_row8<0>(row, c.pixel_stride, value, alpha, count);
  }
}

void fill_row(std::uint8_t* row, const Component& c, int value, int alpha, int count) {
  if (c.bits > 8) {
    for (int i = 0; i < count; ++i) blend16(row + i * c.pixel_stride, c, value, alpha);
    return;
  }
  switch (c.pixel_stride) {
    case 1: return fill_row8<1>(row, 1, value, alpha, count);
    case 2: return fill_row8<2>(row, 2, value, alpha, count);
    case 3: return fill_row8<3>(row, 3, value, alpha, count);
    case 4: return fill_row8<4>(row, 4, value, alpha, count);
    default: return fill_row8<0>(row, c.pixel_stride, value, alpha, count);
  }
}

// Fraction of sample `index` (2^shift pixels wide) that pixels [begin, end) cover.
float coverage(int index, int shift, int begin, int end) {
  const int covered = std::min(end, (index + 1) << shift) - std::max(begin, index << shift);
  return static_cast<float>(covered) / static_cast<float>(1 << shift);
}

void fill(const Component& c, const Item& item, Range x, Range y) {
  const Range columns{x.first >> c.column_shift, ((x.last - 1) >> c.column_shift) + 1};
  const float full = code_value(c, item.color.red / 255.0F, item.color.green / 255.0F, item.color.blue / 255.0F, 1);
  const auto run = [&](int row, int first, int last, float share) {
    const int alpha = static_cast<int>(std::lround(static_cast<float>(item.alpha) * share));
    const int value = static_cast<int>(std::lround(full * static_cast<float>(alpha) / 255.0F));
    fill_row(c.data + row * c.row_stride + first * c.pixel_stride, c, value, alpha, last - first);
  };
  const auto partly = [&](int column) { return coverage(column, c.column_shift, x.first, x.last) < 1; };
  for (int row = y.first >> c.row_shift; row <= (y.last - 1) >> c.row_shift; ++row) {
    const float share = coverage(row, c.row_shift, y.first, y.last);
    int first = columns.first, last = columns.last;
    if (partly(first)) {
      run(row, first, first + 1, share * coverage(first, c.column_shift, x.first, x.last));
      ++first;
    }
    if (first < last && partly(last - 1)) {
      --last;
      run(row, last, last + 1, share * coverage(last, c.column_shift, x.first, x.last));
    }
    if (first < last) run(row, first, last, share);
  }
}

// Averages over one sample's pixels; those outside the patch count as transparent. phase: where in a sample the
// patch's first pixel lies.
Samples convert(const Patch& patch, const Component& c, int phase_x, int phase_y) {
  Samples samples;
  samples.width = extent(patch.width + phase_x, c.column_shift);
  samples.height = extent(patch.height + phase_y, c.row_shift);
  const std::size_t count = static_cast<std::size_t>(samples.width) * samples.height;
  std::vector<std::array<std::uint32_t, 4>> sums(count, {0, 0, 0, 0});  // blue, green, red, alpha
  for (int y = 0; y < patch.height; ++y) {
    for (int x = 0; x < patch.width; ++x) {
      const std::uint32_t pixel = patch.pixels[static_cast<std::size_t>(y) * patch.width + x];
      auto& sum = sums[static_cast<std::size_t>((y + phase_y) >> c.row_shift) * samples.width +
                       ((x + phase_x) >> c.column_shift)];
      for (int i = 0; i < 4; ++i) sum[i] += (pixel >> (8 * i)) & 0xFF;
    }
  }
  const float scale = 1.0F / (255.0F * static_cast<float>(1 << (c.column_shift + c.row_shift)));
  samples.alpha.resize(count);
  samples.value.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto& sum = sums[i];
    const float alpha = std::round(static_cast<float>(sum[3]) * scale * 255.0F);
    const float value = code_value(c, static_cast<float>(sum[2]) * scale, static_cast<float>(sum[1]) * scale,
                                   static_cast<float>(sum[0]) * scale, static_cast<float>(sum[3]) * scale);
    const float bound = static_cast<float>((1 << c.bits) - 1) * alpha / 255.0F;
    samples.alpha[i] = static_cast<std::uint8_t>(alpha);
    samples.value[i] = static_cast<std::uint16_t>(std::lround(std::min(value, bound)));
  }
  return samples;
}

void blend(const Component& c, const Canvas& canvas, const Samples& samples, int column, int row) {
  const Range columns{std::max(0, column), std::min(extent(canvas.width, c.column_shift), column + samples.width)};
  const Range rows{std::max(0, row), std::min(extent(canvas.height, c.row_shift), row + samples.height)};
  if (columns.first >= columns.last) return;
  for (int y = rows.first; y < rows.last; ++y) {
    const std::size_t from = static_cast<std::size_t>(y - row) * samples.width + (columns.first - column);
    blend_row(c.data + y * c.row_stride + columns.first * c.pixel_stride, c, samples.value.data() + from,
              samples.alpha.data() + from, columns.last - columns.first);
  }
}

}  // namespace

bool Component::same_encoding(const Component& other) const {
  return column_shift == other.column_shift && row_shift == other.row_shift && bits == other.bits &&
         offset == other.offset && red == other.red && green == other.green && blue == other.blue;
}

Canvas bgr_canvas(std::uint8_t* data, int width, int height, std::ptrdiff_t stride) {
  Canvas canvas{width, height, {}};
  for (int i = 0; i < 3; ++i) {
    Component c;
    c.data = data + i;
    c.row_stride = stride;
    c.pixel_stride = 3;
    (i == 0 ? c.blue : i == 1 ? c.green : c.red) = 255;
    canvas.components.push_back(c);
  }
  return canvas;
}

struct Painter::State {
  std::vector<Component> encoding;  // that the cached samples are for
  std::unordered_map<std::uint64_t, Samples> cache;
  std::size_t bytes = 0;

  void begin(const Canvas& canvas) {
    const auto same = [](const Component& a, const Component& b) { return a.same_encoding(b); };
    const bool unchanged = std::equal(encoding.begin(), encoding.end(), canvas.components.begin(),
                                      canvas.components.end(), same);
    if (unchanged && bytes <= max_cached_bytes) return;
    encoding = canvas.components;
    cache.clear();
    bytes = 0;
  }

  const Samples& samples(const Patch& patch, std::size_t component, int phase_x, int phase_y) {
    // At most 4 components; phases are below 4 (no format has more than 4 pixels to a sample).
    const std::uint64_t key = ((patch.serial * 4 + component) * 4 + phase_x) * 4 + phase_y;
    const auto found = cache.find(key);
    if (found != cache.end()) return found->second;
    const Samples& made = cache.emplace(key, convert(patch, encoding[component], phase_x, phase_y)).first->second;
    bytes += made.alpha.size() * 3 + sizeof(Samples);
    return made;
  }
};

Painter::Painter() : state_(std::make_unique<State>()) {}
Painter::~Painter() = default;

void Painter::paint(const Canvas& canvas, const std::vector<Item>& items) {
  state_->begin(canvas);
  for (const Item& item : items) {
    const Range x{std::max(0, item.x), std::min(canvas.width, item.x + item.width)};
    const Range y{std::max(0, item.y), std::min(canvas.height, item.y + item.height)};
    if (x.first >= x.last || y.first >= y.last) continue;
    for (std::size_t i = 0; i < canvas.components.size(); ++i) {
      const Component& c = canvas.components[i];
      if (item.patch == nullptr) {
        fill(c, item, x, y);
        continue;
      }
      const int phase_x = item.x & ((1 << c.column_shift) - 1);
      const int phase_y = item.y & ((1 << c.row_shift) - 1);
      const Samples& samples = state_->samples(*item.patch, i, phase_x, phase_y);
      blend(c, canvas, samples, item.x >> c.column_shift, item.y >> c.row_shift);
    }
  }
}

}  // namespace smearscope::draw
