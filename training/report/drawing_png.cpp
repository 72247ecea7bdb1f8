#include <pango/pangocairo.h>

#include <cmath>
#include <memory>

#include "report/drawing.h"
#include "smearscope/error.h"

namespace smearscope::training {
namespace {

constexpr double pi = 3.14159265358979323846;

struct Destroy {
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
  void operator()(cairo_t* cairo) const { cairo_destroy(cairo); }
  void operator()(PangoFontDescription* font) const { pango_font_description_free(font); }
  void operator()(PangoLayout* layout) const { g_object_unref(layout); }
};
template <typename T>
using Owned = std::unique_ptr<T, Destroy>;

void use(cairo_t* cairo, Color color, double opacity = 1) {
  cairo_set_source_rgba(cairo, color.red / 255.0, color.green / 255.0, color.blue / 255.0, opacity);
}

void paint(cairo_t* cairo, const Path& path) {
  for (const Point& p : path.points) cairo_line_to(cairo, p.x, p.y);
  use(cairo, path.color, path.opacity);
  if (path.filled) {
    cairo_close_path(cairo);
    cairo_fill(cairo);
    return;
  }
  cairo_set_line_width(cairo, path.width);
  cairo_set_dash(cairo, &path.dash, path.dash > 0 ? 1 : 0, 0);
  cairo_stroke(cairo);
}

void paint(cairo_t* cairo, const Disc& disc) {
  cairo_arc(cairo, disc.center.x, disc.center.y, disc.radius, 0, 2 * pi);
  use(cairo, disc.color);
  if (!disc.hollow) cairo_fill_preserve(cairo);
  cairo_set_line_width(cairo, 1.5);
  cairo_set_dash(cairo, nullptr, 0, 0);
  cairo_stroke(cairo);
}

void paint(cairo_t* cairo, const Label& label) {
  const Owned<PangoFontDescription> font(
      pango_font_description_from_string("Helvetica Neue, Arial, DejaVu Sans"));
  pango_font_description_set_absolute_size(font.get(), label.size * PANGO_SCALE);
  pango_font_description_set_weight(font.get(), label.bold ? PANGO_WEIGHT_SEMIBOLD : PANGO_WEIGHT_NORMAL);
  const Owned<PangoLayout> layout(pango_cairo_create_layout(cairo));
  pango_layout_set_font_description(layout.get(), font.get());
  pango_layout_set_text(layout.get(), label.text.data(), static_cast<int>(label.text.size()));
  pango_layout_set_single_paragraph_mode(layout.get(), TRUE);
  PangoRectangle extent;
  pango_layout_get_extents(layout.get(), nullptr, &extent);
  const double width = double(extent.width) / PANGO_SCALE;
  const double ascent = double(pango_layout_get_baseline(layout.get())) / PANGO_SCALE;
  const double before = label.anchor == Anchor::start ? 0 : label.anchor == Anchor::end ? width : width / 2;
  cairo_save(cairo);
  cairo_translate(cairo, label.at.x, label.at.y);
  if (label.upwards) cairo_rotate(cairo, -pi / 2);
  cairo_move_to(cairo, -before, -ascent);
  use(cairo, label.color);
  pango_cairo_show_layout(cairo, layout.get());
  cairo_restore(cairo);
  cairo_new_path(cairo);
}

cairo_status_t append(void* bytes, const unsigned char* data, unsigned int size) {
  static_cast<std::string*>(bytes)->append(reinterpret_cast<const char*>(data), size);
  return CAIRO_STATUS_SUCCESS;
}

}  // namespace

std::string png(const Drawing& drawing, double scale) {
  const Owned<cairo_surface_t> surface(
      cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(std::ceil(drawing.width * scale)),
                                 static_cast<int>(std::ceil(drawing.height * scale))));
  const Owned<cairo_t> cairo(cairo_create(surface.get()));
  cairo_scale(cairo.get(), scale, scale);
  use(cairo.get(), draw::white);
  cairo_paint(cairo.get());
  for (const Shape& shape : drawing.shapes)
    std::visit([&](const auto& each) { paint(cairo.get(), each); }, shape);
  std::string bytes;
  const cairo_status_t status = cairo_status(cairo.get()) != CAIRO_STATUS_SUCCESS
                                    ? cairo_status(cairo.get())
                                    : cairo_surface_write_to_png_stream(surface.get(), append, &bytes);
  if (status != CAIRO_STATUS_SUCCESS)
    throw Error("chart '" + drawing.title + "': cannot be drawn: " + cairo_status_to_string(status));
  return bytes;
}

}  // namespace smearscope::training
