#include <algorithm>
#include <cstdint>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <tuple>

#include "corpus/coco.h"
#include "corpus/coco_record.h"
#include "corpus/id_runs.h"
#include "corpus/plain_text.h"
#include "storage/name_table.h"

namespace smearscope::corpus {
namespace {

using nlohmann::json;

BoxOrigin origin_of(const CocoRecord& record) {
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

void check_file_name(const CocoRecord& record, const std::string& name) {
  const std::filesystem::path path(name);
  const bool leaves = path.is_absolute() || std::find(path.begin(), path.end(), "..") != path.end();
  if (leaves) record.fail("file name '" + name + "' leaves the folder of the images");
}

// Annotations that follow each other in the file and are of one image. They wait for their images and
// categories, in whatever order the file's lists come; category ids are in the place of categories.
struct Waiting {
  static constexpr std::size_t most = 4096;

  std::int64_t image_id = 0;
  std::vector<std::int64_t> ids, category_ids;
  std::vector<Annotation> annotations;
};

template <class Fields>
void visit(Fields& fields, Waiting& record) {
  fields(record.image_id, record.ids, record.category_ids, record.annotations);
}

// The file's lists, record by record.
class CocoFile {
 public:
  CocoFile(const std::filesystem::path& file, const std::filesystem::path& images_folder,
           const std::string& part)
      : file_(file.string()), images_folder_(images_folder), part_(part) {}

  CocoPart read() {
    std::ifstream in(file_, std::ios::binary);
    if (!in) throw Error(file_ + ": cannot read the file");
    parse(in);
    for (const char* list : {"categories", "images", "annotations"}) {
      if (lists_.count(list) == 0) {
        throw Error(file_ + ": has no list \"" + list + "\"; is it COCO detection JSON?");
      }
    }
    files_ = {};
    finish_classes();
    finish_images();
    return std::move(result_);
  }

 private:
  struct RawClass {
    std::string name, parent;
  };
  struct OfImage {
    std::uint32_t image, waiting;  // indices
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
        begin_list(list);
      }
      if (depth == 1 && event == Event::array_end) end_list(list);
      const bool ends = event == Event::object_end || event == Event::array_end || event == Event::value;
      if (depth != 2 || !ends || lists_.count(list) == 0) return true;
      ++position;
      if (list == "categories") take_category(CocoRecord(value, file_, "category", position));
      if (list == "images") take_image(CocoRecord(value, file_, "image", position));
      if (list == "annotations") take_annotation(CocoRecord(value, file_, "annotation", position));
      return false;
    };
    try {
      const json rest = json::parse(in, take);
    } catch (const json::exception& problem) {
      constexpr std::size_t longest = 300;  // it quotes what it read
      throw Error(file_ + ": not JSON: " + in_one_line(std::string(problem.what()).substr(0, longest)));
    }
  }

  void begin_list(const std::string& list) {
    if (!lists_.insert(list).second && (list == "images" || list == "annotations"))
      throw Error(file_ + ": has two lists \"" + list + "\"");
  }

  void end_list(const std::string& list) {
    const auto refuse_repeated = [&](const char* what, std::optional<std::int64_t> id) {
      if (id) throw Error(file_ + ": " + what + " " + std::to_string(*id) + ": the id is used twice");
    };
    if (list == "images") refuse_repeated("image", image_ids_.seal());
    if (list != "annotations") return;
    put_aside();
    refuse_repeated("annotation", annotation_ids_.seal());
  }

  void take_category(const CocoRecord& record) {
    const RawClass raw{record.text("name"), record.optional_text("supercategory")};
    if (!class_of_id_.emplace(record.id(), raw).second) record.fail("the id is used twice");
  }

  void take_image(const CocoRecord& record) {
    Image image;
    image.id = record.id();
    image.part = part_;
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
    image_ids_.add(record.id());
    if (!files_.insert(image.file).second) record.fail("file name '" + image.file + "' is used twice");
    images_.push_back(image);
  }

  static std::vector<int> category_ids(const CocoRecord& record, const char* name) {
    std::vector<int> ids;
    for (const json& id : record.list(name)) {
      if (!id.is_number_integer() || id.get<std::int64_t>() != static_cast<int>(id.get<std::int64_t>())) {
        record.fail("\"" + std::string(name) + "\" is not a list of category ids");
      }
      ids.push_back(id.get<int>());
    }
    return ids;
  }

  void take_annotation(const CocoRecord& record) {
    annotation_ids_.add(record.id());
    const std::int64_t image_id = record.integer("image_id"), category_id = record.integer("category_id");
    if (is_crowd(record.value())) return;
    if (waiting_.image_id != image_id || waiting_.ids.size() >= Waiting::most) {
      put_aside();
      waiting_.image_id = image_id;
    }
    Annotation annotation;
    annotation.label = record.optional_text("label");
    annotation.origin = origin_of(record);
    annotation.box = record.box(record.field("bbox"), "bbox", image_of(image_id));
    waiting_.ids.push_back(record.id());
    waiting_.category_ids.push_back(category_id);
    waiting_.annotations.push_back(std::move(annotation));
  }

