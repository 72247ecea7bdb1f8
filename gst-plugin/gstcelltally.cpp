// celltally: counts each cell of the slide once. A shell around CellTally.
#include "gstcelltally.h"

#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cell_meta.h"
#include "detection/video_frame.h"
#include "tally/cell_tally.h"
#include "tally/settings.h"

GST_DEBUG_CATEGORY_STATIC(cell_tally_debug);
#define GST_CAT_DEFAULT cell_tally_debug

namespace {

using smearscope::Tally;
using smearscope::TallySettings;

enum Property { prop_cells_counted = smearscope::first_free_tally_property };

constexpr const char* message_name = "cell-tally";

GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE(SMEARSCOPE_FRAME_FORMATS)));
GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE(SMEARSCOPE_FRAME_FORMATS)));

struct State {
  std::mutex mutex;  // guards settings, new_slide and counted
  TallySettings settings;
  bool new_slide = false;  // was asked for
  guint64 counted = 0;
  // Streaming thread, or none:
  GstVideoInfo info;
  TallySettings in_use;  // as of the newest frame; kept, so that its texts need no new memory each time
  std::optional<smearscope::CellTally> cells;  // from start to stop
  smearscope::GradeTable grades;
  smearscope::DetectionOrigin origin;   // of the newest detection
  bool passing = false;                 // the last frame was not looked at
  std::optional<GstClockTime> told_at;  // running time of the last message
  std::optional<Tally> told;            // in it
  bool target_reached = false;          // told
};

using Lock = std::lock_guard<std::mutex>;

guint64 cells_in(const Tally& tally) {
  guint64 sum = 0;
  for (const Tally::Row& row : tally.rows) sum += row.count;
  return sum;
}

}  // namespace

struct _GstCellTally {
  GstBaseTransform parent;
  State* state;
};

