// A tally's fields in a structure: the part of cell_meta.h that is a table.
#include <algorithm>
#include <tuple>

#include "cell_meta.h"

namespace smearscope {
namespace {

constexpr guint most_rows = 256;
constexpr guint most_renames =
    65536;  // more than a frame of celltally's has, but where large parts are joined
constexpr guint64 most_cells = guint64{1} << 53U;  // what a double holds

// Sets `field` to an array with one value of `type` for each row.
template <typename Row, typename Set>
void set_column(GstStructure* structure, const char* field, GType type, const std::vector<Row>& rows,
                Set set) {
  GValue column = G_VALUE_INIT;
  gst_value_array_init(&column, static_cast<guint>(rows.size()));
  for (const Row& row : rows) {
    GValue value = G_VALUE_INIT;
    g_value_init(&value, type);
    set(&value, row);
    gst_value_array_append_and_take_value(&column, &value);
  }
  gst_structure_take_value(structure, field, &column);
}

// Calls get(value, row) for each row; false unless the field is an array of `type` with one value for each.
template <typename Row, typename Get>
bool get_column(const GstStructure* structure, const char* field, GType type, std::vector<Row>& rows,
                Get get) {
  const GValue* column = gst_structure_get_value(structure, field);
  if (!column || !GST_VALUE_HOLDS_ARRAY(column) || gst_value_array_get_size(column) != rows.size())
    return false;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const GValue* value = gst_value_array_get_value(column, static_cast<guint>(i));
    if (!G_VALUE_HOLDS(value, type)) return false;
    get(value, rows[i]);
  }
  return true;
}

std::string text_of(const GValue* value) {
  const gchar* text = g_value_get_string(value);
  return text ? text : "";
}

View view_named(const gchar* name) {
  for (const View view : {View::out_of_focus, View::too_dark, View::cells_too_small, View::cells_too_large}) {
    if (g_strcmp0(name, name_of(view)) == 0) return view;
  }
  return View::good;
}

}  // namespace

const char* name_of(View view) {
  switch (view) {
    case View::out_of_focus:
      return "out-of-focus";
    case View::too_dark:
      return "too-dark";
    case View::cells_too_small:
      return "cells-too-small";
    case View::cells_too_large:
      return "cells-too-large";
    case View::good:
      break;
  }
  return "good";
}

bool is_same(const Tally& one, const Tally& other) {
  using Row = Tally::Row;
  const auto what = [](const Tally& t) {
    return std::tie(t.view, t.target, t.target_class, t.target_count, t.parts, t.platelet_estimate);
  };
  return what(one) == what(other) &&
         std::equal(one.rows.begin(), one.rows.end(), other.rows.begin(), other.rows.end(),
                    [](const Row& a, const Row& b) {
                      return std::tie(a.class_name, a.family, a.count, a.grade, a.weak) ==
                             std::tie(b.class_name, b.family, b.count, b.grade, b.weak);
                    });
}

void set_tally(GstStructure* structure, const Tally& tally) {
  using Row = Tally::Row;
  set_column(structure, "classes", G_TYPE_STRING, tally.rows,
             [](GValue* value, const Row& row) { g_value_set_string(value, row.class_name.c_str()); });
  set_column(structure, "families", G_TYPE_STRING, tally.rows,
             [](GValue* value, const Row& row) { g_value_set_string(value, row.family.c_str()); });
  set_column(structure, "labels", G_TYPE_INT, tally.rows,
             [](GValue* value, const Row& row) { g_value_set_int(value, row.label); });
  set_column(structure, "counts", G_TYPE_UINT64, tally.rows,
             [](GValue* value, const Row& row) { g_value_set_uint64(value, row.count); });
  set_column(structure, "weak", G_TYPE_BOOLEAN, tally.rows,
             [](GValue* value, const Row& row) { g_value_set_boolean(value, row.weak); });
  set_column(structure, "grades", G_TYPE_STRING, tally.rows,
             [](GValue* value, const Row& row) { g_value_set_string(value, row.grade.c_str()); });
  gst_structure_set(structure, "detections", G_TYPE_UINT64, tally.detections, "out_of_focus", G_TYPE_UINT64,
                    tally.out_of_focus, "unplaced", G_TYPE_UINT64, tally.unplaced, "parts", G_TYPE_UINT64,
                    tally.parts, "target", G_TYPE_UINT, tally.target, "target_class", G_TYPE_STRING,
                    tally.target_class.c_str(), "target_count", G_TYPE_UINT64, tally.target_count, "view",
                    G_TYPE_STRING, name_of(tally.view), "frame_view", G_TYPE_STRING,
                    name_of(tally.frame_view), "pixel_size", G_TYPE_DOUBLE, tally.pixel_size_um, "calibrated",
                    G_TYPE_BOOLEAN, static_cast<gboolean>(tally.calibrated), nullptr);
  if (tally.platelet_estimate)
    gst_structure_set(structure, "platelet_estimate", G_TYPE_DOUBLE, *tally.platelet_estimate, nullptr);
  else
    gst_structure_remove_field(structure, "platelet_estimate");
}

