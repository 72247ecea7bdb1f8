#include "corpus/coco.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "model/file_writer.h"

namespace smearscope::corpus {
namespace {

using nlohmann::json;

constexpr int largest_side = 1 << 20;
constexpr double rounding_slack = 0.5;  // pixels

// One record of the file, with what its errors begin with: "val.json: annotation 17".
struct Record {
  const json& value;
  std::string where;

  [[noreturn]] void fail(const std::string& what) const { throw Error(where + ": " + what); }

  const json& field(const char* name) const {
    if (!value.is_object()) fail("is not an object");
    const auto found = value.find(name);
    if (found == value.end()) fail("has no \"" + std::string(name) + "\"");
    return *found;
  }

  std::int64_t integer(const char* name) const {
    const json& number = field(name);
    if (!number.is_number_integer()) fail("\"" + std::string(name) + "\" is not a whole number");
    return number.get<std::int64_t>();
  }

  int side(const char* name) const {
    const std::int64_t pixels = integer(name);
    if (pixels < 1 || pixels > largest_side) {
      fail("\"" + std::string(name) + "\" is " + std::to_string(pixels) + "; images have 1 to " +
           std::to_string(largest_side) + " pixels a side");
    }
    return static_cast<int>(pixels);
  }

  std::string text(const char* name) const {
    const json& string = field(name);
    if (!string.is_string() || string.get_ref<const std::string&>().empty()) {
      fail("\"" + std::string(name) + "\" is not a text");
    }
    return string.get<std::string>();
  }

