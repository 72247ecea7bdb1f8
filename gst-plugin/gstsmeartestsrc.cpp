#include "gstsmeartestsrc.h"

#include <gst/video/video.h>

#include <exception>
#include <memory>
#include <new>
#include <utility>

#include "smear_properties.h"
#include "smear_stream.h"

GST_DEBUG_CATEGORY_STATIC(smear_test_src_debug);
#define GST_CAT_DEFAULT smear_test_src_debug

namespace smear = smearscope::smear;

namespace {

constexpr const char* caps_text =
    "video/x-raw, format = { RGB, BGR, RGBx, BGRx, RGBA, BGRA, GRAY8, I420, NV12 }, width = [ 1, 16384 ], "
    "height = [ 1, 16384 ], framerate = " GST_VIDEO_FPS_RANGE ", interlace-mode = progressive";
constexpr int default_width = 640, default_height = 480, default_framerate = 30;

}  // namespace

struct _GstSmearTestSrc {
  GstPushSrc parent;
  smear::TestSrcProperties* properties;  // guarded by the object lock
  GstClockTime frame_time;               // guarded by the object lock; none before caps are known
  GstClockTime latency;                  // of the pipeline; guarded by the object lock
  // From start() to stop(); used by the streaming thread, and by others only while that one stands still.
  smear::SmearStream* stream;
  guint64 pushed, skipped;  // frames since start(); as the stream
  GstClockTime offset;      // how late the first frame was, which the base class keeps up; as the stream
};

G_DEFINE_TYPE(GstSmearTestSrc, gst_smear_test_src, GST_TYPE_PUSH_SRC)
GST_ELEMENT_REGISTER_DEFINE(smeartestsrc, "smeartestsrc", GST_RANK_NONE, GST_TYPE_SMEAR_TEST_SRC)

static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(caps_text));

static void gst_smear_test_src_set_property(GObject* object, guint id, const GValue* value,
                                            GParamSpec* spec) {
  GstSmearTestSrc* self = GST_SMEAR_TEST_SRC(object);
  if (id == smear::prop_is_live) {
    gst_base_src_set_live(GST_BASE_SRC(self), g_value_get_boolean(value));
    return;
  }
  GST_OBJECT_LOCK(self);
  const bool known = smear::set_property(*self->properties, id, value);
  GST_OBJECT_UNLOCK(self);
  if (!known) G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

static void gst_smear_test_src_get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  GstSmearTestSrc* self = GST_SMEAR_TEST_SRC(object);
  if (id == smear::prop_is_live) {
    g_value_set_boolean(value, gst_base_src_is_live(GST_BASE_SRC(self)));
    return;
  }
  GST_OBJECT_LOCK(self);
  const bool known = smear::get_property(*self->properties, id, value);
  GST_OBJECT_UNLOCK(self);
  if (!known) G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

// Completes the corpus; on failure posts the error.
static gboolean finish_corpus(GstSmearTestSrc* self) {
  try {
    if (self->stream) self->stream->finish_corpus();
    return TRUE;
  } catch (const std::exception& error) {
    GST_ELEMENT_ERROR(self, RESOURCE, WRITE, ("Can't write the corpus. %s", error.what()), (nullptr));
    return FALSE;
  }
}

// The corpus must be there when the application hears of the end.
static GstPadProbeReturn on_event(GstPad*, GstPadProbeInfo* info, gpointer self) {
  if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) != GST_EVENT_EOS) return GST_PAD_PROBE_OK;
  finish_corpus(GST_SMEAR_TEST_SRC(self));
  return GST_PAD_PROBE_OK;
}

