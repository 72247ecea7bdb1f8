#include "gstsmeartestsrc.h"

#include <gst/video/video.h>

#include <cmath>
#include <exception>
#include <memory>
#include <new>
#include <stdexcept>
#include <utility>

#include "cell_meta.h"
#include "smear/corpus_writer.h"
#include "smear/microscope.h"
#include "smear/stage.h"
#include "smear_properties.h"

GST_DEBUG_CATEGORY_STATIC(smear_test_src_debug);
#define GST_CAT_DEFAULT smear_test_src_debug

namespace smear = smearscope::smear;

namespace {

constexpr const char* caps_text =
    GST_VIDEO_CAPS_MAKE("{ RGB, BGR, RGBx, BGRx, RGBA, BGRA, GRAY8, I420, NV12 }");
constexpr int default_width = 640, default_height = 480, default_framerate = 30;

struct VideoConverterDeleter {
  void operator()(GstVideoConverter* converter) const { gst_video_converter_free(converter); }
};

// What the streaming thread works with, from start() to stop().
struct Stream {
  smear::TestSrcProperties properties;  // as they were at start
  std::unique_ptr<smear::Microscope> microscope;
  smear::StageSettings stage;
  std::unique_ptr<smear::CorpusWriter> corpus;

  GstVideoInfo info;         // of the caps
  GstVideoInfo rgb_info;     // of what the microscope renders
  GstBuffer* rgb = nullptr;  // scratch where the caps are not RGB
  std::unique_ptr<GstVideoConverter, VideoConverterDeleter> converter;

  guint64 frame = 0;              // number of the next frame, since start or seek target
  guint64 segment_frame = 0;      // frame at which the present frame rate began
  GstClockTime segment_time = 0;  // time of that frame
  guint64 pushed = 0, skipped = 0;

  ~Stream() { gst_clear_buffer(&rgb); }
  bool has_rate() const { return info.fps_n > 0; }
  GstClockTime time_of(guint64 number) const {
    if (!has_rate()) return segment_time;
    return segment_time + gst_util_uint64_scale(number - segment_frame, GST_SECOND * info.fps_d, info.fps_n);
  }
};

}  // namespace

struct _GstSmearTestSrc {
  GstPushSrc parent;
  smear::TestSrcProperties* properties;  // guarded by the object lock
  GstClockTime frame_time;               // guarded by the object lock; none before caps are known
  Stream* stream;  // used by the streaming thread, and by others only while that one stands still
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
  Stream* stream = self->stream;
  if (!stream || !stream->corpus) return TRUE;
  const auto corpus = std::move(stream->corpus);
  try {
    corpus->finish();
    GST_INFO_OBJECT(self, "corpus of %" G_GSIZE_FORMAT " frames written", corpus->frames());
    return TRUE;
  } catch (const std::exception& error) {
    GST_ELEMENT_ERROR(self, RESOURCE, WRITE, ("Can't write the corpus. %s", error.what()), (nullptr));
    return FALSE;
  }
}

// The corpus must be there when the application hears of the end.
static GstPadProbeReturn on_event(GstPad*, GstPadProbeInfo* info, gpointer self) {
  if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) != GST_EVENT_EOS) return GST_PAD_PROBE_OK;
  return finish_corpus(GST_SMEAR_TEST_SRC(self)) ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
}

static gboolean gst_smear_test_src_start(GstBaseSrc* base) {
  GstSmearTestSrc* self = GST_SMEAR_TEST_SRC(base);
  auto stream = std::make_unique<Stream>();
  GST_OBJECT_LOCK(self);
  stream->properties = *self->properties;
  GST_OBJECT_UNLOCK(self);
  gst_video_info_init(&stream->info);
  if (!stream->properties.corpus.folder.empty()) {
    try {
      stream->corpus = std::make_unique<smear::CorpusWriter>(stream->properties.corpus);
    } catch (const std::exception& error) {
      GST_ELEMENT_ERROR(self, RESOURCE, OPEN_WRITE, ("Can't write the corpus. %s", error.what()), (nullptr));
      return FALSE;
    }
  }
  self->stream = stream.release();
  return TRUE;
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

// Builds what renders frames of this size, unless it is there already.
static void prepare(Stream& stream, const GstVideoInfo& info) {
  const int width = GST_VIDEO_INFO_WIDTH(&info), height = GST_VIDEO_INFO_HEIGHT(&info);
  const bool resized = !stream.microscope || width != GST_VIDEO_INFO_WIDTH(&stream.info) ||
                       height != GST_VIDEO_INFO_HEIGHT(&stream.info);
  if (resized) {
    smear::MicroscopeSettings settings = stream.properties.microscope;
    settings.width = width;
    settings.height = height;
    stream.stage = stream.properties.stage;
    stream.stage.field_width_um = width * settings.pixel_um;
    stream.stage.field_height_um = height * settings.pixel_um;
    stream.microscope = std::make_unique<smear::Microscope>(settings);
    gst_clear_buffer(&stream.rgb);
  }
  // The converter wants both sides alike in all but the format.
  gst_video_info_set_format(&stream.rgb_info, GST_VIDEO_FORMAT_RGB, width, height);
  stream.rgb_info.fps_n = info.fps_n;
  stream.rgb_info.fps_d = info.fps_d;
  stream.rgb_info.par_n = info.par_n;
  stream.rgb_info.par_d = info.par_d;
  stream.converter.reset();
  if (GST_VIDEO_INFO_FORMAT(&info) != GST_VIDEO_FORMAT_RGB) {
    if (!stream.rgb)
      stream.rgb = gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&stream.rgb_info), nullptr);
    stream.converter.reset(gst_video_converter_new(&stream.rgb_info, &info, nullptr));
    if (!stream.rgb || !stream.converter) throw std::bad_alloc();
  }
}

