// smeartestsrc: a live or recorded-speed source of synthetic blood smear video with exact ground truth.
#pragma once

#include <gst/base/gstpushsrc.h>

G_BEGIN_DECLS

#define GST_TYPE_SMEAR_TEST_SRC (gst_smear_test_src_get_type())
G_DECLARE_FINAL_TYPE(GstSmearTestSrc, gst_smear_test_src, GST, SMEAR_TEST_SRC, GstPushSrc)
GST_ELEMENT_REGISTER_DECLARE(smeartestsrc)

G_END_DECLS
