// The GObject shell: properties, caps, queries, and errors turned into messages. Detection itself:
// detection/.
#include "gstcelldetect.h"

#include <gst/video/video.h>

#include <atomic>
#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include "cell_meta.h"
#include "detection/cell_detector.h"
#include "detection/engine_pool.h"
#include "detection/settings.h"
#include "detection/video_frame.h"

GST_DEBUG_CATEGORY_STATIC(cell_detect_debug);
#define GST_CAT_DEFAULT cell_detect_debug

using smearscope::CellDetector;

namespace {

struct State {
  // Guarded by the object's lock.
  smearscope::DetectionSettings settings;
  bool selection_changed = false;
  std::shared_ptr<CellDetector> detector;  // from start to stop
  smearscope::DetectionStats last_stats;   // of the last run, once stopped
  GstClockTime latency = 0;                // what the latency query answers beyond upstream's

  std::atomic<guint64> frames_dropped{0};

  // Streaming thread alone.
  GstVideoInfo info{};
  bool source_is_live = false;
};

enum Property : guint {
  prop_frames_detected = smearscope::first_free_property,
  prop_frames_skipped,
  prop_frames_dropped,
  prop_detection_time,
  prop_model_digest,
  prop_class_names,
};

GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE(SMEARSCOPE_FRAME_FORMATS)));
GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE(SMEARSCOPE_FRAME_FORMATS)));

}  // namespace

struct _GstCellDetect {
  GstBaseTransform parent;
  State* state;
};

