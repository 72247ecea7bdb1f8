#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define GST_TYPE_CELL_REPORT (gst_cell_report_get_type())
G_DECLARE_FINAL_TYPE(GstCellReport, gst_cell_report, GST, CELL_REPORT, GstBaseTransform)

GST_ELEMENT_REGISTER_DECLARE(cellreport);

G_END_DECLS