G_DEFINE_TYPE(GstCellTally, gst_cell_tally, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE(celltally, "celltally", GST_RANK_NONE, GST_TYPE_CELL_TALLY)

static void gst_cell_tally_set_property(GObject* object, guint id, const GValue* value, GParamSpec*) {
  State& state = *GST_CELL_TALLY(object)->state;
  const Lock lock(state.mutex);
  set_tally_setting(state.settings, id, value);
}

static void gst_cell_tally_get_property(GObject* object, guint id, GValue* value, GParamSpec*) {
  State& state = *GST_CELL_TALLY(object)->state;
  const Lock lock(state.mutex);
  if (id == prop_cells_counted)
    g_value_set_uint64(value, state.counted);
  else
    get_tally_setting(state.settings, id, value);
}

static void gst_cell_tally_new_slide(GstCellTally* self) {
  const Lock lock(self->state->mutex);
  self->state->new_slide = true;
  self->state->counted = 0;
}

// Returns false, with an error on the bus, where the table of `path` can't be had; no path is an empty table.
static bool read_grades(GstCellTally* self, const std::string& path) {
  try {
    self->state->grades = path.empty() ? smearscope::GradeTable() : smearscope::GradeTable::read(path);
    return true;
  } catch (const std::exception& error) {
    GST_ELEMENT_ERROR(self, RESOURCE, OPEN_READ, ("%s", error.what()), (nullptr));
    return false;
  }
}

static TallySettings settings_of(State& state) {
  const Lock lock(state.mutex);
  return state.settings;
}

static gboolean gst_cell_tally_start(GstBaseTransform* base) {
  auto* self = GST_CELL_TALLY(base);
  State& state = *self->state;
  if (!read_grades(self, settings_of(state).grade_table)) return FALSE;
  const Lock lock(state.mutex);
  state.cells.emplace(state.settings.min_sharpness);
  state.new_slide = false;
  state.counted = 0;
  state.passing = false;
  state.told_at.reset();
  state.told.reset();
  state.target_reached = false;
  gst_video_info_init(&state.info);
  return TRUE;
}

static gboolean gst_cell_tally_stop(GstBaseTransform* base) {
  GST_CELL_TALLY(base)->state->cells.reset();
  return TRUE;
}

static gboolean gst_cell_tally_set_caps(GstBaseTransform* base, GstCaps* caps, GstCaps*) {
  State& state = *GST_CELL_TALLY(base)->state;
  GstVideoInfo info;
  if (!gst_video_info_from_caps(&info, caps)) return FALSE;
  // A mere change of the frame rate is none of the view.
  if (GST_VIDEO_INFO_WIDTH(&info) != GST_VIDEO_INFO_WIDTH(&state.info) ||
      GST_VIDEO_INFO_HEIGHT(&info) != GST_VIDEO_INFO_HEIGHT(&state.info)) {
    state.cells->new_view();
  }
  state.info = info;
  return TRUE;
}

static bool is_reached(const Tally& tally) {
  return tally.target > 0 && tally.target_count >= tally.target;
}

static void post(GstCellTally* self, const Tally& tally, bool last) {
  State& state = *self->state;
  state.told = tally;
  GstStructure* structure =
      gst_structure_new(message_name, "cells", G_TYPE_UINT64, cells_in(tally), "target_reached",
                        G_TYPE_BOOLEAN, is_reached(tally), "last", G_TYPE_BOOLEAN, last, nullptr);
  smearscope::set_tally(structure, tally);
  gst_element_post_message(GST_ELEMENT(self), gst_message_new_element(GST_OBJECT(self), structure));
}

// Time that goes back belongs to a new segment of the stream.
static bool is_due(const State& state, const TallySettings& settings, GstClockTime now) {
  if (settings.message_interval == 0 || !GST_CLOCK_TIME_IS_VALID(now)) return false;
  return !state.told_at || now < *state.told_at || now - *state.told_at >= settings.message_interval;
}

// A message when the target is reached, and else when something has changed and the last one is an interval
// old.
static void tell(GstCellTally* self, const Tally& tally, const TallySettings& settings, GstClockTime now) {
  State& state = *self->state;
  const bool just_reached = is_reached(tally) && !state.target_reached;
  state.target_reached = is_reached(tally);
  const bool changed =
      state.told ? !is_same(tally, *state.told) : !tally.rows.empty() || tally.view != smearscope::View::good;
  if (!just_reached && !(is_due(state, settings, now) && changed)) return;
  if (GST_CLOCK_TIME_IS_VALID(now)) state.told_at = now;
  post(self, tally, false);
}

static Tally tally_of(State& state, const TallySettings& settings) {
  Tally tally = state.cells->tally();
  add_settings(settings, state.grades, tally);
  if (tally.calibrated && tally.view == smearscope::View::good)
    tally.view =
        smearscope::view_of_scale(tally.pixel_size_um, GST_VIDEO_INFO_HEIGHT(&state.info), state.origin);
  return tally;
}

// The settings for what comes now; begins a new slide if that was asked for, and says so.
static const TallySettings& take_settings(GstCellTally* self) {
  State& state = *self->state;
  bool new_slide = false;
  {
    const Lock lock(state.mutex);
    state.in_use = state.settings;
    new_slide = std::exchange(state.new_slide, false);
  }
  if (new_slide) {
    state.cells->new_slide();
    state.target_reached = false;
    if (state.in_use.tally) post(self, tally_of(state, state.in_use), false);
  }
  return state.in_use;
}

static Tally count(State& state, const TallySettings& settings, GstBuffer* buffer,
                   std::vector<smearscope::Cell>& cells) {
  const std::optional<smearscope::DetectionOrigin> origin = smearscope::read_origin(buffer);
  if (origin) state.origin = *origin;
  cells = smearscope::read_cells(buffer);
  const smearscope::MappedFrame frame(buffer, state.info);
  state.cells->set_least_sharpness(settings.min_sharpness);
  state.cells->update(frame.view(), origin ? std::optional<unsigned>(origin->age) : std::nullopt, cells);
  return tally_of(state, settings);
}

// Instead of transform_ip, which would copy the pixels of a frame that someone else holds too: only metadata
// changes.
static GstFlowReturn gst_cell_tally_generate_output(GstBaseTransform* base, GstBuffer** output) {
  auto* self = GST_CELL_TALLY(base);
  State& state = *self->state;
  GstBuffer* buffer = std::exchange(base->queued_buf, nullptr);
  *output = buffer;
  if (!buffer) return GST_FLOW_OK;
  const TallySettings& settings = take_settings(self);
  const bool passed = std::exchange(state.passing, !settings.tally);
  if (!settings.tally) return GST_FLOW_OK;
  if (passed) state.cells->new_view();
  Tally tally;
  std::vector<smearscope::Cell> cells;
  try {
    tally = count(state, settings, buffer, cells);
  } catch (const std::bad_alloc&) {
    GST_ELEMENT_ERROR(self, RESOURCE, NO_SPACE_LEFT, ("Not enough memory to count cells."), (nullptr));
    return GST_FLOW_ERROR;
  } catch (const std::exception& error) {
    GST_ELEMENT_ERROR(self, STREAM, FAILED, ("A frame can't be read. %s", error.what()), (nullptr));
    return GST_FLOW_ERROR;
  }
  {
    const Lock lock(state.mutex);
    if (!state.new_slide) state.counted = cells_in(tally);
  }
  *output = buffer = gst_buffer_make_writable(buffer);
  smearscope::set_identities(buffer, cells);
  smearscope::attach_tally(buffer, tally);
  tell(self, tally, settings,
       gst_segment_to_running_time(&base->segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer)));
  return GST_FLOW_OK;
}