std::optional<Tally> get_tally(const GstStructure* structure) {
  using Row = Tally::Row;
  Tally tally;
  gboolean calibrated = FALSE;
  const GValue* classes = gst_structure_get_value(structure, "classes");
  if (!classes || !GST_VALUE_HOLDS_ARRAY(classes) || gst_value_array_get_size(classes) > most_rows)
    return std::nullopt;
  tally.rows.resize(gst_value_array_get_size(classes));
  const bool complete =
      get_column(structure, "classes", G_TYPE_STRING, tally.rows,
                 [](const GValue* value, Row& row) { row.class_name = text_of(value); }) &&
      get_column(structure, "families", G_TYPE_STRING, tally.rows,
                 [](const GValue* value, Row& row) { row.family = text_of(value); }) &&
      get_column(structure, "labels", G_TYPE_INT, tally.rows,
                 [](const GValue* value, Row& row) { row.label = g_value_get_int(value); }) &&
      get_column(structure, "counts", G_TYPE_UINT64, tally.rows,
                 [](const GValue* value, Row& row) { row.count = g_value_get_uint64(value); }) &&
      get_column(structure, "weak", G_TYPE_BOOLEAN, tally.rows,
                 [](const GValue* value, Row& row) { row.weak = g_value_get_boolean(value) != FALSE; }) &&
      get_column(structure, "grades", G_TYPE_STRING, tally.rows,
                 [](const GValue* value, Row& row) { row.grade = text_of(value); }) &&
      gst_structure_get(structure, "detections", G_TYPE_UINT64, &tally.detections, "out_of_focus",
                        G_TYPE_UINT64, &tally.out_of_focus, "unplaced", G_TYPE_UINT64, &tally.unplaced,
                        "parts", G_TYPE_UINT64, &tally.parts, "target", G_TYPE_UINT, &tally.target,
                        "target_count", G_TYPE_UINT64, &tally.target_count, "pixel_size", G_TYPE_DOUBLE,
                        &tally.pixel_size_um, "calibrated", G_TYPE_BOOLEAN, &calibrated, nullptr);
  if (!complete) return std::nullopt;
  guint64 sum = 0;
  for (const Tally::Row& row : tally.rows) {
    if (row.count > most_cells - sum) return std::nullopt;
    sum += row.count;
  }
  if (const gchar* name = gst_structure_get_string(structure, "target_class")) tally.target_class = name;
  tally.calibrated = calibrated != FALSE;
  double platelets = 0;
  if (gst_structure_get_double(structure, "platelet_estimate", &platelets) && platelets >= 0 &&
      platelets < static_cast<double>(most_cells))
    tally.platelet_estimate = platelets;
  tally.view = view_named(gst_structure_get_string(structure, "view"));
  tally.frame_view = view_named(gst_structure_get_string(structure, "frame_view"));
  return tally;
}

void set_renames(GstStructure* structure, const std::vector<Tally::Rename>& renames) {
  using Rename = Tally::Rename;
  set_column(structure, "renamed", G_TYPE_UINT64, renames,
             [](GValue* value, const Rename& rename) { g_value_set_uint64(value, rename.identity); });
  set_column(structure, "renamed_to", G_TYPE_STRING, renames, [](GValue* value, const Rename& rename) {
    g_value_set_string(value, rename.counted_as.c_str());
  });
}

std::vector<Tally::Rename> get_renames(const GstStructure* structure) {
  using Rename = Tally::Rename;
  const GValue* cells = gst_structure_get_value(structure, "renamed");
  if (!cells || !GST_VALUE_HOLDS_ARRAY(cells) || gst_value_array_get_size(cells) > most_renames) return {};
  std::vector<Rename> renames(gst_value_array_get_size(cells));
  const bool complete =
      get_column(structure, "renamed", G_TYPE_UINT64, renames,
                 [](const GValue* value, Rename& rename) { rename.identity = g_value_get_uint64(value); }) &&
      get_column(structure, "renamed_to", G_TYPE_STRING, renames,
                 [](const GValue* value, Rename& rename) { rename.counted_as = text_of(value); });
  return complete ? renames : std::vector<Rename>{};
}

}  // namespace smearscope
