#include <algorithm>
#include <cstdint>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "corpus/coco.h"

namespace smearscope::corpus {
namespace {

using nlohmann::json;

constexpr int largest_side = 1 << 20;
constexpr double rounding_slack = 0.5;  // pixels

// One record of the file, and what its errors begin with: "val.json: annotation 17".
class Record {
 public:
  Record(const json& value, const std::string& file, const char* what, std::size_t position)
      : value_(value), file_(file), what_(what), position_(position) {
    id_ = integer("id");
    has_id_ = true;
  }

  std::int64_t id() const { return id_; }
  const json& value() const { return value_; }

  [[noreturn]] void fail(const std::string& what) const {
    const std::string name = has_id_ ? std::string(what_) + " " + std::to_string(id_)
                                     : std::string(what_) + " number " + std::to_string(position_);
    throw Error(file_ + ": " + name + ": " + what);
  }

  const json& field(const char* name) const {
    if (!value_.is_object()) fail("is not an object");
    const auto found = value_.find(name);
    if (found == value_.end()) fail("has no \"" + std::string(name) + "\"");
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

  std::string optional_text(const char* name) const { return value_.contains(name) ? text(name) : ""; }

  // The elements of an optional list.
  const json& list(const char* name) const {
    static const json none = json::array();
    if (!value_.contains(name)) return none;
    const json& list = value_[name];
    if (!list.is_array()) fail("\"" + std::string(name) + "\" is not a list");
    return list;
  }

  // x, y, width, height -> a box inside the image.
  Box box(const json& list, const char* name, const Image& image) const {
    const bool four_numbers =
        list.is_array() && list.size() == 4 &&
        std::all_of(list.begin(), list.end(), [](const json& v) { return v.is_number(); });
    if (!four_numbers) fail("\"" + std::string(name) + "\" is not four numbers");
    const double x = list[0].get<double>(), y = list[1].get<double>();
    const double width = list[2].get<double>(), height = list[3].get<double>();
    const auto shown = [&] { return "box " + list.dump() + " "; };
    if (!(width > 0 && height > 0)) fail(shown() + "has no area");
    const bool inside = x >= -rounding_slack && y >= -rounding_slack &&
                        x + width <= image.width + rounding_slack &&
                        y + height <= image.height + rounding_slack;
    if (!inside) {
      fail(shown() + "reaches outside its image '" + image.file + "' (" + std::to_string(image.width) + "x" +
           std::to_string(image.height) + ")");
    }
    const Box box{std::max(x, 0.0), std::max(y, 0.0), std::min(x + width, double(image.width)),
                  std::min(y + height, double(image.height))};
    if (!(box.width() > 0 && box.height() > 0)) fail(shown() + "has no area inside its image");
    return box;
  }

 private:
  const json& value_;
  const std::string& file_;
  const char* what_;
  std::size_t position_;
  std::int64_t id_ = 0;
  bool has_id_ = false;
};

BoxOrigin origin_of(const Record& record) {
  const std::string name = record.optional_text("box_origin");
  if (name == "segmented") return BoxOrigin::segmented;
  if (name == "fallback") return BoxOrigin::fallback;
  if (!name.empty() && name != "labelled") record.fail("\"box_origin\" is '" + name + "'");
  return BoxOrigin::labelled;
}

bool is_crowd(const json& value) {
  const auto found = value.find("iscrowd");
  return found != value.end() && ((found->is_number() && found->get<double>() != 0) || *found == true);
}

void check_file_name(const Record& record, const std::string& name) {
  const std::filesystem::path path(name);
  const bool leaves = path.is_absolute() || std::find(path.begin(), path.end(), "..") != path.end();
  if (leaves) record.fail("file name '" + name + "' leaves the folder of the images");
}

// The file's lists, record by record, in whatever order they come: annotations wait for their images,
// category ids for the categories.
class CocoFile {
 public:
  CocoFile(const std::filesystem::path& file, const std::filesystem::path& images_folder)
      : file_(file.string()), images_folder_(images_folder) {}

  CocoPart read() {
    std::ifstream in(file_, std::ios::binary);
    if (!in) throw Error(file_ + ": cannot read the file");
    parse(in);
    for (const char* list : {"categories", "images", "annotations"}) {
      if (lists_.count(list) == 0) {
        throw Error(file_ + ": has no list \"" + list + "\"; is it COCO detection JSON?");
      }
    }
    finish_classes();
    for (Image& image : part_.images) finish_image(image);
    for (auto& [image, category, annotation, id] : waiting_)
      finish_annotation(image, category, annotation, id);
    return std::move(part_);
  }

 private:
  struct Waiting {
    std::int64_t image_id, category_id;
    Annotation annotation;
    std::int64_t id;
  };
  struct RawClass {
    std::string name, parent;
  };

  // Elements of the top-level lists are taken as soon as they end, and dropped from the document.
  void parse(std::istream& in) {
    std::string list;
    std::size_t position = 0;
    const auto take = [&](int depth, json::parse_event_t event, json& value) {
      using Event = json::parse_event_t;
      if (depth == 1 && event == Event::key) list = value.get<std::string>();
      if (depth == 1 && event == Event::array_start) {
        position = 0;
        lists_.insert(list);
      }
      const bool ends = event == Event::object_end || event == Event::array_end || event == Event::value;
      if (depth != 2 || !ends || lists_.count(list) == 0) return true;
      ++position;
      if (list == "categories") take_category(Record(value, file_, "category", position));
      if (list == "images") take_image(Record(value, file_, "image", position));
      if (list == "annotations") take_annotation(Record(value, file_, "annotation", position));
      return false;
    };
    try {
      const json rest = json::parse(in, take);
    } catch (const json::exception& problem) {
      throw Error(file_ + ": not JSON: " + problem.what());
    }
  }

