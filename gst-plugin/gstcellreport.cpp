// cellreport: tells files and a broker what celldetect and celltally attached to frames. A shell around the
// ReportWriters.
#include "gstcellreport.h"

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "report/settings.h"

GST_DEBUG_CATEGORY_STATIC(cell_report_debug);
#define GST_CAT_DEFAULT cell_report_debug

namespace {

enum Property { prop_mqtt_frames_dropped = smearscope::first_free_report_property };

GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-raw(ANY)"));
GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-raw(ANY)"));

struct Report {
  smearscope::ReportSettings settings;           // object lock
  std::atomic<std::uint64_t> frames_dropped{0};  // as of the last frame
  // Streaming thread, or none:
  std::vector<std::unique_ptr<smearscope::ReportWriter>> writers;  // from start to EOS or stop
  std::uint64_t frames = 0;
  int width = 0, height = 0;
  bool tally_came = false;
};

}  // namespace

struct _GstCellReport {
  GstBaseTransform parent;
  Report* report;
};

G_DEFINE_TYPE(GstCellReport, gst_cell_report, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE(cellreport, "cellreport", GST_RANK_NONE, GST_TYPE_CELL_REPORT)

static void gst_cell_report_set_property(GObject* object, guint id, const GValue* value, GParamSpec*) {
  GstCellReport* self = GST_CELL_REPORT(object);
  GST_OBJECT_LOCK(self);
  set_report_setting(self->report->settings, id, value);
  GST_OBJECT_UNLOCK(self);
}

static void gst_cell_report_get_property(GObject* object, guint id, GValue* value, GParamSpec*) {
  GstCellReport* self = GST_CELL_REPORT(object);
  if (id == prop_mqtt_frames_dropped) {
    g_value_set_uint64(value, self->report->frames_dropped);
    return;
  }
  GST_OBJECT_LOCK(self);
  get_report_setting(self->report->settings, id, value);
  GST_OBJECT_UNLOCK(self);
}

static smearscope::ReportSettings settings_of(GstCellReport* self) {
  GST_OBJECT_LOCK(self);
  smearscope::ReportSettings settings = self->report->settings;
  GST_OBJECT_UNLOCK(self);
  return settings;
}

static gboolean write_error(GstCellReport* self, const std::exception& error) {
  GST_ELEMENT_ERROR(self, RESOURCE, WRITE, ("Can't write the report. %s", error.what()), (nullptr));
  return FALSE;
}

static void look_after(GstCellReport* self, smearscope::ReportWriter& writer) {
  for (const std::string& line : writer.take_warnings())
    GST_ELEMENT_WARNING(self, RESOURCE, WRITE, ("%s", line.c_str()), (nullptr));
  if (const std::uint64_t dropped = writer.frames_dropped()) self->report->frames_dropped = dropped;
}

static gboolean gst_cell_report_start(GstBaseTransform* base) {
  GstCellReport* self = GST_CELL_REPORT(base);
  Report& report = *self->report;
  report.frames = 0;
  report.frames_dropped = 0;
  report.tally_came = false;
  try {
    report.writers = make_report_writers(settings_of(self));
  } catch (const std::exception& error) {
    return write_error(self, error);
  }
  return TRUE;
}

static gboolean gst_cell_report_set_caps(GstBaseTransform* base, GstCaps* in, GstCaps*) {
  const GstStructure* frame = gst_caps_get_structure(in, 0);
  Report& report = *GST_CELL_REPORT(base)->report;
  return gst_structure_get_int(frame, "width", &report.width) &&
         gst_structure_get_int(frame, "height", &report.height);
}

static gboolean finish(GstCellReport* self) {
  gboolean well = TRUE;
  Report& report = *self->report;
  if (!report.writers.empty() && report.frames > 0 && !report.tally_came && settings_of(self).needs_tally()) {
    GST_ELEMENT_WARNING(self, RESOURCE, SETTINGS,
                        ("No cells were counted for tally-location or mqtt-broker. Put celltally, or "
                         "smearscope, before cellreport."),
                        (nullptr));
  }
  for (const auto& writer : report.writers) {
    try {
      writer->finish();
    } catch (const std::exception& error) {
      well = write_error(self, error);
    }
    look_after(self, *writer);
  }
  report.writers.clear();
  return well;
}

static gboolean gst_cell_report_stop(GstBaseTransform* base) {
  return finish(GST_CELL_REPORT(base));
}

// At EOS the files are complete, and the broker told, before the event goes on: whoever waits for EOS finds
// them.
static gboolean gst_cell_report_sink_event(GstBaseTransform* base, GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_EOS) finish(GST_CELL_REPORT(base));
  return GST_BASE_TRANSFORM_CLASS(gst_cell_report_parent_class)->sink_event(base, event);
}