  std::string optional_text(const char* name) const { return value.contains(name) ? text(name) : ""; }
};

json parse(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw Error(file.string() + ": cannot read the file");
  std::stringstream bytes;
  bytes << in.rdbuf();
  try {
    return json::parse(bytes.str());
  } catch (const json::exception& problem) {
    throw Error(file.string() + ": not JSON: " + problem.what());
  }
}

// Calls `take(record)` for each element of the top-level list `name`.
template <typename Take>
void for_each(const json& document, const std::filesystem::path& file, const char* name, const char* what,
              Take take) {
  if (!document.is_object() || !document.contains(name) || !document[name].is_array()) {
    throw Error(file.string() + ": has no list \"" + name + "\"; is it COCO detection JSON?");
  }
  std::size_t position = 0;
  for (const json& value : document[name]) {
    ++position;
    Record record{value, file.string() + ": " + what + " number " + std::to_string(position)};
    const std::int64_t id = record.integer("id");
    record.where = file.string() + ": " + what + " " + std::to_string(id);
    take(record, id);
  }
}

void check_file_name(const Record& record, const std::string& name) {
  const std::filesystem::path path(name);
  const bool leaves = path.is_absolute() || std::find(path.begin(), path.end(), "..") != path.end();
  if (leaves) record.fail("file name '" + name + "' leaves the folder of the images");
}

Box read_box(const Record& record, const Image& image) {
  const json& list = record.field("bbox");
  const bool four_numbers =
      list.is_array() && list.size() == 4 &&
      std::all_of(list.begin(), list.end(), [](const json& v) { return v.is_number(); });
  if (!four_numbers) record.fail("\"bbox\" is not four numbers");
  const double x = list[0].get<double>(), y = list[1].get<double>();
  const double width = list[2].get<double>(), height = list[3].get<double>();
  const std::string shown = "box " + list.dump() + " ";
  if (!(width > 0 && height > 0)) record.fail(shown + "has no area");
  const bool inside = x >= -rounding_slack && y >= -rounding_slack &&
                      x + width <= image.width + rounding_slack &&
                      y + height <= image.height + rounding_slack;
  if (!inside) {
    record.fail(shown + "reaches outside its image '" + image.file + "' (" + std::to_string(image.width) +
                "x" + std::to_string(image.height) + ")");
  }
  const Box box{std::max(x, 0.0), std::max(y, 0.0), std::min(x + width, double(image.width)),
                std::min(y + height, double(image.height))};
  if (!(box.width() > 0 && box.height() > 0)) record.fail(shown + "has no area inside its image");
  return box;
}

bool is_crowd(const json& value) {
  const auto found = value.find("iscrowd");
  return found != value.end() && ((found->is_number() && found->get<double>() != 0) || *found == true);
}

double hundredths(double pixels) {
  return std::round(pixels * 100) / 100;
}

}  // namespace

CocoPart read_coco(const std::filesystem::path& file, const std::filesystem::path& images_folder) {
  const json document = parse(file);
  CocoPart part;

  std::map<std::int64_t, std::string> class_of_id;
  for_each(document, file, "categories", "category", [&](const Record& record, std::int64_t id) {
    if (!class_of_id.emplace(id, record.text("name")).second) record.fail("the id is used twice");
  });
  std::map<std::int64_t, int> category_of_id;
  std::set<std::string> names;
  for (const auto& [id, name] : class_of_id) {
    if (!names.insert(name).second) throw Error(file.string() + ": two categories are named '" + name + "'");
    category_of_id[id] = static_cast<int>(part.classes.size());
    part.classes.push_back(name);
  }

  std::map<std::int64_t, std::size_t> image_of_id;
  std::set<std::string> files;
  for_each(document, file, "images", "image", [&](const Record& record, std::int64_t id) {
    Image image;
    image.file = record.text("file_name");
    check_file_name(record, image.file);
    image.width = record.side("width");
    image.height = record.side("height");
    image.source = record.optional_text("source");
    image.source_file = record.optional_text("source_file");
    image.path = images_folder / image.file;
    if (!image_of_id.emplace(id, part.images.size()).second) record.fail("the id is used twice");
    if (!files.insert(image.file).second) record.fail("file name '" + image.file + "' is used twice");
    part.images.push_back(std::move(image));
  });

  std::set<std::int64_t> annotation_ids;
  for_each(document, file, "annotations", "annotation", [&](const Record& record, std::int64_t id) {
    if (!annotation_ids.insert(id).second) record.fail("the id is used twice");
    const auto image = image_of_id.find(record.integer("image_id"));
    if (image == image_of_id.end()) record.fail("names an image id that no image has");
    const auto category = category_of_id.find(record.integer("category_id"));
    if (category == category_of_id.end()) record.fail("names a category id that no category has");
    if (is_crowd(record.value)) return;
    Image& owner = part.images[image->second];
    owner.annotations.push_back({read_box(record, owner), category->second});
  });
  return part;
}

void write_coco(const std::filesystem::path& file, const std::vector<std::string>& classes,
                const std::vector<Image>& images, int& next_image_id, int& next_annotation_id) {
  std::vector<json> categories, image_list, annotations;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    categories.push_back({{"id", i + 1}, {"name", classes[i]}, {"supercategory", "cell"}});
  }
  for (const Image& image : images) {
    const int image_id = next_image_id++;
    image_list.push_back({{"id", image_id},
                          {"file_name", image.file},
                          {"width", image.width},
                          {"height", image.height},
                          {"source", image.source},
                          {"source_file", image.source_file}});
    for (const Annotation& annotation : image.annotations) {
      const Box& box = annotation.box;
      const double x = hundredths(box.x_min), y = hundredths(box.y_min);
      const double width = hundredths(box.x_max - x), height = hundredths(box.y_max - y);
      annotations.push_back({{"id", next_annotation_id++},
                             {"image_id", image_id},
                             {"category_id", annotation.category + 1},
                             {"bbox", {x, y, width, height}},
                             {"area", hundredths(width * height)},
                             {"iscrowd", 0},
                             {"segmentation", json::array()}});
    }
  }
  // One record a line, so that a change to a corpus reads well in a comparison.
  std::string text = "{\n\"info\": {\"description\": \"Smearscope corpus\"},\n\"licenses\": []";
  const auto append = [&text](const char* name, const std::vector<json>& records) {
    text += std::string(",\n\"") + name + "\": [";
    for (std::size_t i = 0; i < records.size(); ++i) {
      text += (i > 0 ? ",\n" : "\n") + records[i].dump(-1, ' ', false, json::error_handler_t::replace);
    }
    text += "\n]";
  };
  append("categories", categories);
  append("images", image_list);
  append("annotations", annotations);
  text += "\n}\n";
  replace_file(file.string(), {{text.data(), text.size()}});
}

}  // namespace smearscope::corpus