G_DEFINE_TYPE(GstCellDetect, gst_cell_detect, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE(celldetect, "celldetect", GST_RANK_NONE, GST_TYPE_CELL_DETECT)

// ---- errors

static void post_error(GstCellDetect* self, GQuark domain, gint code, const std::exception& error) {
  GST_OBJECT_LOCK(self);
  const smearscope::DetectionSettings settings = self->state->settings;
  GST_OBJECT_UNLOCK(self);
  gst_element_message_full(
      GST_ELEMENT(self), GST_MESSAGE_ERROR, domain, code, g_strdup(error.what()),
      g_strdup_printf("model=%s device=%s precision=%s threads=%d classes=%s", settings.model.c_str(),
                      settings.device.c_str(), name_of(settings.precision), settings.threads,
                      settings.selection.classes.c_str()),
      __FILE__, GST_FUNCTION, __LINE__);
}

// Runs one step; what it throws becomes an element error of that domain and code.
template <typename Step>
static bool attempt(GstCellDetect* self, GQuark domain, gint code, Step step) {
  try {
    step();
    return true;
  } catch (const std::exception& error) {
    post_error(self, domain, code, error);
    return false;
  }
}

// ---- start and stop

static gboolean gst_cell_detect_start(GstBaseTransform* base) {
  auto* self = GST_CELL_DETECT(base);
  GST_OBJECT_LOCK(self);
  const smearscope::DetectionSettings settings = self->state->settings;
  GST_OBJECT_UNLOCK(self);

  std::string path;
  std::shared_ptr<const smearscope::Model> model;
  std::shared_ptr<CellDetector> detector;
  const bool ready = attempt(self, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
                             [&] { path = smearscope::find_model(settings.model); }) &&
                     attempt(self, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
                             [&] { model = smearscope::Model::load(path); }) &&
                     attempt(self, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS, [&] {
                       const smearscope::DetectorOptions options{smearscope::Device::parse(settings.device),
                                                                 settings.precision, settings.threads};
                       detector = std::make_shared<CellDetector>(smearscope::shared_detector(model, options),
                                                                 settings.selection);
                     });
  if (!ready) return FALSE;
  GST_INFO_OBJECT(self, "model %s, digest %s", path.c_str(), detector->model().digest().c_str());

  State& state = *self->state;
  gst_video_info_init(&state.info);
  state.frames_dropped = 0;
  GST_OBJECT_LOCK(self);
  state.detector = std::move(detector);
  state.selection_changed = false;
  state.latency = 0;
  GST_OBJECT_UNLOCK(self);
  return TRUE;
}

static gboolean gst_cell_detect_stop(GstBaseTransform* base) {
  auto* self = GST_CELL_DETECT(base);
  std::shared_ptr<CellDetector> detector;
  GST_OBJECT_LOCK(self);
  std::swap(detector, self->state->detector);
  GST_OBJECT_UNLOCK(self);
  if (!detector) return TRUE;
  const smearscope::DetectionStats stats = detector->stats();
  GST_OBJECT_LOCK(self);
  self->state->last_stats = stats;
  GST_OBJECT_UNLOCK(self);
  return TRUE;
}

// ---- stream

static bool source_is_live(GstCellDetect* self) {
  GstQuery* query = gst_query_new_latency();
  gboolean live = FALSE;
  if (gst_pad_peer_query(GST_BASE_TRANSFORM_SINK_PAD(self), query)) {
    gst_query_parse_latency(query, &live, nullptr, nullptr);
  }
  gst_query_unref(query);
  return live;
}

static gboolean gst_cell_detect_set_caps(GstBaseTransform* base, GstCaps* caps, GstCaps*) {
  auto* self = GST_CELL_DETECT(base);
  State& state = *self->state;
  GstVideoInfo info;
  if (!gst_video_info_from_caps(&info, caps)) return FALSE;
  if (!gst_video_info_is_equal(&info, &state.info)) state.detector->reset();
  state.info = info;

  state.source_is_live = source_is_live(self);
  GST_OBJECT_LOCK(self);
  const smearscope::DetectionMode mode = state.settings.mode;
  GST_OBJECT_UNLOCK(self);
  const bool live = mode == smearscope::DetectionMode::latest ||
                    (mode == smearscope::DetectionMode::automatic && state.source_is_live);
  if (live) state.detector->go_live();
  GST_INFO_OBJECT(self, "detecting %s", state.detector->live() ? "the latest frame" : "every frame");
  return TRUE;
}

// In a live pipeline that insists on every frame, sinks must allow for the time that detection takes.
static void update_latency(GstCellDetect* self) {
  State& state = *self->state;
  if (!state.source_is_live || state.detector->live()) return;
  // In steps, so that the pipeline is not reconfigured for each frame that took a little longer.
  const double step_ms = 10;
  const auto needed =
      static_cast<GstClockTime>(std::ceil(state.detector->stats().last_ms / step_ms) * step_ms) * GST_MSECOND;
  GST_OBJECT_LOCK(self);
  const bool longer = needed > state.latency;
  if (longer) state.latency = needed;
  GST_OBJECT_UNLOCK(self);
  if (longer) gst_element_post_message(GST_ELEMENT(self), gst_message_new_latency(GST_OBJECT(self)));
}

static void apply_selection(GstCellDetect* self) {
  State& state = *self->state;
  GST_OBJECT_LOCK(self);
  const bool changed = std::exchange(state.selection_changed, false);
  const smearscope::Selection selection = state.settings.selection;
  GST_OBJECT_UNLOCK(self);
  if (changed) state.detector->select(selection);
}

static GstFlowReturn gst_cell_detect_submit_input_buffer(GstBaseTransform* base, gboolean is_discont,
                                                         GstBuffer* input) {
  auto* parent = GST_BASE_TRANSFORM_CLASS(gst_cell_detect_parent_class);
  const GstFlowReturn flow = parent->submit_input_buffer(base, is_discont, input);
  if (flow == GST_BASE_TRANSFORM_FLOW_DROPPED)
    ++GST_CELL_DETECT(base)->state->frames_dropped;  // too late: QoS
  return flow;
}

// Instead of transform_ip, which would copy the pixels of a frame that someone else holds too: only metadata
// is added.
static GstFlowReturn gst_cell_detect_generate_output(GstBaseTransform* base, GstBuffer** output) {
  auto* self = GST_CELL_DETECT(base);
  GstBuffer* buffer = std::exchange(base->queued_buf, nullptr);
  *output = nullptr;
  if (!buffer) return GST_FLOW_OK;
  std::vector<smearscope::Cell> cells;
  const bool selected =
      attempt(self, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS, [&] { apply_selection(self); });
  const bool done = selected && attempt(self, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED, [&] {
                      const smearscope::MappedFrame frame(buffer, self->state->info);
                      cells = self->state->detector->process(frame.view());
                    });
  if (!done) {
    gst_buffer_unref(buffer);
    return GST_FLOW_ERROR;
  }
  update_latency(self);
  buffer = gst_buffer_make_writable(buffer);
  smearscope::attach_cells(buffer, cells);
  *output = buffer;
  return GST_FLOW_OK;
}

static gboolean gst_cell_detect_sink_event(GstBaseTransform* base, GstEvent* event) {
  auto* self = GST_CELL_DETECT(base);
  const bool new_stream =
      GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP || GST_EVENT_TYPE(event) == GST_EVENT_STREAM_START;
  if (new_stream && self->state->detector) self->state->detector->reset();
  // EOS waits for nothing: no frame is left to which a result could be attached.
  return GST_BASE_TRANSFORM_CLASS(gst_cell_detect_parent_class)->sink_event(base, event);
}

static gboolean gst_cell_detect_query(GstBaseTransform* base, GstPadDirection direction, GstQuery* query) {
  auto* self = GST_CELL_DETECT(base);
  const gboolean answered =
      GST_BASE_TRANSFORM_CLASS(gst_cell_detect_parent_class)->query(base, direction, query);
  if (!answered || direction != GST_PAD_SRC || GST_QUERY_TYPE(query) != GST_QUERY_LATENCY) return answered;
  gboolean live;
  GstClockTime least, most;
  gst_query_parse_latency(query, &live, &least, &most);
  GST_OBJECT_LOCK(self);
  const GstClockTime own = self->state->latency;
  GST_OBJECT_UNLOCK(self);
  gst_query_set_latency(query, live, least + own, GST_CLOCK_TIME_IS_VALID(most) ? most + own : most);
  return TRUE;
}

// ---- properties

static void gst_cell_detect_set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  auto* self = GST_CELL_DETECT(object);
  if (id >= smearscope::first_free_property) {
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    return;
  }
  GST_OBJECT_LOCK(self);
  set_setting(self->state->settings, id, value);
  self->state->selection_changed = true;
  GST_OBJECT_UNLOCK(self);
}

