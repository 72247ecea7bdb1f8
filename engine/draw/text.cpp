#include "draw/text.h"

#include <pango/pangocairo.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <unordered_map>

namespace smearscope::draw {
namespace {

constexpr std::size_t max_cached_bytes = 32U << 20U;
constexpr glong max_characters = 40;

struct Unref {
  void operator()(gpointer object) const { g_object_unref(object); }
};
template <typename T>
using GObjectPtr = std::unique_ptr<T, Unref>;

std::string printable(const std::string& text) {
  const std::unique_ptr<char, decltype(&g_free)> valid(
      g_utf8_make_valid(text.data(), static_cast<gssize>(text.size())), g_free);
  std::string result;
  glong count = 0;
  for (const char* p = valid.get(); *p != '\0'; p = g_utf8_next_char(p)) {
    if (++count == max_characters) return result + "\u2026";
    const gunichar c = g_utf8_get_char(p);
    const bool breaks = g_unichar_iscntrl(c) || c == 0x2028 || c == 0x2029;
    result.append(breaks ? " " : std::string(p, static_cast<std::size_t>(g_utf8_next_char(p) - p)));
  }
  return result;
}

void set_source(cairo_t* cairo, Color color, double alpha) {
  cairo_set_source_rgba(cairo, color.red / 255.0, color.green / 255.0, color.blue / 255.0, alpha);
}

std::string key_of(const std::string& text, const TextStyle& style) {
  std::string key(12, '\0');
  const std::uint8_t head[12] = {style.color.red,
                                 style.color.green,
                                 style.color.blue,
                                 style.background.red,
                                 style.background.green,
                                 style.background.blue,
                                 style.bold,
                                 style.filled,
                                 static_cast<std::uint8_t>(style.size),
                                 static_cast<std::uint8_t>(style.size >> 8),
                                 static_cast<std::uint8_t>(style.size >> 16),
                                 static_cast<std::uint8_t>(style.size >> 24)};
  std::memcpy(key.data(), head, sizeof head);
  return key + text;
}

Patch patch_of(cairo_surface_t* surface) {
  static std::atomic<std::uint64_t> next_serial{1};
  cairo_surface_flush(surface);
  Patch patch;
  patch.serial = next_serial++;
  patch.width = cairo_image_surface_get_width(surface);
  patch.height = cairo_image_surface_get_height(surface);
  patch.pixels.resize(static_cast<std::size_t>(patch.width) * patch.height);
  const unsigned char* data = cairo_image_surface_get_data(surface);
  const int stride = cairo_image_surface_get_stride(surface);
  for (int y = 0; y < patch.height; ++y) {
    std::memcpy(patch.pixels.data() + static_cast<std::size_t>(y) * patch.width,
                data + static_cast<std::ptrdiff_t>(y) * stride, patch.width * sizeof(std::uint32_t));
  }
  return patch;
}

}  // namespace

struct TextCache::State {
  // A font map of its own: Pango's default one belongs to a thread, and streaming threads come and go.
  GObjectPtr<PangoFontMap> font_map{pango_cairo_font_map_new()};
  GObjectPtr<PangoContext> context{pango_font_map_create_context(font_map.get())};
  std::string font;
  std::unordered_map<std::string, Patch> patches;
  std::size_t bytes = 0;

  GObjectPtr<PangoLayout> layout(const std::string& text, const TextStyle& style) const {
    GObjectPtr<PangoLayout> layout(pango_layout_new(context.get()));
    PangoFontDescription* description = pango_font_description_from_string(font.c_str());
    pango_font_description_set_absolute_size(description, style.size * static_cast<double>(PANGO_SCALE));
    pango_font_description_set_weight(description, style.bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    pango_layout_set_font_description(layout.get(), description);
    pango_font_description_free(description);
    pango_layout_set_single_paragraph_mode(layout.get(), TRUE);
    pango_layout_set_text(layout.get(), text.c_str(), -1);
    return layout;
  }

  Patch draw(const std::string& text, const TextStyle& style) const {
    const GObjectPtr<PangoLayout> line = layout(text, style);
    int text_width = 0, text_height = 0;
    pango_layout_get_pixel_size(line.get(), &text_width, &text_height);
    const int margin = style.filled ? std::max(2, style.size / 4) : 0;
    cairo_surface_t* surface = cairo_image_surface_create(
        CAIRO_FORMAT_ARGB32, std::max(1, text_width + 2 * margin), std::max(1, text_height));
    cairo_t* cairo = cairo_create(surface);
    if (style.filled) {
      set_source(cairo, style.background, 0.9);
      cairo_paint(cairo);
    }
    set_source(cairo, style.color, 1.0);
    cairo_move_to(cairo, margin, 0);
    pango_cairo_show_layout(cairo, line.get());
    cairo_destroy(cairo);
    Patch patch = patch_of(surface);
    cairo_surface_destroy(surface);
    return patch;
  }
};

TextCache::TextCache(const std::string& font) : state_(std::make_unique<State>()) {
  state_->font = font;
  // Grey, not subpixel: the picture may be scaled, and video has no known pixel layout.
  cairo_font_options_t* options = cairo_font_options_create();
  cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
  cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_SLIGHT);
  cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_ON);
  pango_cairo_context_set_font_options(state_->context.get(), options);
  cairo_font_options_destroy(options);
}

TextCache::~TextCache() = default;

const Patch& TextCache::render(const std::string& text, const TextStyle& style) {
  const std::string key = key_of(text, style);
  const auto found = state_->patches.find(key);
  if (found != state_->patches.end()) return found->second;
  const Patch& patch = state_->patches.emplace(key, state_->draw(printable(text), style)).first->second;
  state_->bytes += patch.pixels.size() * sizeof(std::uint32_t) + key.size();
  return patch;
}

void TextCache::trim() {
  if (state_->bytes <= max_cached_bytes) return;
  state_->patches.clear();
  state_->bytes = 0;
}

}  // namespace smearscope::draw
