#include <cmath>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "corpus/coco.h"

namespace smearscope::corpus {
namespace {

using nlohmann::json;

double hundredths(double pixels) {
  return std::round(pixels * 100) / 100;
}

json corner_and_size(const Box& box) {
  const double x = hundredths(box.x_min), y = hundredths(box.y_min);
  return {x, y, hundredths(box.x_max - x), hundredths(box.y_max - y)};
}

json category_ids(const std::vector<int>& categories) {
  json ids = json::array();
  for (const int category : categories) ids.push_back(category + 1);
  return ids;
}

json record_of(const Image& image, std::size_t id) {
  json record{{"id", id},
              {"file_name", image.file},
              {"width", image.width},
              {"height", image.height},
              {"source", image.source},
              {"source_file", image.source_file},
              {"neg_category_ids", category_ids(image.absent)},
              {"not_exhaustive_category_ids", category_ids(image.not_exhaustive)},
              {"ignore_regions", json::array()}};
  for (const Box& region : image.ignore_regions) record["ignore_regions"].push_back(corner_and_size(region));
  if (image.regions_complete) record["ignore_regions_complete"] = true;
  if (!image.group.empty()) record["group"] = image.group;
  if (image.pixel_size_um > 0) record["pixel_size_um"] = std::round(image.pixel_size_um * 1e5) / 1e5;
  return record;
}

json record_of(const Annotation& annotation, std::int64_t id, std::size_t image_id) {
  const json bbox = corner_and_size(annotation.box);
  json record{{"id", id},
              {"image_id", image_id},
              {"category_id", annotation.category + 1},
              {"bbox", bbox},
              {"area", hundredths(bbox[2].get<double>() * bbox[3].get<double>())},
              {"iscrowd", 0},
              {"segmentation", json::array()},
              {"box_origin", name_of(annotation.origin)}};
  if (!annotation.label.empty()) record["label"] = annotation.label;
  return record;
}

// One record a line, so that a change to a corpus reads well in a comparison; never all of them in memory.
class List {
 public:
  List(std::ostream& out, const char* name) : out_(out) { out_ << ",\n\"" << name << "\": ["; }
  ~List() { out_ << "\n]"; }
  List(const List&) = delete;
  List& operator=(const List&) = delete;
  void add(const json& record) {
    out_ << (first_ ? "\n" : ",\n") << record.dump(-1, ' ', false, json::error_handler_t::replace);
    first_ = false;
  }

 private:
  std::ostream& out_;
  bool first_ = true;
};

// LVIS's groups of classes: in up to 10 images, in up to 100, in more.
const char* frequency_of(std::size_t images) {
  return images <= 10 ? "r" : images <= 100 ? "c" : "f";
}

void write_categories(std::ostream& out, const StoredCorpus& corpus, const std::string& part) {
  std::vector<std::size_t> images(corpus.classes.size()), boxes(corpus.classes.size());
  for (const Image& image : corpus.images) {
    if (image.part != part) continue;
    std::set<std::size_t> seen;
    for (const Annotation& a : image.annotations) {
      const auto category = static_cast<std::size_t>(a.category);
      ++boxes[category];
      if (seen.insert(category).second) ++images[category];
    }
  }
  List list(out, "categories");
  for (std::size_t i = 0; i < corpus.classes.size(); ++i) {
    const int parent = corpus.classes[i].parent;
    list.add({{"id", i + 1},
              {"name", corpus.classes[i].name},
              {"supercategory", parent < 0 ? "cell" : corpus.classes[static_cast<std::size_t>(parent)].name},
              {"image_count", images[i]},
              {"instance_count", boxes[i]},
              {"frequency", frequency_of(images[i])}});
  }
}

void write_document(std::ostream& out, const StoredCorpus& corpus, const std::string& part,
                    std::int64_t& next_annotation_id) {
  out << "{\n\"info\": {\"description\": \"Smearscope corpus\"},\n\"licenses\": []";
  write_categories(out, corpus, part);
  {
    List list(out, "images");
    std::size_t id = 0;
    for (const Image& image : corpus.images) {
      ++id;
      if (image.part == part) list.add(record_of(image, id));
    }
  }
  {
    List list(out, "annotations");
    std::size_t image_id = 0;
    for (const Image& image : corpus.images) {
      ++image_id;
      if (image.part != part) continue;
      for (const Annotation& a : image.annotations) list.add(record_of(a, next_annotation_id++, image_id));
    }
  }
  out << "\n}\n";
}

}  // namespace

void write_coco(const std::filesystem::path& file, const StoredCorpus& corpus, const std::string& part,
                std::int64_t& next_annotation_id) {
  const std::filesystem::path beside = file.string() + ".new";
  std::ofstream out(beside, std::ios::binary | std::ios::trunc);
  write_document(out, corpus, part, next_annotation_id);
  out.close();
  std::error_code problem;
  if (out) std::filesystem::rename(beside, file, problem);
  if (!out || problem) {
    std::filesystem::remove(beside, problem);
    throw Error(file.string() + ": cannot write the file (is the disk full?)");
  }
}

}  // namespace smearscope::corpus
