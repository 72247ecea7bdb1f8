// cellgallery: keeps a picture of each counted cell. A shell around Gallery.
#include "gstcellgallery.h"

#include <gst/video/video.h>

#include <memory>
#include <optional>
#include <string>

#include "cell_meta.h"
#include "detection/queries.h"
#include "gallery/gallery.h"
#include "property_flags.h"
#include "smearscope/error.h"

GST_DEBUG_CATEGORY_STATIC(cell_gallery_debug);
#define GST_CAT_DEFAULT cell_gallery_debug

namespace {

enum Property { prop_gallery_location = 1, prop_gallery_most };

constexpr guint default_most = 100;

GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE(GST_VIDEO_FORMATS_ALL)));
GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE(GST_VIDEO_FORMATS_ALL)));

using Converter = std::unique_ptr<GstVideoConverter, void (*)(GstVideoConverter*)>;

struct State {
  std::string location;       // object lock; fixed from READY on
  guint most = default_most;  // likewise
  // Streaming thread, or none:
  std::unique_ptr<smearscope::Gallery> gallery;  // from start to stop; none: none was asked for
  bool frames_came = false, tally_came = false;
  GstVideoInfo info, bgr;
  Converter to_bgr{nullptr, gst_video_converter_free};
};

}  // namespace

struct _GstCellGallery {
  GstBaseTransform parent;
  State* state;
};

G_DEFINE_TYPE(GstCellGallery, gst_cell_gallery, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE(cellgallery, "cellgallery", GST_RANK_NONE, GST_TYPE_CELL_GALLERY)

static void gst_cell_gallery_set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  GstCellGallery* self = GST_CELL_GALLERY(object);
  GST_OBJECT_LOCK(self);
  switch (id) {
    case prop_gallery_location: {
      const gchar* text = g_value_get_string(value);
      self->state->location = text != nullptr ? text : "";
      break;
    }
    case prop_gallery_most:
      self->state->most = g_value_get_uint(value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
      break;
  }
  GST_OBJECT_UNLOCK(self);
}

static void gst_cell_gallery_get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  GstCellGallery* self = GST_CELL_GALLERY(object);
  GST_OBJECT_LOCK(self);
  switch (id) {
    case prop_gallery_location:
      g_value_set_string(value, self->state->location.c_str());
      break;
    case prop_gallery_most:
      g_value_set_uint(value, self->state->most);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
      break;
  }
  GST_OBJECT_UNLOCK(self);
}

// The gallery is done with: its error is told once.
static void write_error(GstCellGallery* self, const std::exception& error) {
  self->state->gallery.reset();
  GST_ELEMENT_ERROR(self, RESOURCE, WRITE, ("Can't write the gallery. %s", error.what()), (nullptr));
}

static gboolean gst_cell_gallery_start(GstBaseTransform* base) {
  GstCellGallery* self = GST_CELL_GALLERY(base);
  State& state = *self->state;
  GST_OBJECT_LOCK(self);
  const std::string location = state.location;
  const guint most = state.most;
  GST_OBJECT_UNLOCK(self);
  state.frames_came = state.tally_came = false;
  if (location.empty()) return TRUE;
  try {
    state.gallery = std::make_unique<smearscope::Gallery>(location, most);
    if (state.gallery->folder() != location)
      GST_ELEMENT_INFO(
          self, RESOURCE, SETTINGS,
          ("%s holds something, so the gallery is in %s.", location.c_str(), state.gallery->folder().c_str()),
          (nullptr));
  } catch (const std::exception& error) {
    write_error(self, error);
    return FALSE;
  }
  return TRUE;
}

// What still waits is written, and whoever waits for the end of the stream finds all of it.
static void finish(GstCellGallery* self) {
  State& state = *self->state;
  if (!state.gallery) return;
  if (state.frames_came && !state.tally_came) {
    GST_ELEMENT_WARNING(self, RESOURCE, SETTINGS,
                        ("No cells were counted for gallery-location. Put celltally, with tally=true, before "
                         "cellgallery."),
                        (nullptr));
    state.frames_came = false;  // once is enough
  }
  try {
    state.gallery->finish();
  } catch (const std::exception& error) {
    write_error(self, error);
  }
}

static gboolean gst_cell_gallery_stop(GstBaseTransform* base) {
  GstCellGallery* self = GST_CELL_GALLERY(base);
  finish(self);
  self->state->gallery.reset();
  self->state->to_bgr.reset();
  return TRUE;
}

static gboolean gst_cell_gallery_sink_event(GstBaseTransform* base, GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_EOS) finish(GST_CELL_GALLERY(base));
  return GST_BASE_TRANSFORM_CLASS(gst_cell_gallery_parent_class)->sink_event(base, event);
}

static gboolean gst_cell_gallery_set_caps(GstBaseTransform* base, GstCaps* caps, GstCaps*) {
  State& state = *GST_CELL_GALLERY(base)->state;
  if (!gst_video_info_from_caps(&state.info, caps)) return FALSE;
  state.to_bgr.reset();
  return TRUE;
}

