// A bin of celldetect ! celltally ! cellgallery ! celloverlay that has all the properties of the four. A
// further stage is one more line in `stages`, in the order in which frames take them.
#include "gstsmearscope.h"

#include <gst/video/video.h>

#include <array>
#include <memory>
#include <vector>

#include "detection/video_frame.h"
#include "gstcelldetect.h"
#include "gstcellgallery.h"
#include "gstcelloverlay.h"
#include "gstcelltally.h"

namespace {

struct Stage {
  const char* name;  // of the child in the bin
  GType (*type)();
};
constexpr std::array<Stage, 4> stages{{{"detect", gst_cell_detect_get_type},
                                       {"tally", gst_cell_tally_get_type},
                                       {"gallery", gst_cell_gallery_get_type},
                                       {"overlay", gst_cell_overlay_get_type}}};

// Property id i + 1 of the bin is property `spec` of that stage.
struct ProxiedProperty {
  std::size_t stage;
  GParamSpec* spec;
};

GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE(SMEARSCOPE_FRAME_FORMATS)));
GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE(SMEARSCOPE_FRAME_FORMATS)));

}  // namespace

struct _GstSmearscope {
  GstBin parent;
  std::array<GstElement*, stages.size()> children;  // owned by the bin
};

G_DEFINE_TYPE(GstSmearscope, gst_smearscope, GST_TYPE_BIN)
GST_ELEMENT_REGISTER_DEFINE(smearscope, "smearscope", GST_RANK_NONE, GST_TYPE_SMEARSCOPE)

// The stages' own properties, without what they inherit, in their order.
static const std::vector<ProxiedProperty>& proxied_properties() {
  static const std::vector<ProxiedProperty> properties = [] {
    std::vector<ProxiedProperty> found;
    for (std::size_t stage = 0; stage < stages.size(); ++stage) {
      // The class is kept for good: its specs are used as long as this plugin is loaded.
      auto* stage_class = static_cast<GObjectClass*>(g_type_class_ref(stages[stage].type()));
      guint count = 0;
      const std::unique_ptr<GParamSpec*, void (*)(gpointer)> specs(
          g_object_class_list_properties(stage_class, &count), g_free);
      for (guint i = 0; i < count; ++i) {
        if (specs.get()[i]->owner_type == stages[stage].type()) found.push_back({stage, specs.get()[i]});
      }
    }
    return found;
  }();
  return properties;
}

// A spec belongs to one class, so the bin needs its own; gst-inspect then shows type, range and default as
// usual.
static GParamSpec* copy_spec(GParamSpec* spec) {
  const char *name = g_param_spec_get_name(spec), *nick = g_param_spec_get_nick(spec),
             *blurb = g_param_spec_get_blurb(spec);
  // The bin passes values on, but does not follow control sources; its children do.
  const auto flags = static_cast<GParamFlags>(spec->flags & ~GST_PARAM_CONTROLLABLE);
  if (G_IS_PARAM_SPEC_BOOLEAN(spec)) {
    return g_param_spec_boolean(name, nick, blurb, G_PARAM_SPEC_BOOLEAN(spec)->default_value, flags);
  }
  if (G_IS_PARAM_SPEC_INT(spec)) {
    const GParamSpecInt* number = G_PARAM_SPEC_INT(spec);
    return g_param_spec_int(name, nick, blurb, number->minimum, number->maximum, number->default_value,
                            flags);
  }
  if (G_IS_PARAM_SPEC_UINT(spec)) {
    const GParamSpecUInt* number = G_PARAM_SPEC_UINT(spec);
    return g_param_spec_uint(name, nick, blurb, number->minimum, number->maximum, number->default_value,
                             flags);
  }
  if (G_IS_PARAM_SPEC_UINT64(spec)) {
    const GParamSpecUInt64* number = G_PARAM_SPEC_UINT64(spec);
    return g_param_spec_uint64(name, nick, blurb, number->minimum, number->maximum, number->default_value,
                               flags);
  }
  if (G_IS_PARAM_SPEC_DOUBLE(spec)) {
    const GParamSpecDouble* number = G_PARAM_SPEC_DOUBLE(spec);
    return g_param_spec_double(name, nick, blurb, number->minimum, number->maximum, number->default_value,
                               flags);
  }
  if (G_IS_PARAM_SPEC_ENUM(spec)) {
    return g_param_spec_enum(name, nick, blurb, spec->value_type, G_PARAM_SPEC_ENUM(spec)->default_value,
                             flags);
  }
  if (G_IS_PARAM_SPEC_STRING(spec)) {
    return g_param_spec_string(name, nick, blurb, G_PARAM_SPEC_STRING(spec)->default_value, flags);
  }
  g_error("smearscope: property %s has a type that the bin cannot copy", name);
}

