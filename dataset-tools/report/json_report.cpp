#include "report/json_report.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace smearscope::corpus {
namespace {

using nlohmann::ordered_json;

ordered_json quantiles(const std::vector<float>& values) {
  if (values.empty()) return nullptr;
  const auto rounded = [&](double q) { return std::round(quantile(values, q) * 1e5) / 1e5; };
  return {rounded(0.05), rounded(0.5), rounded(0.95)};
}

ordered_json to_json(const SourceStatistics& source, const std::vector<Class>& classes) {
  ordered_json per_class = ordered_json::object();
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const auto& c = source.per_class[i];
    per_class[classes[i].name] = {{"boxes", c.boxes},
                                  {"images", c.images},
                                  {"labelled_exhaustively", c.exhaustive},
                                  {"absent", c.absent},
                                  {"labelled_in_part", c.partial},
                                  {"box_side_px", quantiles(c.box_sides)},
                                  {"labels", c.labels}};
  }
  return {{"name", source.name},
          {"images", source.images},
          {"images_without_boxes", source.images_without_boxes},
          {"boxes", source.boxes},
          {"boxes_by_origin",
           {{"labelled", source.by_origin[0]},
            {"segmented", source.by_origin[1]},
            {"fallback", source.by_origin[2]}}},
          {"classes_with_boxes", source.classes},
          {"ignore_regions", source.ignore_regions},
          {"image_sizes", source.sizes},
          {"images_with_pixel_size", source.pixel_sizes.size()},
          {"pixel_size_um", quantiles(source.pixel_sizes)},
          {"changes", source.changes},
          {"files_left_out", source.left_out},
          {"classes", per_class}};
}

}  // namespace

std::string json_report(const Statistics& statistics) {
  ordered_json document;
  for (const Class& c : statistics.classes) {
    const ordered_json parent =
        c.parent < 0 ? ordered_json(nullptr)
                     : ordered_json(statistics.classes[static_cast<std::size_t>(c.parent)].name);
    document["classes"].push_back({{"name", c.name}, {"parent", parent}});
  }
  document["total"] = to_json(statistics.total, statistics.classes);
  document["sources"] = ordered_json::array();
  for (const SourceStatistics& s : statistics.sources)
    document["sources"].push_back(to_json(s, statistics.classes));
  document["parts"] = ordered_json::array();
  for (const PartStatistics& part : statistics.parts) {
    ordered_json boxes = ordered_json::object();
    for (std::size_t i = 0; i < part.class_boxes.size(); ++i)
      boxes[statistics.classes[i].name] = part.class_boxes[i];
    document["parts"].push_back(
        {{"name", part.name}, {"images", part.images}, {"boxes", part.boxes}, {"class_boxes", boxes}});
  }
  // Names come from files: what is not UTF-8 becomes U+FFFD.
  return document.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace smearscope::corpus
