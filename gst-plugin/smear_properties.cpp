#include "smear_properties.h"

#include "property_flags.h"

namespace smearscope::smear {
namespace {

enum PropertyId : guint {
  prop_seed = prop_is_live + 1,
  prop_rbc_density,
  prop_wbc_density,
  prop_platelet_density,
  prop_stain,
  prop_pixel_size,
  prop_stage_path,
  prop_stage_speed,
  prop_start_x,
  prop_start_y,
  prop_focus,
  prop_focus_drift,
  prop_noise,
  prop_vignetting,
  prop_illumination,
  prop_dust,
  prop_ground_truth,
  prop_corpus_location,
  prop_corpus_part,
  prop_corpus_format,
  prop_corpus_visible_min,
};

template <typename Value>
constexpr int number(Value value) {
  return static_cast<int>(value);
}

GType register_enum(const char* name, const GEnumValue* values) {
  return g_enum_register_static(name, values);
}

GType stain_type() {
  static const GEnumValue values[] = {
      {number(StainKind::automatic), "One of the stains below, drawn from the seed", "auto"},
      {number(StainKind::wright), "Wright: pinkish brown red cells, blue violet nuclei, grey white field",
       "wright"},
      {number(StainKind::may_grunwald_giemsa),
       "May-Gruenwald-Giemsa: rosy red cells, dark purple nuclei, cream field", "may-grunwald-giemsa"},
      {number(StainKind::giemsa), "Giemsa: mauve red cells, magenta nuclei, pink field", "giemsa"},
      {number(StainKind::leishman), "Leishman: grey blue red cells, purple nuclei, yellowish field",
       "leishman"},
      {0, nullptr, nullptr}};
  static const GType type = register_enum("SmearscopeStain", values);
  return type;
}

GType stage_path_type() {
  static const GEnumValue values[] = {
      {number(StagePath::pan), "Moves to the right without a stop", "pan"},
      {number(StagePath::stop_and_go), "Rests 1 s at each place, then moves on by 0.8 of the field",
       "stop-and-go"},
      {number(StagePath::there_and_back),
       "Moves two fields away, rests, and returns to where it began, again and again", "return"},
      {number(StagePath::still), "Does not move", "still"},
      {number(StagePath::raster), "Scans row by row, 5 fields wide, back and forth", "raster"},
      {0, nullptr, nullptr}};
  static const GType type = register_enum("SmearscopeStagePath", values);
  return type;
}

enum class Part { train, val };
GType corpus_part_type() {
  static const GEnumValue values[] = {{number(Part::train), "Training part: annotations/train.json", "train"},
                                      {number(Part::val), "Validation part: annotations/val.json", "val"},
                                      {0, nullptr, nullptr}};
  static const GType type = register_enum("SmearscopeCorpusPart", values);
  return type;
}

enum class ImageFormat { png, jpeg };
GType image_format_type() {
  static const GEnumValue values[] = {{number(ImageFormat::png), "PNG, lossless", "png"},
                                      {number(ImageFormat::jpeg), "JPEG, quality 95", "jpeg"},
                                      {0, nullptr, nullptr}};
  static const GType type = register_enum("SmearscopeImageFormat", values);
  return type;
}

constexpr auto live_control = static_cast<GParamFlags>(any_time | GST_PARAM_CONTROLLABLE);

class Installer {
 public:
  explicit Installer(GObjectClass* object_class) : class_(object_class) {}

  void real(guint id, const char* name, const char* nick, const char* blurb, double least, double most,
            double value, GParamFlags flags = before_start) {
    g_object_class_install_property(class_, id,
                                    g_param_spec_double(name, nick, blurb, least, most, value, flags));
  }
  void flag(guint id, const char* name, const char* nick, const char* blurb, bool value) {
    g_object_class_install_property(class_, id, g_param_spec_boolean(name, nick, blurb, value, before_start));
  }
  void choice(guint id, const char* name, const char* nick, const char* blurb, GType type, int value) {
    g_object_class_install_property(class_, id,
                                    g_param_spec_enum(name, nick, blurb, type, value, before_start));
    gst_type_mark_as_plugin_api(type, static_cast<GstPluginAPIFlags>(0));
  }
  void other(guint id, GParamSpec* spec) { g_object_class_install_property(class_, id, spec); }