static void gst_cell_detect_get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  auto* self = GST_CELL_DETECT(object);
  State& state = *self->state;
  GST_OBJECT_LOCK(self);
  if (id < smearscope::first_free_property) get_setting(state.settings, id, value);
  const std::shared_ptr<CellDetector> detector = state.detector;
  smearscope::DetectionStats stats = state.last_stats;
  GST_OBJECT_UNLOCK(self);
  if (id < smearscope::first_free_property) return;
  if (detector) stats = detector->stats();
  switch (id) {
    case prop_frames_detected:
      g_value_set_uint64(value, stats.frames_detected);
      break;
    case prop_frames_skipped:
      g_value_set_uint64(value, stats.frames_skipped);
      break;
    case prop_frames_dropped:
      g_value_set_uint64(value, state.frames_dropped);
      break;
    case prop_detection_time:
      g_value_set_double(value, stats.last_ms);
      break;
    case prop_model_digest:
      g_value_set_string(value, detector ? detector->model().digest().c_str() : nullptr);
      break;
    case prop_class_names:
      g_value_set_string(value,
                         detector ? smearscope::joined(detector->model().info().classes).c_str() : nullptr);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

static void install_readings(GObjectClass* object_class) {
  const auto flags = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_property(
      object_class, prop_frames_detected,
      g_param_spec_uint64("frames-detected", "Frames detected",
                          "Frames whose detection has ended since the start", 0, G_MAXUINT64, 0, flags));
  g_object_class_install_property(
      object_class, prop_frames_skipped,
      g_param_spec_uint64("frames-skipped", "Frames skipped",
                          "Frames that passed without a detection of their own since the start (mode latest)",
                          0, G_MAXUINT64, 0, flags));
  g_object_class_install_property(
      object_class, prop_frames_dropped,
      g_param_spec_uint64("frames-dropped", "Frames dropped",
                          "Frames not passed on since the start, because they were already late (qos=true)",
                          0, G_MAXUINT64, 0, flags));
  g_object_class_install_property(
      object_class, prop_detection_time,
      g_param_spec_double("detection-time", "Detection time",
                          "Milliseconds that the last detection took, waiting for a shared engine included",
                          0, G_MAXDOUBLE, 0, flags));
  g_object_class_install_property(
      object_class, prop_model_digest,
      g_param_spec_string("model-digest", "Model digest",
                          "SHA-256 of the model file in use, in hex; NULL when stopped", nullptr, flags));
  g_object_class_install_property(
      object_class, prop_class_names,
      g_param_spec_string("class-names", "Class names",
                          "Classes that the model in use can tell apart, in label order; NULL when stopped",
                          nullptr, flags));
}

static void gst_cell_detect_finalize(GObject* object) {
  delete GST_CELL_DETECT(object)->state;
  G_OBJECT_CLASS(gst_cell_detect_parent_class)->finalize(object);
}

static void gst_cell_detect_init(GstCellDetect* self) {
  self->state = new State;
  gst_base_transform_set_passthrough(GST_BASE_TRANSFORM(self), TRUE);
}

static void gst_cell_detect_class_init(GstCellDetectClass* klass) {
  GST_DEBUG_CATEGORY_INIT(cell_detect_debug, "celldetect", 0, "blood cell detection");
  auto* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = gst_cell_detect_set_property;
  object_class->get_property = gst_cell_detect_get_property;
  object_class->finalize = gst_cell_detect_finalize;
  smearscope::install_settings(object_class);
  install_readings(object_class);

  auto* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(
      element_class, "Blood cell detector", "Filter/Analyzer/Video",
      "Finds blood cells in microscope video with a Faster R-CNN model and attaches each to its frame as a "
      "GstVideoRegionOfInterestMeta (roi_type: class name; params \"detection\": confidence, label_id, "
      "x_min, y_min, "
      "x_max, y_max in pixels, age in frames). Pixels pass untouched. Put celloverlay after it to see the "
      "cells",
      "Smearscope");
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_add_static_pad_template(element_class, &src_template);

  auto* transform_class = GST_BASE_TRANSFORM_CLASS(klass);
  transform_class->start = gst_cell_detect_start;
  transform_class->stop = gst_cell_detect_stop;
  transform_class->set_caps = gst_cell_detect_set_caps;
  transform_class->submit_input_buffer = gst_cell_detect_submit_input_buffer;
  transform_class->generate_output = gst_cell_detect_generate_output;
  transform_class->sink_event = gst_cell_detect_sink_event;
  transform_class->query = gst_cell_detect_query;
  transform_class->passthrough_on_same_caps = FALSE;
}
