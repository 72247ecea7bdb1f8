// The plugin's entry point: registers each element, and does nothing else.
#include <gst/gst.h>

#include "gstcelldetect.h"
#include "gstcellgallery.h"
#include "gstcelloverlay.h"
#include "gstcellreport.h"
#include "gstcelltally.h"
#include "gstsmearscope.h"
#include "gstsmeartestsrc.h"

static gboolean plugin_init(GstPlugin* plugin) {
  // One GST_ELEMENT_REGISTER(name, plugin) per element, from its gst<name>.h.
  gboolean registered = TRUE;
  registered &= GST_ELEMENT_REGISTER(celldetect, plugin);
  registered &= GST_ELEMENT_REGISTER(cellgallery, plugin);
  registered &= GST_ELEMENT_REGISTER(celloverlay, plugin);
  registered &= GST_ELEMENT_REGISTER(cellreport, plugin);
  registered &= GST_ELEMENT_REGISTER(celltally, plugin);
  registered &= GST_ELEMENT_REGISTER(smearscope, plugin);
  registered &= GST_ELEMENT_REGISTER(smeartestsrc, plugin);
  return registered;
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, smearscope,
                  "Finds and counts blood cells in microscope video", plugin_init, SMEARSCOPE_VERSION,
                  "MIT/X11", "smearscope", "Smearscope")