 private:
  GObjectClass* class_;
};

}  // namespace

void install_properties(GObjectClass* object_class) {
  const TestSrcProperties initial;
  const auto& slide = initial.microscope.slide;
  const auto& sensor = initial.microscope.sensor;
  Installer add(object_class);
  add.flag(prop_is_live, "is-live", "Live",
           "Behave as a camera: frames come at the pace of the clock, and those that are late are left out",
           false);
  add.other(prop_seed,
            g_param_spec_uint64("seed", "Seed",
                                "Which slide: the same seed and properties give the same video, bit for bit",
                                0, G_MAXUINT64, slide.seed, before_start));
  add.real(prop_rbc_density, "rbc-density", "Red cells per mm2",
           "Red cells per square millimetre of slide, on average; thick and thin places vary by nearly half",
           0, 30000, slide.rbc_per_mm2);
  add.real(prop_wbc_density, "wbc-density", "White cells per mm2",
           "White cells per square millimetre of slide (normal blood: about 10 to 30)", 0, 5000,
           slide.wbc_per_mm2);
  add.real(prop_platelet_density, "platelet-density", "Platelets per mm2",
           "Platelets per square millimetre of slide", 0, 20000, slide.platelets_per_mm2);
  add.choice(prop_stain, "stain", "Stain", "Colours of the smear; the seed varies each a little",
             stain_type(), number(initial.microscope.stain));
  add.real(prop_pixel_size, "pixel-size", "Pixel size (um)",
           "Micrometres of slide per pixel (a red cell is 7.5 um wide)", 0.02, 0.5,
           initial.microscope.pixel_um);
  add.choice(prop_stage_path, "stage-path", "Stage path", "How the stage moves", stage_path_type(),
             number(initial.stage.path));
  add.real(prop_stage_speed, "stage-speed", "Stage speed (um/s)",
           "Speed of the stage in micrometres per second; mean speed where it starts and stops gently", 0,
           100000, initial.stage.speed_um_per_s);
  add.real(prop_start_x, "start-x", "Start x (um)",
           "Slide position of the first field's left edge, micrometres", 0, slide_width_um,
           initial.stage.start_x_um);
  add.real(prop_start_y, "start-y", "Start y (um)",
           "Slide position of the first field's top edge, micrometres", 0, slide_height_um,
           initial.stage.start_y_um);
  add.real(prop_focus, "focus", "Focus (um)",
           "Distance from best focus in micrometres; blur is visible from about 0.3", -20, 20,
           initial.stage.focus_um, live_control);
  add.real(prop_focus_drift, "focus-drift", "Focus drift (um)",
           "How far the focus wanders about `focus` over seconds, micrometres", 0, 20,
           initial.stage.focus_drift_um);
  add.real(prop_noise, "noise", "Sensor noise",
           "Standard deviation of the noise at full white, in steps of 8 bit; mostly shot noise, so less "
           "where it is dark",
           0, 64, sensor.noise);
  add.real(prop_vignetting, "vignetting", "Vignetting", "Share of light lost in the corners", 0, 1,
           sensor.vignetting);
  add.real(prop_illumination, "illumination", "Uneven illumination",
           "How much the light tilts across the field and wavers over time, as a share", 0, 0.5,
           sensor.illumination);
  add.other(prop_dust,
            g_param_spec_uint("dust", "Dust",
                              "Number of specks on the camera, which stay in place when the stage moves", 0,
                              1000, static_cast<guint>(sensor.dust), before_start));
  add.flag(prop_ground_truth, "ground-truth", "Ground truth",
           "Attach each cell's box, class, identity, slide position and visible share, and the stage's place "
           "and focus, to the frame",
           initial.ground_truth);
  add.other(prop_corpus_location,
            g_param_spec_string(
                "corpus-location", "Corpus location",
                "New folder to write the frames and their labels to as a COCO corpus; it appears, complete, "
                "at the end of the stream",
                nullptr, before_start));
  add.choice(prop_corpus_part, "corpus-part", "Corpus part", "Which part of a corpus this is",
             corpus_part_type(), number(Part::train));
  add.choice(prop_corpus_format, "corpus-format", "Corpus format", "File format of the corpus's images",
             image_format_type(), number(ImageFormat::png));
  add.real(prop_corpus_visible_min, "corpus-visible-min", "Corpus visible minimum",
           "Smallest share of a cell that must be in the picture for it to be labelled in the corpus", 0, 1,
           initial.corpus.visible_min);
}

bool set_property(TestSrcProperties& p, guint id, const GValue* value) {
  SlideSettings& slide = p.microscope.slide;
  SensorSettings& sensor = p.microscope.sensor;
  switch (id) {
    case prop_seed:
      slide.seed = sensor.seed = p.stage.seed = g_value_get_uint64(value);
      break;
    case prop_rbc_density:
      slide.rbc_per_mm2 = g_value_get_double(value);
      break;
    case prop_wbc_density:
      slide.wbc_per_mm2 = g_value_get_double(value);
      break;
    case prop_platelet_density:
      slide.platelets_per_mm2 = g_value_get_double(value);
      break;
    case prop_stain:
      p.microscope.stain = static_cast<StainKind>(g_value_get_enum(value));
      break;
    case prop_pixel_size:
      p.microscope.pixel_um = g_value_get_double(value);
      break;
    case prop_stage_path:
      p.stage.path = static_cast<StagePath>(g_value_get_enum(value));
      break;
    case prop_stage_speed:
      p.stage.speed_um_per_s = g_value_get_double(value);
      break;
    case prop_start_x:
      p.stage.start_x_um = g_value_get_double(value);
      break;
    case prop_start_y:
      p.stage.start_y_um = g_value_get_double(value);
      break;
    case prop_focus:
      p.stage.focus_um = g_value_get_double(value);
      break;
    case prop_focus_drift:
      p.stage.focus_drift_um = g_value_get_double(value);
      break;
    case prop_noise:
      sensor.noise = g_value_get_double(value);
      break;
    case prop_vignetting:
      sensor.vignetting = g_value_get_double(value);
      break;
    case prop_illumination:
      sensor.illumination = g_value_get_double(value);
      break;
    case prop_dust:
      sensor.dust = static_cast<int>(g_value_get_uint(value));
      break;
    case prop_ground_truth:
      p.ground_truth = g_value_get_boolean(value);
      break;
    case prop_corpus_location:
      p.corpus.folder = g_value_get_string(value) ? g_value_get_string(value) : "";
      break;
    case prop_corpus_part:
      p.corpus.part = g_value_get_enum(value) == number(Part::val) ? "val" : "train";
      break;
    case prop_corpus_format:
      p.corpus.jpeg = g_value_get_enum(value) == number(ImageFormat::jpeg);
      break;
    case prop_corpus_visible_min:
      p.corpus.visible_min = g_value_get_double(value);
      break;
    default:
      return false;
  }
  return true;
}

bool get_property(const TestSrcProperties& p, guint id, GValue* value) {
  const SlideSettings& slide = p.microscope.slide;
  const SensorSettings& sensor = p.microscope.sensor;
  switch (id) {
    case prop_seed:
      g_value_set_uint64(value, slide.seed);
      break;
    case prop_rbc_density:
      g_value_set_double(value, slide.rbc_per_mm2);
      break;
    case prop_wbc_density:
      g_value_set_double(value, slide.wbc_per_mm2);
      break;
    case prop_platelet_density:
      g_value_set_double(value, slide.platelets_per_mm2);
      break;
    case prop_stain:
      g_value_set_enum(value, number(p.microscope.stain));
      break;
    case prop_pixel_size:
      g_value_set_double(value, p.microscope.pixel_um);
      break;
    case prop_stage_path:
      g_value_set_enum(value, number(p.stage.path));
      break;
    case prop_stage_speed:
      g_value_set_double(value, p.stage.speed_um_per_s);
      break;
    case prop_start_x:
      g_value_set_double(value, p.stage.start_x_um);
      break;
    case prop_start_y:
      g_value_set_double(value, p.stage.start_y_um);
      break;
    case prop_focus:
      g_value_set_double(value, p.stage.focus_um);
      break;
    case prop_focus_drift:
      g_value_set_double(value, p.stage.focus_drift_um);
      break;
    case prop_noise:
      g_value_set_double(value, sensor.noise);
      break;
    case prop_vignetting:
      g_value_set_double(value, sensor.vignetting);
      break;
    case prop_illumination:
      g_value_set_double(value, sensor.illumination);
      break;
    case prop_dust:
      g_value_set_uint(value, static_cast<guint>(sensor.dust));
      break;
    case prop_ground_truth:
      g_value_set_boolean(value, p.ground_truth);
      break;
    case prop_corpus_location:
      g_value_set_string(value, p.corpus.folder.empty() ? nullptr : p.corpus.folder.c_str());
      break;
    case prop_corpus_part:
      g_value_set_enum(value, number(p.corpus.part == "val" ? Part::val : Part::train));
      break;
    case prop_corpus_format:
      g_value_set_enum(value, number(p.corpus.jpeg ? ImageFormat::jpeg : ImageFormat::png));
      break;
    case prop_corpus_visible_min:
      g_value_set_double(value, p.corpus.visible_min);
      break;
    default:
      return false;
  }
  return true;
}

}  // namespace smearscope::smear
