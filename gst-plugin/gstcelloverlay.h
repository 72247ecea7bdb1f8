#pragma once

#include <gst/video/gstvideofilter.h>

G_BEGIN_DECLS

#define GST_TYPE_CELL_OVERLAY (gst_cell_overlay_get_type())
G_DECLARE_FINAL_TYPE(GstCellOverlay, gst_cell_overlay, GST, CELL_OVERLAY, GstVideoFilter)

GST_ELEMENT_REGISTER_DECLARE(celloverlay);

G_END_DECLS