static smearscope::ReportedFrame reported(GstCellReport* self, GstBuffer* buffer) {
  Report& report = *self->report;
  GST_OBJECT_LOCK(self);
  const double min_confidence = report.settings.min_confidence;
  GST_OBJECT_UNLOCK(self);
  smearscope::ReportedFrame frame;
  frame.number = report.frames++;
  frame.width = report.width;
  frame.height = report.height;
  for (smearscope::Cell& cell : smearscope::read_cells(buffer)) {
    if (cell.confidence >= min_confidence) frame.cells.push_back(std::move(cell));
  }
  frame.tally = smearscope::read_tally(buffer);
  const GstSegment& segment = GST_BASE_TRANSFORM(self)->segment;
  const guint64 time = gst_segment_to_running_time(&segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
  if (GST_CLOCK_TIME_IS_VALID(time)) frame.time_s = static_cast<double>(time) / GST_SECOND;
  return frame;
}

static GstFlowReturn gst_cell_report_transform_ip(GstBaseTransform* base, GstBuffer* buffer) {
  GstCellReport* self = GST_CELL_REPORT(base);
  Report& report = *self->report;
  if (report.writers.empty()) return GST_FLOW_OK;
  const smearscope::ReportedFrame frame = reported(self, buffer);
  report.tally_came |= frame.tally.has_value();
  try {
    for (const auto& writer : report.writers) {
      writer->add(frame);
      look_after(self, *writer);
    }
  } catch (const std::exception& error) {
    write_error(self, error);
    return GST_FLOW_ERROR;
  }
  return GST_FLOW_OK;
}

static void gst_cell_report_finalize(GObject* object) {
  delete GST_CELL_REPORT(object)->report;
  G_OBJECT_CLASS(gst_cell_report_parent_class)->finalize(object);
}

static void gst_cell_report_init(GstCellReport* self) {
  self->report = new Report;
  gst_base_transform_set_passthrough(GST_BASE_TRANSFORM(self), TRUE);
}

static void gst_cell_report_class_init(GstCellReportClass* klass) {
  GST_DEBUG_CATEGORY_INIT(cell_report_debug, "cellreport", 0, "tells files and a broker of cells");
  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = gst_cell_report_set_property;
  object_class->get_property = gst_cell_report_get_property;
  object_class->finalize = gst_cell_report_finalize;
  smearscope::install_report_settings(object_class);
  g_object_class_install_property(
      object_class, prop_mqtt_frames_dropped,
      g_param_spec_uint64("mqtt-frames-dropped", "MQTT frames dropped",
                          "Frames of mqtt-frames that the link could not carry, since the start", 0,
                          G_MAXUINT64, 0,
                          static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));

  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(element_class, "Cell report", "Sink/Analyzer/Video",
                                        "Writes the cells that celldetect attached to frames, and "
                                        "celltally's counts, into files, and publishes "
                                        "them to an MQTT broker; the frames pass unchanged",
                                        "Smearscope");
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_add_static_pad_template(element_class, &src_template);

  GstBaseTransformClass* base_class = GST_BASE_TRANSFORM_CLASS(klass);
  base_class->start = gst_cell_report_start;
  base_class->set_caps = gst_cell_report_set_caps;
  base_class->stop = gst_cell_report_stop;
  base_class->sink_event = gst_cell_report_sink_event;
  base_class->transform_ip = gst_cell_report_transform_ip;
  base_class->transform_ip_on_passthrough = TRUE;
}
