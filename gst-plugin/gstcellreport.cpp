// cellreport: writes what celldetect attached to frames into files. A shell around the
// ReportWriters.
#include "gstcellreport.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "report/cells_jsonl.h"
#include "report/counts_csv.h"
#include "report/tally_csv.h"

GST_DEBUG_CATEGORY_STATIC(cell_report_debug);
#define GST_CAT_DEFAULT cell_report_debug

namespace {

enum Property { prop_csv_location = 1, prop_json_location, prop_min_confidence, prop_tally_location };

GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-raw(ANY)"));
GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-raw(ANY)"));

struct Report {
  std::string csv_location, json_location, tally_location;  // object lock; fixed from READY on
  double min_confidence = 0;                                // object lock
  // Streaming thread:
  std::vector<std::unique_ptr<smearscope::ReportWriter>> writers;  // from start to EOS or stop
  std::uint64_t frames = 0;
  int width = 0, height = 0;
  bool tally_came = false;
};

std::string text_of(const GValue* value) {
  const gchar* text = g_value_get_string(value);
  return text != nullptr ? text : "";
}

// Throws Error if two of the files are to be one.
void check_apart(const std::vector<std::string>& paths) {
  for (auto path = paths.begin(); path != paths.end(); ++path) {
    if (!path->empty() && std::find(path + 1, paths.end(), *path) != paths.end())
      throw smearscope::Error(*path + ": is to be two files of the report at once");
  }
}

}  // namespace

struct _GstCellReport {
  GstBaseTransform parent;
  Report* report;
};

G_DEFINE_TYPE(GstCellReport, gst_cell_report, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE(cellreport, "cellreport", GST_RANK_NONE, GST_TYPE_CELL_REPORT)

static void gst_cell_report_set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  GstCellReport* self = GST_CELL_REPORT(object);
  GST_OBJECT_LOCK(self);
  switch (id) {
    case prop_csv_location:
      self->report->csv_location = text_of(value);
      break;
    case prop_json_location:
      self->report->json_location = text_of(value);
      break;
    case prop_tally_location:
      self->report->tally_location = text_of(value);
      break;
    case prop_min_confidence:
      self->report->min_confidence = g_value_get_double(value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
      break;
  }
  GST_OBJECT_UNLOCK(self);
}

static void gst_cell_report_get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  GstCellReport* self = GST_CELL_REPORT(object);
  GST_OBJECT_LOCK(self);
  switch (id) {
    case prop_csv_location:
      g_value_set_string(value, self->report->csv_location.c_str());
      break;
    case prop_json_location:
      g_value_set_string(value, self->report->json_location.c_str());
      break;
    case prop_tally_location:
      g_value_set_string(value, self->report->tally_location.c_str());
      break;
    case prop_min_confidence:
      g_value_set_double(value, self->report->min_confidence);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
      break;
  }
  GST_OBJECT_UNLOCK(self);
}

static gboolean write_error(GstCellReport* self, const std::exception& error) {
  GST_ELEMENT_ERROR(self, RESOURCE, WRITE, ("Can't write the report. %s", error.what()), (nullptr));
  return FALSE;
}