static gboolean gst_cell_tally_sink_event(GstBaseTransform* base, GstEvent* event) {
  auto* self = GST_CELL_TALLY(base);
  State& state = *self->state;
  const GstEventType type = GST_EVENT_TYPE(event);
  if (state.cells && (type == GST_EVENT_FLUSH_STOP || type == GST_EVENT_STREAM_START))
    state.cells->new_view();
  if (state.cells && type == GST_EVENT_EOS) {
    const TallySettings& settings = take_settings(self);
    // Also where counting was switched off meanwhile: whoever was told counts is told the end.
    if (settings.tally || state.told) post(self, tally_of(state, settings), true);
  }
  return GST_BASE_TRANSFORM_CLASS(gst_cell_tally_parent_class)->sink_event(base, event);
}

static void gst_cell_tally_finalize(GObject* object) {
  delete GST_CELL_TALLY(object)->state;
  G_OBJECT_CLASS(gst_cell_tally_parent_class)->finalize(object);
}

static void gst_cell_tally_init(GstCellTally* self) {
  self->state = new State;
  gst_base_transform_set_passthrough(GST_BASE_TRANSFORM(self), TRUE);
}

static void gst_cell_tally_class_init(GstCellTallyClass* klass) {
  GST_DEBUG_CATEGORY_INIT(cell_tally_debug, "celltally", 0, "counts each cell once");
  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = gst_cell_tally_set_property;
  object_class->get_property = gst_cell_tally_get_property;
  object_class->finalize = gst_cell_tally_finalize;
  smearscope::install_tally_settings(object_class);
  g_object_class_install_property(
      object_class, prop_cells_counted,
      g_param_spec_uint64("cells-counted", "Cells counted", "Cells of all classes counted on this slide", 0,
                          G_MAXUINT64, 0,
                          static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
  g_signal_new_class_handler("new-slide", G_TYPE_FROM_CLASS(klass),
                             static_cast<GSignalFlags>(G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION),
                             G_CALLBACK(gst_cell_tally_new_slide), nullptr, nullptr, nullptr, G_TYPE_NONE, 0);

  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(
      element_class, "Cell tally", "Filter/Analyzer/Video",
      "Counts each cell that celldetect found once, however often the stage passes it: follows the stage by "
      "the picture, gives each cell of the slide an identity, attaches the counts to frames and tells them "
      "in element messages \"cell-tally\". The action signal \"new-slide\" begins anew",
      "Smearscope");
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_add_static_pad_template(element_class, &src_template);

  GstBaseTransformClass* base_class = GST_BASE_TRANSFORM_CLASS(klass);
  base_class->start = gst_cell_tally_start;
  base_class->stop = gst_cell_tally_stop;
  base_class->set_caps = gst_cell_tally_set_caps;
  base_class->generate_output = gst_cell_tally_generate_output;
  base_class->sink_event = gst_cell_tally_sink_event;
  base_class->passthrough_on_same_caps = FALSE;
}