static gboolean gst_smear_test_src_start(GstBaseSrc* base) {
  GstSmearTestSrc* self = GST_SMEAR_TEST_SRC(base);
  GST_OBJECT_LOCK(self);
  const smear::TestSrcProperties properties = *self->properties;
  self->frame_time = GST_CLOCK_TIME_NONE;
  self->latency = 0;
  GST_OBJECT_UNLOCK(self);
  self->pushed = self->skipped = 0;
  self->offset = 0;
  try {
    self->stream = new smear::SmearStream(properties);
    return TRUE;
  } catch (const std::exception& error) {
    GST_ELEMENT_ERROR(self, RESOURCE, OPEN_WRITE, ("Can't write the corpus. %s", error.what()), (nullptr));
    return FALSE;
  }
}

static gboolean gst_smear_test_src_stop(GstBaseSrc* base) {
  GstSmearTestSrc* self = GST_SMEAR_TEST_SRC(base);
  const gboolean finished = finish_corpus(self);
  delete std::exchange(self->stream, nullptr);
  return finished;
}

static GstCaps* gst_smear_test_src_fixate(GstBaseSrc* base, GstCaps* caps) {
  caps = gst_caps_make_writable(caps);
  GstStructure* structure = gst_caps_get_structure(caps, 0);
  gst_structure_fixate_field_nearest_int(structure, "width", default_width);
  gst_structure_fixate_field_nearest_int(structure, "height", default_height);
  gst_structure_fixate_field_nearest_fraction(structure, "framerate", default_framerate, 1);
  if (gst_structure_has_field(structure, "pixel-aspect-ratio")) {
    gst_structure_fixate_field_nearest_fraction(structure, "pixel-aspect-ratio", 1, 1);
  }
  return GST_BASE_SRC_CLASS(gst_smear_test_src_parent_class)->fixate(base, caps);
}

static gboolean gst_smear_test_src_set_caps(GstBaseSrc* base, GstCaps* caps) {
  GstSmearTestSrc* self = GST_SMEAR_TEST_SRC(base);
  GstVideoInfo info;
  if (!gst_video_info_from_caps(&info, caps)) return FALSE;
  try {
    self->stream->set_format(info);
  } catch (const std::exception& error) {
    GST_ELEMENT_ERROR(self, RESOURCE, NO_SPACE_LEFT, ("Not enough memory for frames of this size."),
                      ("%s", error.what()));
    return FALSE;
  }
  GST_OBJECT_LOCK(self);
  self->frame_time = self->stream->frame_time();
  GST_OBJECT_UNLOCK(self);
  return TRUE;
}

static gboolean gst_smear_test_src_decide_allocation(GstBaseSrc* base, GstQuery* query) {
  GstSmearTestSrc* self = GST_SMEAR_TEST_SRC(base);
  GstBufferPool* pool = nullptr;
  guint size = 0, least = 0, most = 0;
  const bool offered = gst_query_get_n_allocation_pools(query) > 0;
  if (offered) gst_query_parse_nth_allocation_pool(query, 0, &pool, &size, &least, &most);
  size = MAX(size, static_cast<guint>(GST_VIDEO_INFO_SIZE(&self->stream->info())));
  if (!pool) pool = gst_video_buffer_pool_new();

  GstCaps* caps = nullptr;
  gst_query_parse_allocation(query, &caps, nullptr);
  GstStructure* config = gst_buffer_pool_get_config(pool);
  gst_buffer_pool_config_set_params(config, caps, size, least, most);
  if (gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr)) {
    gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  }
  const gboolean accepted = gst_buffer_pool_set_config(pool, config);
  if (offered) {
    gst_query_set_nth_allocation_pool(query, 0, pool, size, least, most);
  } else {
    gst_query_add_allocation_pool(query, pool, size, least, most);
  }
  gst_object_unref(pool);
  return accepted && GST_BASE_SRC_CLASS(gst_smear_test_src_parent_class)->decide_allocation(base, query);
}