// The frame in 8-bit BGR, in its own memory.
static cv::Mat picture_of(State& state, GstBuffer* buffer) {
  const int width = GST_VIDEO_INFO_WIDTH(&state.info), height = GST_VIDEO_INFO_HEIGHT(&state.info);
  if (!state.to_bgr) {
    gst_video_info_set_interlaced_format(&state.bgr, GST_VIDEO_FORMAT_BGR,
                                         GST_VIDEO_INFO_INTERLACE_MODE(&state.info),
                                         static_cast<guint>(width), static_cast<guint>(height));
    GST_VIDEO_INFO_FPS_N(&state.bgr) = GST_VIDEO_INFO_FPS_N(&state.info);
    GST_VIDEO_INFO_FPS_D(&state.bgr) = GST_VIDEO_INFO_FPS_D(&state.info);
    state.to_bgr.reset(gst_video_converter_new(&state.info, &state.bgr, nullptr));
  }
  GstVideoFrame from, to;
  if (!state.to_bgr || !gst_video_frame_map(&from, &state.info, buffer, GST_MAP_READ))
    throw smearscope::Error("A frame can't be read");
  GstBuffer* converted = gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&state.bgr), nullptr);
  cv::Mat picture;
  if (gst_video_frame_map(&to, &state.bgr, converted, GST_MAP_READWRITE)) {
    gst_video_converter_frame(state.to_bgr.get(), &from, &to);
    picture = cv::Mat(height, width, CV_8UC3, GST_VIDEO_FRAME_PLANE_DATA(&to, 0),
                      static_cast<std::size_t>(GST_VIDEO_FRAME_PLANE_STRIDE(&to, 0)))
                  .clone();
    gst_video_frame_unmap(&to);
  }
  gst_buffer_unref(converted);
  gst_video_frame_unmap(&from);
  if (picture.empty()) throw smearscope::Error("Not enough memory for a picture");
  return picture;
}

static GstFlowReturn gst_cell_gallery_transform_ip(GstBaseTransform* base, GstBuffer* buffer) {
  GstCellGallery* self = GST_CELL_GALLERY(base);
  State& state = *self->state;
  if (!state.gallery) return GST_FLOW_OK;
  if (!state.frames_came)
    state.gallery->set_live(smearscope::source_is_live(GST_BASE_TRANSFORM_SINK_PAD(base)));
  state.frames_came = true;
  const std::optional<smearscope::Tally> tally = smearscope::read_tally(buffer);
  if (!tally) return GST_FLOW_OK;
  state.tally_came = true;
  try {
    state.gallery->add(smearscope::read_cells(buffer), *tally, GST_VIDEO_INFO_WIDTH(&state.info),
                       GST_VIDEO_INFO_HEIGHT(&state.info), [&] { return picture_of(state, buffer); });
  } catch (const std::exception& error) {
    write_error(self, error);
    return GST_FLOW_ERROR;
  }
  return GST_FLOW_OK;
}

static void gst_cell_gallery_finalize(GObject* object) {
  delete GST_CELL_GALLERY(object)->state;
  G_OBJECT_CLASS(gst_cell_gallery_parent_class)->finalize(object);
}

static void gst_cell_gallery_init(GstCellGallery* self) {
  self->state = new State;
  gst_base_transform_set_passthrough(GST_BASE_TRANSFORM(self), TRUE);
}

static void gst_cell_gallery_class_init(GstCellGalleryClass* klass) {
  GST_DEBUG_CATEGORY_INIT(cell_gallery_debug, "cellgallery", 0, "keeps pictures of counted cells");
  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = gst_cell_gallery_set_property;
  object_class->get_property = gst_cell_gallery_get_property;
  object_class->finalize = gst_cell_gallery_finalize;
  g_object_class_install_property(
      object_class, prop_gallery_location,
      g_param_spec_string(
          "gallery-location", "Gallery location",
          "New folder that gets a picture of each cell that celltally counts, by class, to be confirmed or "
          "corrected by moving it to a class, and the frames they come from, for training: some 0.4 MB each "
          "at 640x480, 3 MB at 1920x1080. If it holds something, a number is appended (none = no gallery)",
          "", smearscope::before_start));
  g_object_class_install_property(
      object_class, prop_gallery_most,
      g_param_spec_uint("gallery-most", "Gallery most",
                        "No more pictures are taken of cells of a class that has so many", 1, 100000,
                        default_most, smearscope::before_start));

  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(
      element_class, "Cell gallery", "Filter/Analyzer/Video",
      "Keeps a picture of each cell that celltally counted; the frames pass unchanged", "Smearscope");
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_add_static_pad_template(element_class, &src_template);

  GstBaseTransformClass* base_class = GST_BASE_TRANSFORM_CLASS(klass);
  base_class->start = gst_cell_gallery_start;
  base_class->stop = gst_cell_gallery_stop;
  base_class->set_caps = gst_cell_gallery_set_caps;
  base_class->sink_event = gst_cell_gallery_sink_event;
  base_class->transform_ip = gst_cell_gallery_transform_ip;
  base_class->transform_ip_on_passthrough = TRUE;
}
