// celldetect: finds blood cells in raw video and attaches them to each frame (cell_meta.h). Pixels pass
// untouched.
#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define GST_TYPE_CELL_DETECT (gst_cell_detect_get_type())
G_DECLARE_FINAL_TYPE(GstCellDetect, gst_cell_detect, GST, CELL_DETECT, GstBaseTransform)
GST_ELEMENT_REGISTER_DECLARE(celldetect)

G_END_DECLS