  void take_category(const Record& record) {
    const RawClass raw{record.text("name"), record.optional_text("supercategory")};
    if (!class_of_id_.emplace(record.id(), raw).second) record.fail("the id is used twice");
  }

  void take_image(const Record& record) {
    Image image;
    image.id = record.id();
    image.file = record.text("file_name");
    check_file_name(record, image.file);
    image.width = record.side("width");
    image.height = record.side("height");
    image.source = record.optional_text("source");
    image.source_file = record.optional_text("source_file");
    image.group = record.optional_text("group");
    if (record.value().contains("pixel_size_um")) {
      const json& size = record.field("pixel_size_um");
      if (!size.is_number() || !(size.get<double>() > 0)) record.fail("\"pixel_size_um\" is not a length");
      image.pixel_size_um = size.get<double>();
    }
    for (const json& region : record.list("ignore_regions")) {
      image.ignore_regions.push_back(record.box(region, "ignore_regions", image));
    }
    if (record.value().contains("ignore_regions_complete")) {
      const json& complete = record.field("ignore_regions_complete");
      if (!complete.is_boolean()) record.fail("\"ignore_regions_complete\" is neither true nor false");
      image.regions_complete = complete.get<bool>();
    }
    // Category ids for now; finish_image makes classes of them.
    image.absent = category_ids(record, "neg_category_ids");
    image.not_exhaustive = category_ids(record, "not_exhaustive_category_ids");
    image.path = images_folder_ / image.file;
    if (!image_of_id_.emplace(record.id(), part_.images.size()).second) record.fail("the id is used twice");
    if (!files_.insert(image.file).second) record.fail("file name '" + image.file + "' is used twice");
    part_.images.push_back(std::move(image));
  }

  static std::vector<int> category_ids(const Record& record, const char* name) {
    std::vector<int> ids;
    for (const json& id : record.list(name)) {
      if (!id.is_number_integer() || id.get<std::int64_t>() != static_cast<int>(id.get<std::int64_t>())) {
        record.fail("\"" + std::string(name) + "\" is not a list of category ids");
      }
      ids.push_back(id.get<int>());
    }
    return ids;
  }

  void take_annotation(const Record& record) {
    if (!annotation_ids_.insert(record.id()).second) record.fail("the id is used twice");
    Waiting waiting{record.integer("image_id"), record.integer("category_id"), {}, record.id()};
    if (is_crowd(record.value())) return;
    waiting.annotation.label = record.optional_text("label");
    waiting.annotation.origin = origin_of(record);
    const auto image = image_of_id_.find(waiting.image_id);
    if (image == image_of_id_.end()) {
      // The images come later, or never: whether the box lies inside has to wait.
      static const Image anywhere = [] {
        Image i;
        i.width = i.height = largest_side;
        return i;
      }();
      waiting.annotation.box = record.box(record.field("bbox"), "bbox", anywhere);
    } else {
      waiting.annotation.box = record.box(record.field("bbox"), "bbox", part_.images[image->second]);
    }
    waiting_.push_back(std::move(waiting));
  }

  void finish_classes() {
    std::map<std::string, int> index_of_name;
    for (const auto& [id, raw] : class_of_id_) {
      const int index = static_cast<int>(part_.classes.size());
      if (!index_of_name.emplace(raw.name, index).second) {
        throw Error(file_ + ": two categories are named '" + raw.name + "'");
      }
      category_of_id_[id] = index;
      part_.classes.push_back({raw.name, -1});
    }
    for (const auto& [id, raw] : class_of_id_) {
      const auto parent = index_of_name.find(raw.parent);
      const int index = category_of_id_[id];
      if (parent != index_of_name.end() && parent->second != index) {
        part_.classes[static_cast<std::size_t>(index)].parent = parent->second;
      }
    }
  }

  void finish_image(Image& image) const {
    for (std::vector<int>* list : {&image.absent, &image.not_exhaustive}) {
      for (int& id : *list) {
        const auto category = category_of_id_.find(id);
        if (category == category_of_id_.end()) {
          throw Error(file_ + ": image '" + image.file + "' names a category id that no category has");
        }
        id = category->second;
      }
      std::sort(list->begin(), list->end());
    }
  }

  void finish_annotation(std::int64_t image_id, std::int64_t category_id, Annotation& annotation,
                         std::int64_t id) {
    const auto where = [&] { return file_ + ": annotation " + std::to_string(id) + ": "; };
    const auto image = image_of_id_.find(image_id);
    if (image == image_of_id_.end()) throw Error(where() + "names an image id that no image has");
    const auto category = category_of_id_.find(category_id);
    if (category == category_of_id_.end()) throw Error(where() + "names a category id that no category has");
    Image& owner = part_.images[image->second];
    const Box& box = annotation.box;
    if (box.x_max > owner.width + rounding_slack || box.y_max > owner.height + rounding_slack) {
      throw Error(where() + "box reaches outside its image '" + owner.file + "'");
    }
    annotation.category = category->second;
    owner.annotations.push_back(std::move(annotation));
  }

  std::string file_;
  std::filesystem::path images_folder_;
  CocoPart part_;
  std::set<std::string> lists_;
  std::map<std::int64_t, RawClass> class_of_id_;
  std::map<std::int64_t, int> category_of_id_;
  std::unordered_map<std::int64_t, std::size_t> image_of_id_;
  std::unordered_set<std::string> files_;
  std::unordered_set<std::int64_t> annotation_ids_;
  std::vector<Waiting> waiting_;
};

}  // namespace

CocoPart read_coco(const std::filesystem::path& file, const std::filesystem::path& images_folder) {
  return CocoFile(file, images_folder).read();
}

}  // namespace smearscope::corpus
