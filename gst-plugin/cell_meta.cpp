#include "cell_meta.h"

#include <gst/video/gstvideometa.h>

#include <algorithm>
#include <cmath>
#include <mutex>

namespace smearscope {
namespace {

constexpr const char* detection_name = "detection";
constexpr const char* truth_name = "ground-truth";

struct PixelRectangle {
  guint x, y, width, height;
};

PixelRectangle rounded(const Box& box) {
  const auto pixel = [](float value) { return static_cast<guint>(std::lround(std::max(value, 0.0F))); };
  const guint x = pixel(box.x_min), y = pixel(box.y_min);
  return {x, y, std::max(pixel(box.x_max), x + 1) - x, std::max(pixel(box.y_max), y + 1) - y};
}

void attach_region(GstBuffer* buffer, const std::string& class_name, const Box& box, GstStructure* params) {
  const PixelRectangle pixels = rounded(box);
  GstVideoRegionOfInterestMeta* region = gst_buffer_add_video_region_of_interest_meta(
      buffer, class_name.c_str(), pixels.x, pixels.y, pixels.width, pixels.height);
  gst_structure_set(params, "x_min", G_TYPE_DOUBLE, static_cast<double>(box.x_min), "y_min", G_TYPE_DOUBLE,
                    static_cast<double>(box.y_min), "x_max", G_TYPE_DOUBLE, static_cast<double>(box.x_max),
                    "y_max", G_TYPE_DOUBLE, static_cast<double>(box.y_max), nullptr);
  gst_video_region_of_interest_meta_add_param(region, params);
}

Box region_box(const GstVideoRegionOfInterestMeta& region, const GstStructure* params) {
  double x_min = 0, y_min = 0, x_max = 0, y_max = 0;
  const bool complete =
      gst_structure_get(params, "x_min", G_TYPE_DOUBLE, &x_min, "y_min", G_TYPE_DOUBLE, &y_min, "x_max",
                        G_TYPE_DOUBLE, &x_max, "y_max", G_TYPE_DOUBLE, &y_max, nullptr);
  const Box exact{static_cast<float>(x_min), static_cast<float>(y_min), static_cast<float>(x_max),
                  static_cast<float>(y_max)};
  const PixelRectangle pixels = rounded(exact);
  const bool untouched = complete && pixels.x == region.x && pixels.y == region.y &&
                         pixels.width == region.w && pixels.height == region.h;
  if (untouched) return exact;
  return {static_cast<float>(region.x), static_cast<float>(region.y), static_cast<float>(region.x + region.w),
          static_cast<float>(region.y + region.h)};
}

// Calls visit(region, params) for each region of interest that carries params of that name.
template <typename Visit>
void each_region(GstBuffer* buffer, const char* params_name, Visit visit) {
  gpointer state = nullptr;
  while (GstMeta* meta =
             gst_buffer_iterate_meta_filtered(buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE)) {
    auto* region = reinterpret_cast<GstVideoRegionOfInterestMeta*>(meta);
    if (const GstStructure* params = gst_video_region_of_interest_meta_get_param(region, params_name)) {
      visit(*region, params);
    }
  }
}

std::string class_name_of(const GstVideoRegionOfInterestMeta& region) {
  const char* name = g_quark_to_string(region.roi_type);
  return name ? name : "";
}

bool in_cuda_memory(GstBuffer* buffer) {
  return gst_buffer_n_memory(buffer) > 0 &&
         gst_memory_is_type(gst_buffer_peek_memory(buffer, 0), "gst.cuda.memory");
}

// Base classes carry regions of interest along only where the element says so, and GStreamer 1.22's
// cudadownload does not, though the picture stays as it is; custom metas without tags always go along. So
// they take the regions with them, in this one case: elsewhere regions that stay behind may be wrong for the
// new picture.
void bring_regions(GstBuffer* to, GstBuffer* from) {
  if (!in_cuda_memory(from) || in_cuda_memory(to)) return;
  if (gst_buffer_get_meta(to, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE)) return;
  gpointer state = nullptr;
  while (GstMeta* region =
             gst_buffer_iterate_meta_filtered(from, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE)) {
    GstMetaTransformCopy whole{FALSE, 0, static_cast<gsize>(-1)};
    region->info->transform_func(to, region, from, _gst_meta_transform_copy, &whole);
  }
}

gboolean transform_custom_meta(GstBuffer* to, GstCustomMeta* meta, GstBuffer* from, GQuark type, gpointer,
                               gpointer) {
  if (!GST_META_TRANSFORM_IS_COPY(type)) return FALSE;
  GstStructure* structure = gst_custom_meta_get_structure(meta);
  GstCustomMeta* copy = gst_buffer_add_custom_meta(to, gst_structure_get_name(structure));
  const auto copy_field = [](GQuark field, const GValue* value, gpointer into) -> gboolean {
    gst_structure_id_set_value(static_cast<GstStructure*>(into), field, value);
    return TRUE;
  };
  gst_structure_foreach(structure, copy_field, gst_custom_meta_get_structure(copy));
  // Of the metas that a frame may have this one comes after its regions, so that a copier which takes regions
  // along has done so.
  if (gst_structure_has_name(structure, detection_meta_name)) bring_regions(to, from);
  return TRUE;
}

// The tests' program and the plugin each hold a copy of this file, and GStreamer knows a name only once.
void register_custom_metas() {
  static std::once_flag once;
  std::call_once(once, [] {
    static const gchar* no_tags[] = {nullptr};
    for (const char* name : {detection_meta_name, stage_meta_name, tally_meta_name}) {
      if (!gst_meta_get_info(name))
        gst_meta_register_custom(name, no_tags, transform_custom_meta, nullptr, nullptr);
    }
  });
}

}  // namespace

void attach_cells(GstBuffer* buffer, const std::vector<Cell>& cells) {
  for (const Cell& cell : cells) {
    attach_region(buffer, cell.class_name, cell.box,
                  gst_structure_new(
                      detection_name, "confidence", G_TYPE_DOUBLE, cell.confidence, "label_id", G_TYPE_INT,
                      cell.label, "age", G_TYPE_UINT, cell.age, "family", G_TYPE_STRING, cell.family.c_str(),
                      "weak", G_TYPE_BOOLEAN, static_cast<gboolean>(cell.weak), "identity", G_TYPE_UINT64,
                      cell.identity, "counted_as", G_TYPE_STRING, cell.counted_as.c_str(), nullptr));
  }
}

std::vector<Cell> read_cells(GstBuffer* buffer) {
  std::vector<Cell> cells;
  each_region(buffer, detection_name,
              [&](const GstVideoRegionOfInterestMeta& region, const GstStructure* params) {
                Cell cell;
                cell.box = region_box(region, params);
                cell.class_name = class_name_of(region);
                gst_structure_get_double(params, "confidence", &cell.confidence);
                gst_structure_get_int(params, "label_id", &cell.label);
                gst_structure_get_uint(params, "age", &cell.age);
                gst_structure_get_uint64(params, "identity", &cell.identity);
                gboolean weak = FALSE;
                gst_structure_get_boolean(params, "weak", &weak);
                cell.weak = weak != FALSE;
                if (const gchar* family = gst_structure_get_string(params, "family")) cell.family = family;
                if (const gchar* name = gst_structure_get_string(params, "counted_as"))
                  cell.counted_as = name;
                cells.push_back(std::move(cell));
              });
  return cells;
}

void remove_cells(GstBuffer* buffer) {
  const auto drop_cell = [](GstBuffer*, GstMeta** meta, gpointer) -> gboolean {
    if ((*meta)->info->api != GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE) return TRUE;
    auto* region = reinterpret_cast<GstVideoRegionOfInterestMeta*>(*meta);
    if (gst_video_region_of_interest_meta_get_param(region, detection_name)) *meta = nullptr;
    return TRUE;
  };
  gst_buffer_foreach_meta(buffer, drop_cell, nullptr);
}

void attach_origin(GstBuffer* buffer, const DetectionOrigin& origin) {
  register_custom_metas();
  GstCustomMeta* meta = gst_buffer_add_custom_meta(buffer, detection_meta_name);
  gst_structure_set(gst_custom_meta_get_structure(meta), "model", G_TYPE_STRING, origin.model_digest.c_str(),
                    "age", G_TYPE_UINT, origin.age, "least_red_cell", G_TYPE_DOUBLE, origin.least_red_cell,
                    "largest_red_cell", G_TYPE_DOUBLE, origin.largest_red_cell, nullptr);
}

std::optional<DetectionOrigin> read_origin(GstBuffer* buffer) {
  register_custom_metas();
  GstCustomMeta* meta = gst_buffer_get_custom_meta(buffer, detection_meta_name);
  if (!meta) return std::nullopt;
  const GstStructure* structure = gst_custom_meta_get_structure(meta);
  const gchar* model = gst_structure_get_string(structure, "model");
  DetectionOrigin origin;
  if (!model || !gst_structure_get_uint(structure, "age", &origin.age)) return std::nullopt;
  origin.model_digest = model;
  gst_structure_get(structure, "least_red_cell", G_TYPE_DOUBLE, &origin.least_red_cell, "largest_red_cell",
                    G_TYPE_DOUBLE, &origin.largest_red_cell, nullptr);
  return origin;
}

void set_identities(GstBuffer* buffer, const std::vector<Cell>& cells) {
  std::size_t next = 0;
  each_region(buffer, detection_name, [&](const GstVideoRegionOfInterestMeta& region, const GstStructure*) {
    if (next == cells.size()) return;
    // The buffer is the caller's, and its metas with it.
    auto* meta = const_cast<GstVideoRegionOfInterestMeta*>(&region);
    const Cell& cell = cells[next++];
    gst_structure_set(gst_video_region_of_interest_meta_get_param(meta, detection_name), "identity",
                      G_TYPE_UINT64, cell.identity, "counted_as", G_TYPE_STRING, cell.counted_as.c_str(),
                      nullptr);
  });
}

void attach_tally(GstBuffer* buffer, const Tally& tally) {
  register_custom_metas();
  GstCustomMeta* meta = gst_buffer_get_custom_meta(buffer, tally_meta_name);
  if (!meta) meta = gst_buffer_add_custom_meta(buffer, tally_meta_name);
  set_tally(gst_custom_meta_get_structure(meta), tally);
  set_renames(gst_custom_meta_get_structure(meta), tally.renames);
}

std::optional<Tally> read_tally(GstBuffer* buffer) {
  register_custom_metas();
  GstCustomMeta* meta = gst_buffer_get_custom_meta(buffer, tally_meta_name);
  std::optional<Tally> tally = meta ? get_tally(gst_custom_meta_get_structure(meta)) : std::nullopt;
  if (tally) tally->renames = get_renames(gst_custom_meta_get_structure(meta));
  return tally;
}

void attach_true_cells(GstBuffer* buffer, const std::vector<TrueCell>& cells) {
  for (const TrueCell& cell : cells) {
    attach_region(
        buffer, cell.class_name, cell.box,
        gst_structure_new(truth_name, "label_id", G_TYPE_INT, cell.label, "identity", G_TYPE_UINT64,
                          cell.identity, "slide_x", G_TYPE_DOUBLE, cell.slide_x_um, "slide_y", G_TYPE_DOUBLE,
                          cell.slide_y_um, "visible", G_TYPE_DOUBLE, cell.visible, nullptr));
  }
}

std::vector<TrueCell> read_true_cells(GstBuffer* buffer) {
  std::vector<TrueCell> cells;
  each_region(buffer, truth_name,
              [&](const GstVideoRegionOfInterestMeta& region, const GstStructure* params) {
                TrueCell cell;
                cell.box = region_box(region, params);
                cell.class_name = class_name_of(region);
                gst_structure_get_int(params, "label_id", &cell.label);
                gst_structure_get_uint64(params, "identity", &cell.identity);
                gst_structure_get_double(params, "slide_x", &cell.slide_x_um);
                gst_structure_get_double(params, "slide_y", &cell.slide_y_um);
                gst_structure_get_double(params, "visible", &cell.visible);
                cells.push_back(std::move(cell));
              });
  return cells;
}

void attach_stage(GstBuffer* buffer, const StageState& stage) {
  register_custom_metas();
  GstCustomMeta* meta = gst_buffer_add_custom_meta(buffer, stage_meta_name);
  gst_structure_set(gst_custom_meta_get_structure(meta), "stage_x", G_TYPE_DOUBLE, stage.x_um, "stage_y",
                    G_TYPE_DOUBLE, stage.y_um, "focus", G_TYPE_DOUBLE, stage.focus_um, "pixel_size",
                    G_TYPE_DOUBLE, stage.pixel_size_um, nullptr);
}

std::optional<StageState> read_stage(GstBuffer* buffer) {
  register_custom_metas();
  GstCustomMeta* meta = gst_buffer_get_custom_meta(buffer, stage_meta_name);
  if (!meta) return std::nullopt;
  StageState stage;
  const bool complete =
      gst_structure_get(gst_custom_meta_get_structure(meta), "stage_x", G_TYPE_DOUBLE, &stage.x_um, "stage_y",
                        G_TYPE_DOUBLE, &stage.y_um, "focus", G_TYPE_DOUBLE, &stage.focus_um, "pixel_size",
                        G_TYPE_DOUBLE, &stage.pixel_size_um, nullptr);
  return complete ? std::optional<StageState>(stage) : std::nullopt;
}

}  // namespace smearscope