static gboolean gst_smear_test_src_query(GstBaseSrc* base, GstQuery* query) {
  GstSmearTestSrc* self = GST_SMEAR_TEST_SRC(base);
  if (GST_QUERY_TYPE(query) == GST_QUERY_LATENCY) {
    // A camera has a frame ready one frame time after it began.
    GST_OBJECT_LOCK(self);
    const GstClockTime latency = self->frame_time;
    GST_OBJECT_UNLOCK(self);
    if (!GST_CLOCK_TIME_IS_VALID(latency)) return FALSE;
    gst_query_set_latency(query, gst_base_src_is_live(base), latency, GST_CLOCK_TIME_NONE);
    return TRUE;
  }
  return GST_BASE_SRC_CLASS(gst_smear_test_src_parent_class)->query(base, query);
}

static gboolean gst_smear_test_src_event(GstBaseSrc* base, GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_LATENCY) {
    GST_OBJECT_LOCK(base);
    gst_event_parse_latency(event, &GST_SMEAR_TEST_SRC(base)->latency);
    GST_OBJECT_UNLOCK(base);
  }
  return GST_BASE_SRC_CLASS(gst_smear_test_src_parent_class)->event(base, event);
}

static void gst_smear_test_src_get_times(GstBaseSrc* base, GstBuffer* buffer, GstClockTime* start,
                                         GstClockTime* end) {
  *start = *end = GST_CLOCK_TIME_NONE;
  if (!gst_base_src_is_live(base)) return;  // as fast as downstream takes them
  *start = GST_BUFFER_PTS(buffer);
  if (GST_CLOCK_TIME_IS_VALID(*start) && GST_BUFFER_DURATION_IS_VALID(buffer))
    *end = *start + GST_BUFFER_DURATION(buffer);
}

static gboolean gst_smear_test_src_is_seekable(GstBaseSrc* base) {
  return !gst_base_src_is_live(base);
}

static gboolean gst_smear_test_src_do_seek(GstBaseSrc* base, GstSegment* segment) {
  if (segment->rate <= 0) return FALSE;
  segment->time = segment->start;
  GST_SMEAR_TEST_SRC(base)->stream->seek(segment->position);
  return TRUE;
}

// Time on the pipeline's clock since it started, none without a clock.
static GstClockTime running_time_of(GstSmearTestSrc* self) {
  GstClock* clock = gst_element_get_clock(GST_ELEMENT(self));
  if (!clock) return GST_CLOCK_TIME_NONE;
  const GstClockTime now = gst_clock_get_time(clock),
                     base_time = gst_element_get_base_time(GST_ELEMENT(self));
  gst_object_unref(clock);
  return now > base_time ? now - base_time : 0;
}

// A camera does not wait: frames whose time is over are not taken, and whom it concerns is told. A frame is
// over when the next one is due, allowing for what makes every frame late: the first one's lateness, and the
// pipeline's latency, which a sink in this thread waits for. True if there were such frames.
static bool skip_late_frames(GstSmearTestSrc* self) {
  smear::SmearStream& stream = *self->stream;
  const GstClockTime now = running_time_of(self), frame_time = stream.frame_time();
  if (!GST_CLOCK_TIME_IS_VALID(now) || frame_time == 0) return false;
  GST_OBJECT_LOCK(self);
  const GstClockTime latency = self->latency;
  GST_OBJECT_UNLOCK(self);
  const GstClockTime time = stream.time_of(stream.frame()), due = time + self->offset + latency;
  if (now < due + frame_time) return false;
  const guint64 late = (now - due) / frame_time;
  stream.skip(late);
  self->skipped += late;
  GST_DEBUG_OBJECT(self, "%" G_GUINT64_FORMAT " frames left out", late);
  GstMessage* message = gst_message_new_qos(GST_OBJECT(self), TRUE, time, time, time, late * frame_time);
  gst_message_set_qos_stats(message, GST_FORMAT_BUFFERS, self->pushed, self->skipped);
  gst_element_post_message(GST_ELEMENT(self), message);
  return true;
}

