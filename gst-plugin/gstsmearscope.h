// smearscope: detection and overlay in one element.
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_SMEARSCOPE (gst_smearscope_get_type())
G_DECLARE_FINAL_TYPE(GstSmearscope, gst_smearscope, GST, SMEARSCOPE, GstBin)
GST_ELEMENT_REGISTER_DECLARE(smearscope)

G_END_DECLS
