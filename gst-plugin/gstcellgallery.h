#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define GST_TYPE_CELL_GALLERY (gst_cell_gallery_get_type())
G_DECLARE_FINAL_TYPE(GstCellGallery, gst_cell_gallery, GST, CELL_GALLERY, GstBaseTransform)

GST_ELEMENT_REGISTER_DECLARE(cellgallery);

G_END_DECLS
