#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define GST_TYPE_CELL_TALLY (gst_cell_tally_get_type())
G_DECLARE_FINAL_TYPE(GstCellTally, gst_cell_tally, GST, CELL_TALLY, GstBaseTransform)

GST_ELEMENT_REGISTER_DECLARE(celltally);

G_END_DECLS
