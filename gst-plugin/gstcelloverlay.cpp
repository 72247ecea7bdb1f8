// celloverlay: draws the cells that celldetect attached to a frame. A shell around CellPainter.
#include "gstcelloverlay.h"

#include <new>
#include <string>
#include <vector>

#include "overlay/cell_painter.h"
#include "property_flags.h"

GST_DEBUG_CATEGORY_STATIC(cell_overlay_debug);
#define GST_CAT_DEFAULT cell_overlay_debug

namespace {

using smearscope::CellPainter;
using smearscope::CellPainterSettings;
using smearscope::draw::PanelPosition;

enum Property {
  prop_show_boxes = 1,
  prop_show_labels,
  prop_show_scores,
  prop_show_counts,
  prop_show_scale,
  prop_show_warnings,
  prop_panel_position,
  prop_font,
  prop_font_scale,
  prop_line_width,
  prop_min_confidence,
  prop_stale_after,
};

GType panel_position_type() {
  static const GEnumValue values[] = {
      {static_cast<int>(PanelPosition::top_left), "Top left corner", "top-left"},
      {static_cast<int>(PanelPosition::top_right), "Top right corner", "top-right"},
      {static_cast<int>(PanelPosition::bottom_left), "Bottom left corner", "bottom-left"},
      {static_cast<int>(PanelPosition::bottom_right), "Bottom right corner", "bottom-right"},
      {0, nullptr, nullptr},
  };
  static const GType type = g_enum_register_static("GstCellOverlayPanelPosition", values);
  return type;
}

GstCaps* drawable_caps() {
  guint count = 0;
  const GstVideoFormat* all = gst_video_formats_raw(&count);
  std::vector<GstVideoFormat> drawable;
  for (guint i = 0; i < count; ++i) {
    if (smearscope::can_draw_on(all[i])) drawable.push_back(all[i]);
  }
  return gst_video_make_raw_caps(drawable.data(), static_cast<guint>(drawable.size()));
}

}  // namespace

struct _GstCellOverlay {
  GstVideoFilter parent;
  CellPainterSettings* settings;  // object lock
  bool changed;                   // object lock: settings differ from those the painter has
  CellPainter* painter;           // streaming thread; exists from start to stop
};

G_DEFINE_TYPE(GstCellOverlay, gst_cell_overlay, GST_TYPE_VIDEO_FILTER)
GST_ELEMENT_REGISTER_DEFINE(celloverlay, "celloverlay", GST_RANK_NONE, GST_TYPE_CELL_OVERLAY)

static void gst_cell_overlay_set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  GstCellOverlay* self = GST_CELL_OVERLAY(object);
  GST_OBJECT_LOCK(self);
  CellPainterSettings& settings = *self->settings;
  switch (id) {
    case prop_show_boxes:
      settings.options.boxes = g_value_get_boolean(value);
      break;
    case prop_show_labels:
      settings.options.labels = g_value_get_boolean(value);
      break;
    case prop_show_scores:
      settings.options.scores = g_value_get_boolean(value);
      break;
    case prop_show_counts:
      settings.options.counts = g_value_get_boolean(value);
      break;
    case prop_show_scale:
      settings.options.scale_bar = g_value_get_boolean(value);
      break;
    case prop_show_warnings:
      settings.options.warnings = g_value_get_boolean(value);
      break;
    case prop_panel_position:
      settings.options.panel_position = static_cast<PanelPosition>(g_value_get_enum(value));
      break;
    case prop_font: {
      const gchar* font = g_value_get_string(value);
      settings.options.font = font != nullptr ? font : "Sans";
      break;
    }
    case prop_font_scale:
      settings.options.font_scale = g_value_get_double(value);
      break;
    case prop_line_width:
      settings.options.line_width = g_value_get_int(value);
      break;
    case prop_min_confidence:
      settings.min_confidence = g_value_get_double(value);
      break;
    case prop_stale_after:
      settings.stale_after = g_value_get_uint(value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
      break;
  }
  self->changed = true;
  GST_OBJECT_UNLOCK(self);
}

static void gst_cell_overlay_get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  GstCellOverlay* self = GST_CELL_OVERLAY(object);
  GST_OBJECT_LOCK(self);
  const CellPainterSettings& settings = *self->settings;
  switch (id) {
    case prop_show_boxes:
      g_value_set_boolean(value, settings.options.boxes);
      break;
    case prop_show_labels:
      g_value_set_boolean(value, settings.options.labels);
      break;
    case prop_show_scores:
      g_value_set_boolean(value, settings.options.scores);
      break;
    case prop_show_counts:
      g_value_set_boolean(value, settings.options.counts);
      break;
    case prop_show_scale:
      g_value_set_boolean(value, settings.options.scale_bar);
      break;
    case prop_show_warnings:
      g_value_set_boolean(value, settings.options.warnings);
      break;
    case prop_panel_position:
      g_value_set_enum(value, static_cast<int>(settings.options.panel_position));
      break;
    case prop_font:
      g_value_set_string(value, settings.options.font.c_str());
      break;
    case prop_font_scale:
      g_value_set_double(value, settings.options.font_scale);
      break;
    case prop_line_width:
      g_value_set_int(value, settings.options.line_width);
      break;
    case prop_min_confidence:
      g_value_set_double(value, settings.min_confidence);
      break;
    case prop_stale_after:
      g_value_set_uint(value, settings.stale_after);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
      break;
  }
  GST_OBJECT_UNLOCK(self);
}

static gboolean gst_cell_overlay_start(GstBaseTransform* base) {
  GstCellOverlay* self = GST_CELL_OVERLAY(base);
  GST_OBJECT_LOCK(self);
  self->painter = new CellPainter(*self->settings);
  self->changed = false;
  GST_OBJECT_UNLOCK(self);
  return TRUE;
}