static GstFlowReturn gst_smear_test_src_fill(GstPushSrc* push, GstBuffer* buffer) {
  GstSmearTestSrc* self = GST_SMEAR_TEST_SRC(push);
  smear::SmearStream& stream = *self->stream;
  if (!stream.has_format()) return GST_FLOW_NOT_NEGOTIATED;
  if (!stream.has_rate() && stream.frame() > 0) return GST_FLOW_EOS;  // a picture, not a video
  const bool skipped = gst_base_src_is_live(GST_BASE_SRC(push)) && skip_late_frames(self);

  gst_object_sync_values(GST_OBJECT(self), stream.time_of(stream.frame()));
  GST_OBJECT_LOCK(self);
  const double focus_um = self->properties->stage.focus_um;
  GST_OBJECT_UNLOCK(self);
  try {
    stream.fill(buffer, focus_um);
  } catch (const std::bad_alloc&) {
    GST_ELEMENT_ERROR(self, RESOURCE, NO_SPACE_LEFT, ("Not enough memory for frames of this size."),
                      (nullptr));
    return GST_FLOW_ERROR;
  } catch (const std::exception& error) {
    GST_ELEMENT_ERROR(self, RESOURCE, WRITE, ("Can't make a frame. %s", error.what()), (nullptr));
    return GST_FLOW_ERROR;
  }
  if (self->pushed == 0) {
    const GstClockTime now = running_time_of(self);
    if (GST_CLOCK_TIME_IS_VALID(now) && now > GST_BUFFER_PTS(buffer))
      self->offset = now - GST_BUFFER_PTS(buffer);
  }
  if (skipped) GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DISCONT);
  ++self->pushed;
  return GST_FLOW_OK;
}

static void gst_smear_test_src_finalize(GObject* object) {
  GstSmearTestSrc* self = GST_SMEAR_TEST_SRC(object);
  delete self->stream;
  delete self->properties;
  G_OBJECT_CLASS(gst_smear_test_src_parent_class)->finalize(object);
}

static void gst_smear_test_src_init(GstSmearTestSrc* self) {
  self->properties = new smear::TestSrcProperties;
  self->stream = nullptr;
  self->frame_time = GST_CLOCK_TIME_NONE;
  gst_base_src_set_format(GST_BASE_SRC(self), GST_FORMAT_TIME);
  gst_pad_add_probe(GST_BASE_SRC_PAD(self), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_event, self, nullptr);
}

static void gst_smear_test_src_class_init(GstSmearTestSrcClass* klass) {
  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  GstBaseSrcClass* base_class = GST_BASE_SRC_CLASS(klass);
  object_class->set_property = gst_smear_test_src_set_property;
  object_class->get_property = gst_smear_test_src_get_property;
  object_class->finalize = gst_smear_test_src_finalize;
  smear::install_properties(object_class);

  gst_element_class_set_static_metadata(
      element_class, "Blood smear test source", "Source/Video",
      "Shows a synthetic stained blood smear under a moving microscope stage, with exact ground truth for "
      "each cell. "
      "The slide is made on demand from the seed: red cells, five kinds of white cells, platelets; the same "
      "seed and "
      "properties give the same video, bit for bit. Classes: 0 wbc, 1 rbc, 2 platelet",
      "Smearscope");
  gst_element_class_add_static_pad_template(element_class, &src_template);

  base_class->start = gst_smear_test_src_start;
  base_class->stop = gst_smear_test_src_stop;
  base_class->fixate = gst_smear_test_src_fixate;
  base_class->set_caps = gst_smear_test_src_set_caps;
  base_class->decide_allocation = gst_smear_test_src_decide_allocation;
  base_class->event = gst_smear_test_src_event;
  base_class->query = gst_smear_test_src_query;
  base_class->get_times = gst_smear_test_src_get_times;
  base_class->is_seekable = gst_smear_test_src_is_seekable;
  base_class->do_seek = gst_smear_test_src_do_seek;
  GST_PUSH_SRC_CLASS(klass)->fill = gst_smear_test_src_fill;
  GST_DEBUG_CATEGORY_INIT(smear_test_src_debug, "smeartestsrc", 0, "Synthetic blood smear source");
}