static gboolean gst_smear_test_src_set_caps(GstBaseSrc* base, GstCaps* caps) {
  GstSmearTestSrc* self = GST_SMEAR_TEST_SRC(base);
  Stream& stream = *self->stream;
  GstVideoInfo info;
  if (!gst_video_info_from_caps(&info, caps)) return FALSE;
  try {
    prepare(stream, info);
  } catch (const std::exception& error) {
    GST_ELEMENT_ERROR(self, RESOURCE, NO_SPACE_LEFT, ("Not enough memory for frames of this size."),
                      ("%s", error.what()));
    return FALSE;
  }
  // A new frame rate counts from here.
  const GstClockTime now = stream.time_of(stream.frame);
  stream.segment_frame = stream.frame;
  stream.segment_time = now;
  stream.info = info;
  GST_OBJECT_LOCK(self);
  self->frame_time = stream.has_rate() ? gst_util_uint64_scale(GST_SECOND, info.fps_d, info.fps_n) : 0;
  GST_OBJECT_UNLOCK(self);
  return TRUE;
}

static gboolean gst_smear_test_src_decide_allocation(GstBaseSrc* base, GstQuery* query) {
  GstSmearTestSrc* self = GST_SMEAR_TEST_SRC(base);
  GstBufferPool* pool = nullptr;
  guint size = 0, least = 0, most = 0;
  const bool offered = gst_query_get_n_allocation_pools(query) > 0;
  if (offered) gst_query_parse_nth_allocation_pool(query, 0, &pool, &size, &least, &most);
  size = MAX(size, static_cast<guint>(GST_VIDEO_INFO_SIZE(&self->stream->info)));
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
  Stream& stream = *GST_SMEAR_TEST_SRC(base)->stream;
  if (segment->rate <= 0) return FALSE;
  segment->time = segment->start;
  stream.frame = stream.segment_frame = 0;
  stream.segment_time = 0;
  if (stream.has_rate())
    stream.frame =
        gst_util_uint64_scale(segment->position, stream.info.fps_n, GST_SECOND * stream.info.fps_d);
  return TRUE;
}

// A camera does not wait: frames whose time is over are not taken. Says so to whom it concerns.
static bool skip_late_frames(GstSmearTestSrc* self) {
  Stream& stream = *self->stream;
  GstClock* clock = gst_element_get_clock(GST_ELEMENT(self));
  if (!clock || !stream.has_rate()) {
    gst_clear_object(&clock);
    return false;
  }
  const GstClockTime now = gst_clock_get_time(clock),
                     base_time = gst_element_get_base_time(GST_ELEMENT(self));
  gst_object_unref(clock);
  const GstClockTime running_time = now > base_time ? now - base_time : 0;
  const GstClockTime due = stream.time_of(stream.frame);
  if (running_time < due + self->frame_time) return false;
  const guint64 late =
      gst_util_uint64_scale(running_time - due, stream.info.fps_n, GST_SECOND * stream.info.fps_d);
  stream.frame += late;
  stream.skipped += late;
  GST_DEBUG_OBJECT(self, "%" G_GUINT64_FORMAT " frames left out", late);
  GstMessage* message = gst_message_new_qos(GST_OBJECT(self), TRUE, due, due, due, late * self->frame_time);
  gst_message_set_qos_stats(message, GST_FORMAT_BUFFERS, stream.pushed, stream.skipped);
  gst_element_post_message(GST_ELEMENT(self), message);
  return true;
}

static void attach_truth(GstBuffer* buffer, const std::vector<smear::SeenCell>& cells,
                         const smear::View& view, double pixel_um) {
  std::vector<smearscope::TrueCell> truth;
  truth.reserve(cells.size());
  for (const smear::SeenCell& cell : cells) {
    smearscope::TrueCell known;
    known.box = {static_cast<float>(cell.x_min), static_cast<float>(cell.y_min),
                 static_cast<float>(cell.x_max), static_cast<float>(cell.y_max)};
    known.label = static_cast<int>(cell.cell_class);
    known.class_name = smear::name_of(cell.cell_class);
    known.identity = cell.identity;
    known.slide_x_um = cell.slide_x_um;
    known.slide_y_um = cell.slide_y_um;
    known.visible = cell.visible;
    truth.push_back(known);
  }
  smearscope::attach_true_cells(buffer, truth);
  smearscope::attach_stage(buffer, {view.x_um, view.y_um, view.focus_um, pixel_um});
}