  // Where images come later, or never, one that any box lies inside: it has to wait whether it does.
  const Image& image_of(std::int64_t image_id) {
    if (owner_ && owner_->id == image_id) return *owner_;
    const auto index = image_ids_.find(image_id);
    if (!index) {
      owner_.emplace();
      owner_->id = image_id;
      owner_->width = owner_->height = largest_coco_side;
    } else {
      owner_.emplace(images_[*index]);
    }
    return *owner_;
  }

  void put_aside() {
    if (!waiting_.ids.empty()) all_waiting_.push_back(waiting_);
    waiting_ = {};
  }

  void finish_classes() {
    std::map<std::string, int> index_of_name;
    for (const auto& [id, raw] : class_of_id_) {
      const int index = static_cast<int>(result_.classes.size());
      if (!index_of_name.emplace(raw.name, index).second) {
        throw Error(file_ + ": two categories are named '" + raw.name + "'");
      }
      category_of_id_[id] = index;
      result_.classes.push_back({raw.name, -1});
    }
    for (const auto& [id, raw] : class_of_id_) {
      const auto parent = index_of_name.find(raw.parent);
      const int index = category_of_id_[id];
      if (parent != index_of_name.end() && parent->second != index) {
        result_.classes[static_cast<std::size_t>(index)].parent = parent->second;
      }
    }
    refuse_circles();
  }

  void refuse_circles() const {
    for (const auto& start : result_.classes) {
      std::size_t steps = 0;
      for (int at = start.parent; at >= 0; at = result_.classes[static_cast<std::size_t>(at)].parent) {
        if (++steps > result_.classes.size())
          throw Error(file_ + ": the supercategories of '" + start.name + "' go round in a circle");
      }
    }
  }

  // Each image with its annotations.
  void finish_images() {
    const std::vector<OfImage> waiting = waiting_by_image();
    auto next = waiting.begin();
    for (std::size_t i = 0; i < images_.size(); ++i) {
      Image image = images_[i];
      finish_image(image);
      for (; next != waiting.end() && next->image == i; ++next) {
        const Waiting some = all_waiting_[next->waiting];
        for (std::size_t k = 0; k < some.ids.size(); ++k)
          finish_annotation(image, some.annotations[k], some.category_ids[k], some.ids[k]);
      }
      result_.images.push_back(image);
    }
  }

  // By their images, those of one image in the order of the file.
  std::vector<OfImage> waiting_by_image() const {
    std::vector<OfImage> all;
    all.reserve(all_waiting_.size());
    for (std::size_t i = 0; i < all_waiting_.size(); ++i) {
      const Waiting some = all_waiting_[i];
      const auto image = image_ids_.find(some.image_id);
      if (!image) {
        throw Error(file_ + ": annotation " + std::to_string(some.ids.front()) +
                    ": names an image id that no image has");
      }
      all.push_back({static_cast<std::uint32_t>(*image), static_cast<std::uint32_t>(i)});
    }
    std::sort(all.begin(), all.end(), [](const OfImage& a, const OfImage& b) {
      return std::tie(a.image, a.waiting) < std::tie(b.image, b.waiting);
    });
    return all;
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

  void finish_annotation(Image& owner, Annotation annotation, std::int64_t category_id,
                         std::int64_t id) const {
    const auto where = [&] { return file_ + ": annotation " + std::to_string(id) + ": "; };
    const auto category = category_of_id_.find(category_id);
    if (category == category_of_id_.end()) throw Error(where() + "names a category id that no category has");
    Box& box = annotation.box;
    if (box.x_max > owner.width + coco_rounding_slack || box.y_max > owner.height + coco_rounding_slack) {
      throw Error(where() + "box reaches outside its image '" + owner.file + "'");
    }
    box.x_max = std::min(box.x_max, double(owner.width));
    box.y_max = std::min(box.y_max, double(owner.height));
    if (!(box.width() > 0 && box.height() > 0)) throw Error(where() + "box has no area inside its image");
    annotation.category = category->second;
    owner.annotations.push_back(std::move(annotation));
  }

  std::string file_;
  std::filesystem::path images_folder_;
  std::string part_;
  CocoPart result_;
  std::set<std::string> lists_;
  std::map<std::int64_t, RawClass> class_of_id_;
  std::map<std::int64_t, int> category_of_id_;
  StoredList<Image> images_;  // without their annotations
  IdRuns image_ids_, annotation_ids_;
  NameTable files_;
  std::optional<Image> owner_;  // of the annotation that was read last
  Waiting waiting_;             // the last annotations, if ids is not empty
  StoredList<Waiting> all_waiting_;
};

}  // namespace

CocoPart read_coco(const std::filesystem::path& file, const std::filesystem::path& images_folder,
                   const std::string& part) {
  return CocoFile(file, images_folder, part).read();
}

}  // namespace smearscope::corpus