static gboolean gst_cell_report_start(GstBaseTransform* base) {
  GstCellReport* self = GST_CELL_REPORT(base);
  Report& report = *self->report;
  GST_OBJECT_LOCK(self);
  const std::string csv = report.csv_location, json = report.json_location, tally = report.tally_location;
  GST_OBJECT_UNLOCK(self);
  report.frames = 0;
  report.tally_came = false;
  try {
    check_apart({csv, json, tally});
    if (!csv.empty()) report.writers.push_back(std::make_unique<smearscope::CountsCsv>(csv));
    if (!json.empty()) report.writers.push_back(std::make_unique<smearscope::CellsJsonl>(json));
    if (!tally.empty()) report.writers.push_back(std::make_unique<smearscope::TallyCsv>(tally));
  } catch (const std::exception& error) {
    report.writers.clear();
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
  const Report& report = *self->report;
  GST_OBJECT_LOCK(self);
  const bool tally_asked_for = !report.tally_location.empty();
  GST_OBJECT_UNLOCK(self);
  if (!report.writers.empty() && report.frames > 0 && tally_asked_for && !report.tally_came) {
    GST_ELEMENT_WARNING(
        self, RESOURCE, SETTINGS,
        ("No cells were counted for tally-location. Put celltally, or smearscope, before cellreport."),
        (nullptr));
  }
  for (const auto& writer : self->report->writers) {
    try {
      writer->finish();
    } catch (const std::exception& error) {
      well = write_error(self, error);
    }
  }
  self->report->writers.clear();
  return well;
}

static gboolean gst_cell_report_stop(GstBaseTransform* base) {
  return finish(GST_CELL_REPORT(base));
}

// At EOS the files are complete before the event goes on: whoever waits for EOS finds them.
static gboolean gst_cell_report_sink_event(GstBaseTransform* base, GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_EOS) finish(GST_CELL_REPORT(base));
  return GST_BASE_TRANSFORM_CLASS(gst_cell_report_parent_class)->sink_event(base, event);
}

static GstFlowReturn gst_cell_report_transform_ip(GstBaseTransform* base, GstBuffer* buffer) {
  GstCellReport* self = GST_CELL_REPORT(base);
  Report& report = *self->report;
  if (report.writers.empty()) return GST_FLOW_OK;
  GST_OBJECT_LOCK(self);
  const double min_confidence = report.min_confidence;
  GST_OBJECT_UNLOCK(self);

  smearscope::ReportedFrame frame;
  frame.number = report.frames++;
  frame.width = report.width;
  frame.height = report.height;
  for (smearscope::Cell& cell : smearscope::read_cells(buffer)) {
    if (cell.confidence >= min_confidence) frame.cells.push_back(std::move(cell));
  }
  frame.tally = smearscope::read_tally(buffer);
  report.tally_came |= frame.tally.has_value();
  const guint64 time = gst_segment_to_running_time(&base->segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
  if (GST_CLOCK_TIME_IS_VALID(time)) frame.time_s = static_cast<double>(time) / GST_SECOND;
  try {
    for (const auto& writer : report.writers) writer->add(frame);
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
  GST_DEBUG_CATEGORY_INIT(cell_report_debug, "cellreport", 0, "writes cell counts into files");
  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = gst_cell_report_set_property;
  object_class->get_property = gst_cell_report_get_property;
  object_class->finalize = gst_cell_report_finalize;
  g_object_class_install_property(
      object_class, prop_csv_location,
      g_param_spec_string(
          "csv-location", "CSV location",
          "File that gets the number of cells per frame and class, with the columns frame, time_s, "
          "class, count; written as FILE.part and renamed at the end of the stream (none = no file)",
          "",
          static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)));
  g_object_class_install_property(
      object_class, prop_json_location,
      g_param_spec_string(
          "json-location", "JSON location",
          "File that gets one line of JSON per frame, with its time and every cell's class, confidence, box "
          "and identity; written as FILE.part and renamed at the end of the stream (none = no file)",
          "",
          static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)));
  g_object_class_install_property(
      object_class, prop_tally_location,
      g_param_spec_string(
          "tally-location", "Tally location",
          "File that gets the cells that a celltally before this element counted, by class, with their "
          "shares "
          "of their families in percent and the 95% limits of these; replaced every second while counts "
          "change "
          "(none = no file)",
          "",
          static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)));
  g_object_class_install_property(
      object_class, prop_min_confidence,
      g_param_spec_double(
          "min-confidence", "Minimum confidence", "Cells below it are left out of the files", 0.0, 1.0, 0.0,
          static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING)));

  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(
      element_class, "Cell report", "Sink/Analyzer/Video",
      "Writes the cells that celldetect attached to frames into files; the frames pass unchanged",
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