static void gst_smearscope_set_property(GObject* object, guint id, const GValue* value, GParamSpec*) {
  const ProxiedProperty& property = proxied_properties().at(id - 1);
  g_object_set_property(G_OBJECT(GST_SMEARSCOPE(object)->children.at(property.stage)),
                        g_param_spec_get_name(property.spec), value);
}

static void gst_smearscope_get_property(GObject* object, guint id, GValue* value, GParamSpec*) {
  const ProxiedProperty& property = proxied_properties().at(id - 1);
  g_object_get_property(G_OBJECT(GST_SMEARSCOPE(object)->children.at(property.stage)),
                        g_param_spec_get_name(property.spec), value);
}

static void gst_smearscope_new_slide(GstSmearscope* self) {
  for (GstElement* child : self->children) {
    if (GST_IS_CELL_TALLY(child)) g_signal_emit_by_name(child, "new-slide");
  }
}

static void add_ghost_pad(GstSmearscope* self, GstElement* child, GstStaticPadTemplate* pad_template) {
  GstPad* target = gst_element_get_static_pad(child, pad_template->name_template);
  GstPadTemplate* ghost_template = gst_static_pad_template_get(pad_template);
  gst_element_add_pad(GST_ELEMENT(self),
                      gst_ghost_pad_new_from_template(pad_template->name_template, target, ghost_template));
  gst_object_unref(ghost_template);
  gst_object_unref(target);
}

static void gst_smearscope_init(GstSmearscope* self) {
  for (std::size_t i = 0; i < stages.size(); ++i) {
    self->children[i] = GST_ELEMENT(g_object_new(stages[i].type(), "name", stages[i].name, nullptr));
    gst_bin_add(GST_BIN(self), self->children[i]);
    if (i > 0) gst_element_link(self->children[i - 1], self->children[i]);
  }
  add_ghost_pad(self, self->children.front(), &sink_template);
  add_ghost_pad(self, self->children.back(), &src_template);
}

static void gst_smearscope_class_init(GstSmearscopeClass* klass) {
  auto* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = gst_smearscope_set_property;
  object_class->get_property = gst_smearscope_get_property;
  guint id = 0;
  for (const ProxiedProperty& property : proxied_properties()) {
    g_object_class_install_property(object_class, ++id, copy_spec(property.spec));
  }

  g_signal_new_class_handler("new-slide", G_TYPE_FROM_CLASS(klass),
                             static_cast<GSignalFlags>(G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION),
                             G_CALLBACK(gst_smearscope_new_slide), nullptr, nullptr, nullptr, G_TYPE_NONE, 0);

  auto* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(
      element_class, "Blood cell microscope", "Filter/Analyzer/Effect/Video",
      "Finds blood cells in microscope video, counts each once, and draws boxes, names and counts: "
      "celldetect, celltally, cellgallery and celloverlay in one element, with the properties of all. Put "
      "videoconvert on either side "
      "where formats may differ, as in "
      "\"smeartestsrc ! videoconvert ! smearscope ! videoconvert ! autovideosink\"",
      "Smearscope");
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_add_static_pad_template(element_class, &src_template);
}
