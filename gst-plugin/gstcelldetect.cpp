// The GObject shell: properties, caps, queries, and errors turned into messages. Detection itself:
// detection/.
#include "gstcelldetect.h"

#include <gst/video/video.h>

#include <atomic>
#include <cmath>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "cell_meta.h"
#include "detection/cell_detector.h"
#include "detection/complaints.h"
#include "detection/frame_memory.h"
#include "detection/model_loader.h"
#include "detection/queries.h"
#include "detection/readings.h"
#include "detection/settings.h"
#include "detection/video_frame.h"

GST_DEBUG_CATEGORY_STATIC(cell_detect_debug);
#define GST_CAT_DEFAULT cell_detect_debug

using smearscope::CellDetector;

namespace {

struct State {
  std::mutex mutex;  // guards these; never held during a detection or a load
  smearscope::DetectionSettings settings;
  bool selection_changed = false;
  std::shared_ptr<CellDetector> detector;           // from start to stop
  std::unique_ptr<smearscope::ModelLoader> loader;  // likewise
  std::string model_in_use;                         // as it was set
  smearscope::DetectionStats last_stats;            // of the last run, once stopped
  GstClockTime latency = 0;                         // what the latency query answers beyond upstream's

  std::atomic<guint64> frames_dropped{0};

  smearscope::FrameMemory memory;

  // Streaming thread alone.
  GstVideoInfo info{};
  bool source_is_live = false;
};

using Lock = std::lock_guard<std::mutex>;

#define FRAME_CAPS                              \
  GST_VIDEO_CAPS_MAKE(SMEARSCOPE_FRAME_FORMATS) \
  "; " GST_VIDEO_CAPS_MAKE_WITH_FEATURES(SMEARSCOPE_CUDA_MEMORY, SMEARSCOPE_CUDA_FRAME_FORMATS)
GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(FRAME_CAPS));
GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(FRAME_CAPS));

}  // namespace

struct _GstCellDetect {
  GstBaseTransform parent;
  State* state;
};