using MappedFrame = std::unique_ptr<GstVideoFrame, void (*)(GstVideoFrame*)>;

static MappedFrame map_frame(GstVideoFrame* frame, const GstVideoInfo* info, GstBuffer* buffer) {
  if (!gst_video_frame_map(frame, info, buffer, GST_MAP_READWRITE))
    throw std::runtime_error("Can't map a frame.");
  return MappedFrame(frame, gst_video_frame_unmap);
}

// Renders the view into the buffer, in the caps' format, and hands the picture to the corpus.
static void render(Stream& stream, GstBuffer* buffer, const smear::View& view,
                   const std::vector<smear::SeenCell>& cells) {
  GstVideoFrame out, rgb;
  const MappedFrame out_mapped = map_frame(&out, &stream.info, buffer);
  const MappedFrame rgb_mapped =
      stream.converter ? map_frame(&rgb, &stream.rgb_info, stream.rgb) : MappedFrame(nullptr, nullptr);
  const GstVideoFrame* picture = stream.converter ? &rgb : &out;
  auto* pixels = static_cast<std::uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(picture, 0));
  const int stride = GST_VIDEO_FRAME_PLANE_STRIDE(picture, 0);
  stream.microscope->render(view, pixels, stride);
  if (stream.converter) gst_video_converter_frame(stream.converter.get(), &rgb, &out);
  if (stream.corpus) {
    stream.corpus->add(pixels, GST_VIDEO_FRAME_WIDTH(&out), GST_VIDEO_FRAME_HEIGHT(&out), stride, cells, view,
                       stream.properties.microscope.pixel_um, stream.properties.microscope.slide.seed);
  }
}

static void fill_buffer(Stream& stream, GstBuffer* buffer, const smear::View& view) {
  const bool attach = stream.properties.ground_truth;
  std::vector<smear::SeenCell> cells;
  if (attach || stream.corpus) cells = stream.microscope->cells(view);
  render(stream, buffer, view, cells);  // a mapped buffer can't take metadata
  if (attach) attach_truth(buffer, cells, view, stream.properties.microscope.pixel_um);
}

static GstFlowReturn gst_smear_test_src_fill(GstPushSrc* push, GstBuffer* buffer) {
  GstSmearTestSrc* self = GST_SMEAR_TEST_SRC(push);
  if (!self->stream->microscope) return GST_FLOW_NOT_NEGOTIATED;
  Stream& stream = *self->stream;
  if (!stream.has_rate() && stream.frame > 0) return GST_FLOW_EOS;  // a picture, not a video
  const bool skipped = gst_base_src_is_live(GST_BASE_SRC(push)) && skip_late_frames(self);
  const GstClockTime time = stream.time_of(stream.frame);

  gst_object_sync_values(GST_OBJECT(self), time);
  GST_OBJECT_LOCK(self);
  stream.stage.focus_um = self->properties->stage.focus_um;
  GST_OBJECT_UNLOCK(self);
  const smear::StagePosition stage = smear::stage_at(stream.stage, static_cast<double>(time) / GST_SECOND);
  try {
    fill_buffer(stream, buffer, {stage.x_um, stage.y_um, stage.focus_um, stream.frame});
  } catch (const std::bad_alloc&) {
    GST_ELEMENT_ERROR(self, RESOURCE, NO_SPACE_LEFT, ("Not enough memory for frames of this size."),
                      (nullptr));
    return GST_FLOW_ERROR;
  } catch (const std::exception& error) {
    stream.corpus.reset();
    GST_ELEMENT_ERROR(self, RESOURCE, WRITE, ("Can't write the frame or the corpus. %s", error.what()),
                      (nullptr));
    return GST_FLOW_ERROR;
  }

  GST_BUFFER_PTS(buffer) = time;
  GST_BUFFER_DTS(buffer) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_DURATION(buffer) =
      stream.has_rate() ? stream.time_of(stream.frame + 1) - time : GST_CLOCK_TIME_NONE;
  GST_BUFFER_OFFSET(buffer) = stream.frame;
  GST_BUFFER_OFFSET_END(buffer) = stream.frame + 1;
  if (skipped) GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DISCONT);
  ++stream.frame;
  ++stream.pushed;
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
  base_class->query = gst_smear_test_src_query;
  base_class->get_times = gst_smear_test_src_get_times;
  base_class->is_seekable = gst_smear_test_src_is_seekable;
  base_class->do_seek = gst_smear_test_src_do_seek;
  GST_PUSH_SRC_CLASS(klass)->fill = gst_smear_test_src_fill;
  GST_DEBUG_CATEGORY_INIT(smear_test_src_debug, "smeartestsrc", 0, "Synthetic blood smear source");
}