static gboolean gst_cell_overlay_stop(GstBaseTransform* base) {
  GstCellOverlay* self = GST_CELL_OVERLAY(base);
  delete self->painter;
  self->painter = nullptr;
  return TRUE;
}

static GstFlowReturn gst_cell_overlay_transform_frame_ip(GstVideoFilter* filter, GstVideoFrame* frame) {
  GstCellOverlay* self = GST_CELL_OVERLAY(filter);
  GST_OBJECT_LOCK(self);
  const bool changed = self->changed;
  const CellPainterSettings settings = changed ? *self->settings : CellPainterSettings{};
  self->changed = false;
  GST_OBJECT_UNLOCK(self);
  try {
    if (changed) self->painter->change(settings);
    self->painter->paint(frame, smearscope::read_cells(frame->buffer), smearscope::read_tally(frame->buffer));
  } catch (const std::bad_alloc&) {
    GST_ELEMENT_ERROR(self, RESOURCE, NO_SPACE_LEFT, ("Not enough memory to draw on a frame."), (nullptr));
    return GST_FLOW_ERROR;
  }
  return GST_FLOW_OK;
}

static void gst_cell_overlay_finalize(GObject* object) {
  delete GST_CELL_OVERLAY(object)->settings;
  G_OBJECT_CLASS(gst_cell_overlay_parent_class)->finalize(object);
}

static void gst_cell_overlay_init(GstCellOverlay* self) {
  self->settings = new CellPainterSettings;
}

static void install_properties(GObjectClass* klass) {
  const auto flags = static_cast<GParamFlags>(smearscope::any_time | GST_PARAM_CONTROLLABLE);
  const CellPainterSettings defaults;
  const auto add_switch = [&](Property id, const char* name, const char* nick, const char* blurb) {
    g_object_class_install_property(klass, id, g_param_spec_boolean(name, nick, blurb, TRUE, flags));
  };
  add_switch(prop_show_boxes, "show-boxes", "Show boxes",
             "Draw a box around each cell, in its class's colour");
  add_switch(prop_show_labels, "show-labels", "Show labels",
             "Write each cell's class on its box; shortened where there is little room");
  add_switch(prop_show_scores, "show-scores", "Show scores",
             "Write each cell's confidence in percent, rounded down, behind its class");
  add_switch(
      prop_show_counts, "show-counts", "Show counts",
      "Draw a panel with the number of cells of each class that celltally counted, or without it in this "
      "frame, and their total");
  add_switch(prop_show_scale, "show-scale", "Show scale",
             "Draw a scale bar, where a celltally before this element knows the pixel size; one that the red "
             "cells tell is marked with \u2248");
  add_switch(prop_show_warnings, "show-warnings", "Show warnings",
             "Say below the picture that it is out of focus or too dark, or that cells are too small or too "
             "large for the model, where a celltally before this element finds it so");
  g_object_class_install_property(
      klass, prop_panel_position,
      g_param_spec_enum("panel-position", "Panel position", "Corner of the frame where the counts stand",
                        panel_position_type(), static_cast<int>(defaults.options.panel_position), flags));
  g_object_class_install_property(
      klass, prop_font,
      g_param_spec_string("font", "Font",
                          "Font family, or several separated by commas (the first one installed is used)",
                          defaults.options.font.c_str(), flags));
  g_object_class_install_property(
      klass, prop_font_scale,
      g_param_spec_double("font-scale", "Font scale",
                          "Text size, relative to the size that suits the frame's height", 0.25, 8.0,
                          defaults.options.font_scale, flags));
  g_object_class_install_property(
      klass, prop_line_width,
      g_param_spec_int(
          "line-width", "Line width",
          "Width of a box's line in pixels, thinner on small boxes (0 = what suits the frame's height)", 0,
          64, defaults.options.line_width, flags));
  g_object_class_install_property(klass, prop_min_confidence,
                                  g_param_spec_double("min-confidence", "Minimum confidence",
                                                      "Cells below it are neither drawn nor counted", 0.0,
                                                      1.0, defaults.min_confidence, flags));
  g_object_class_install_property(
      klass, prop_stale_after,
      g_param_spec_uint(
          "stale-after", "Stale after",
          "Draw a cell's box dashed when its detection is more than this many frames old (0 = never)", 0,
          G_MAXUINT, defaults.stale_after, flags));
}

static void gst_cell_overlay_class_init(GstCellOverlayClass* klass) {
  GST_DEBUG_CATEGORY_INIT(cell_overlay_debug, "celloverlay", 0, "draws cells on video");
  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = gst_cell_overlay_set_property;
  object_class->get_property = gst_cell_overlay_get_property;
  object_class->finalize = gst_cell_overlay_finalize;
  install_properties(object_class);

  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(
      element_class, "Cell overlay", "Filter/Effect/Video",
      "Draws the cells that celldetect found: boxes, class names, confidences, a panel of counts, a "
      "scale bar, and a warning where the picture is poor",
      "Smearscope");
  GstCaps* caps = drawable_caps();
  gst_element_class_add_pad_template(element_class,
                                     gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, caps));
  gst_element_class_add_pad_template(element_class,
                                     gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, caps));
  gst_caps_unref(caps);
  gst_type_mark_as_plugin_api(panel_position_type(), static_cast<GstPluginAPIFlags>(0));

  GstBaseTransformClass* base_class = GST_BASE_TRANSFORM_CLASS(klass);
  base_class->start = gst_cell_overlay_start;
  base_class->stop = gst_cell_overlay_stop;
  GST_VIDEO_FILTER_CLASS(klass)->transform_frame_ip = gst_cell_overlay_transform_frame_ip;
}