G_DEFINE_TYPE(GstCellDetect, gst_cell_detect, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE(celldetect, "celldetect", GST_RANK_NONE, GST_TYPE_CELL_DETECT)

// ---- messages

static smearscope::DetectionSettings settings_of(GstCellDetect* self) {
  const Lock lock(self->state->mutex);
  return self->state->settings;
}

// Runs one step; what it throws becomes an element error of that domain and code.
template <typename Step>
static bool attempt(GstCellDetect* self, GQuark domain, gint code, Step step) {
  try {
    step();
    return true;
  } catch (const smearscope::LoadError& error) {
    post_complaint(GST_ELEMENT(self), GST_MESSAGE_ERROR, error.step, error.what(), settings_of(self));
  } catch (const std::exception& error) {
    post_complaint(GST_ELEMENT(self), GST_MESSAGE_ERROR, domain, code, error.what(), settings_of(self));
  }
  return false;
}

static void post_model_loaded(GstCellDetect* self, const smearscope::ReadyModel& ready) {
  GstStructure* structure = smearscope::model_loaded(ready);
  GST_INFO_OBJECT(self, "%" GST_PTR_FORMAT, structure);
  gst_element_post_message(GST_ELEMENT(self), gst_message_new_element(GST_OBJECT(self), structure));
}

// ---- a new model beside the stream; see ModelLoader::Client

static void use_model(GstCellDetect* self, const smearscope::ReadyModel& ready) {
  State& state = *self->state;
  std::shared_ptr<CellDetector> stream;
  std::shared_ptr<smearscope::Detector> old;
  {
    const Lock lock(state.mutex);
    if (!state.loader || state.loader->newer_request()) return;
    stream = state.detector;
    old = stream->swap(ready.detector, state.settings.selection);
    state.selection_changed = false;
    state.model_in_use = state.settings.model;
  }
  post_model_loaded(self, ready);
  if (old != ready.detector) stream->wait_for(*old);
}

// What was asked for together with the refused model goes with it: the properties tell what is in use.
static void refuse_model(GstCellDetect* self, const smearscope::LoadError& error) {
  State& state = *self->state;
  {
    const Lock lock(state.mutex);
    if (!state.loader || state.loader->newer_request()) return;
    state.settings.model = state.model_in_use;
    try {
      state.detector->select(state.settings.selection);
    } catch (const smearscope::Error&) {
      state.settings.selection.classes = state.detector->classes();
      state.detector->select(state.settings.selection);
    }
    state.selection_changed = false;
  }
  post_complaint(GST_ELEMENT(self), GST_MESSAGE_WARNING, error.step,
                 std::string("New model refused, the old one stays in use. ") + error.what(),
                 settings_of(self));
}

// ---- start and stop

static gboolean gst_cell_detect_start(GstBaseTransform* base) {
  auto* self = GST_CELL_DETECT(base);
  State& state = *self->state;
  smearscope::DetectionSettings settings;
  {
    const Lock lock(state.mutex);
    settings = state.settings;
    state.selection_changed = false;
  }
  std::optional<smearscope::ReadyModel> ready;
  std::shared_ptr<CellDetector> detector;
  const bool made = attempt(self, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS, [&] {
    ready = smearscope::load_model(settings.model, engine_options(settings));
    detector = std::make_shared<CellDetector>(ready->detector, settings.selection);
  });
  if (!made) return FALSE;

  state.memory.start(ready->detector->options().device, settings.mode == smearscope::DetectionMode::latest);
  gst_video_info_init(&state.info);
  state.frames_dropped = 0;
  {
    const Lock lock(state.mutex);
    state.detector = std::move(detector);
    state.latency = 0;
    state.model_in_use = settings.model;
    state.loader = std::make_unique<smearscope::ModelLoader>(
        settings.model, *ready,
        smearscope::ModelLoader::Client{
            [self](const smearscope::ReadyModel& model) { use_model(self, model); },
            [self](const smearscope::LoadError& error) { refuse_model(self, error); }});
    state.loader->watch(state.settings.model_watch);
  }
  post_model_loaded(self, *ready);
  return TRUE;
}

static gboolean gst_cell_detect_stop(GstBaseTransform* base) {
  State& state = *GST_CELL_DETECT(base)->state;
  std::unique_ptr<smearscope::ModelLoader> loader;
  std::shared_ptr<CellDetector> detector;
  {
    const Lock lock(state.mutex);
    std::swap(loader, state.loader);
    std::swap(detector, state.detector);
  }
  if (!detector) return TRUE;
  loader.reset();
  state.memory.stop();
  const smearscope::DetectionStats stats = detector->stats();
  const Lock lock(state.mutex);
  state.last_stats = stats;
  return TRUE;
}

// ---- stream

static gboolean gst_cell_detect_set_caps(GstBaseTransform* base, GstCaps* caps, GstCaps*) {
  auto* self = GST_CELL_DETECT(base);
  State& state = *self->state;
  GstVideoInfo info;
  if (!gst_video_info_from_caps(&info, caps)) return FALSE;
  if (!gst_video_info_is_equal(&info, &state.info)) state.detector->reset();
  state.info = info;

  state.source_is_live = smearscope::source_is_live(GST_BASE_TRANSFORM_SINK_PAD(self));
  smearscope::DetectionMode mode;
  {
    const Lock lock(state.mutex);
    mode = state.settings.mode;
    state.loader->frame_size(GST_VIDEO_INFO_WIDTH(&info), GST_VIDEO_INFO_HEIGHT(&info));
  }
  if (!attempt(self, GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE, [&] { state.memory.set_caps(caps); })) {
    return FALSE;
  }
  // A GPU that has the frame already needs no help to keep up, and so `auto` is `every` there.
  const bool live =
      mode == smearscope::DetectionMode::latest ||
      (mode == smearscope::DetectionMode::automatic && state.source_is_live && !state.memory.cuda_frames());
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
  bool longer;
  {
    const Lock lock(state.mutex);
    longer = needed > state.latency;
    if (longer) state.latency = needed;
  }
  if (longer) gst_element_post_message(GST_ELEMENT(self), gst_message_new_latency(GST_OBJECT(self)));
}

static void apply_selection(GstCellDetect* self) {
  State& state = *self->state;
  const Lock lock(state.mutex);
  if (!state.selection_changed) return;
  try {
    state.detector->select(state.settings.selection);
  } catch (const smearscope::Error&) {
    if (state.loader->busy()) return;  // perhaps classes of the model that is about to come
    throw;
  }
  state.selection_changed = false;
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
  smearscope::Findings found;
  const bool selected =
      attempt(self, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS, [&] { apply_selection(self); });
  const bool done = selected && attempt(self, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED, [&] {
                      State& state = *self->state;
                      const smearscope::MappedFrame frame(buffer, state.info, state.memory.cuda_frames());
                      found = state.detector->process(frame.view());
                    });
  if (!done) {
    gst_buffer_unref(buffer);
    return GST_FLOW_ERROR;
  }
  update_latency(self);
  buffer = gst_buffer_make_writable(buffer);
  smearscope::attach_cells(buffer, found.cells);
  if (!found.origin.model_digest.empty()) smearscope::attach_origin(buffer, found.origin);
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
  State& state = *self->state;
  if (GST_QUERY_TYPE(query) == GST_QUERY_CONTEXT &&
      smearscope::answer_cuda_context(GST_ELEMENT(self), query, settings_of(self)))
    return TRUE;
  if (!GST_BASE_TRANSFORM_CLASS(gst_cell_detect_parent_class)->query(base, direction, query)) return FALSE;
  if (direction == GST_PAD_SRC && GST_QUERY_TYPE(query) == GST_QUERY_LATENCY) {
    const Lock lock(state.mutex);
    smearscope::add_latency(query, state.latency);
  }
  const std::string complaint = state.memory.narrow(query, direction);
  if (!complaint.empty()) {
    post_complaint(GST_ELEMENT(self), GST_MESSAGE_ERROR, GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE,
                   complaint, settings_of(self));
  }
  return TRUE;
}

// ---- properties

static void gst_cell_detect_set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  if (id >= smearscope::first_free_property) {
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    return;
  }
  State& state = *GST_CELL_DETECT(object)->state;
  const Lock lock(state.mutex);
  set_setting(state.settings, id, value);
  if (id == smearscope::prop_model) {
    if (state.loader) state.loader->load(state.settings.model);
  } else if (id == smearscope::prop_model_watch) {
    if (state.loader) state.loader->watch(state.settings.model_watch);
  } else {
    state.selection_changed = true;
  }
}

static void gst_cell_detect_get_property(GObject* object, guint id, GValue* value, GParamSpec*) {
  State& state = *GST_CELL_DETECT(object)->state;
  std::shared_ptr<CellDetector> detector;
  smearscope::Readings readings;
  readings.frames_dropped = state.frames_dropped;
  {
    const Lock lock(state.mutex);
    if (id < smearscope::first_free_property) get_setting(state.settings, id, value);
    detector = state.detector;
    readings.stats = state.last_stats;
  }
  if (detector) {
    readings.stats = detector->stats();
    readings.detector = detector->detector();
  }
  get_reading(readings, id, value);
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
  smearscope::install_readings(object_class);

  auto* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(
      element_class, "Blood cell detector", "Filter/Analyzer/Video",
      "Finds blood cells in microscope video with a Faster R-CNN model and attaches each to its frame as a "
      "GstVideoRegionOfInterestMeta (roi_type: class name; params \"detection\": confidence, label_id, "
      "x_min, y_min, x_max, y_max in pixels, age in frames) and to the frame a custom meta "
      "SmearscopeDetectionMeta (model: digest of the model that found them; age). Pixels pass untouched. "
      "Posts "
      "an element message model-loaded (path, digest, name, device, precision, classes, parents) for each "
      "model it takes into "
      "use. Put "
      "celloverlay after it to see the cells",
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
