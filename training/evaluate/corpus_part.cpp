#include "evaluate/corpus_part.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_map>

#include "corpus/completeness.h"
#include "corpus/folder.h"

namespace smearscope::training {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string names_of_parts(const corpus::Corpus& corpus) {
  std::set<std::string> names;
  for (const corpus::Image& image : corpus.images) names.insert(image.part.empty() ? "all" : image.part);
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "no images" : text;
}

metrics::Box box_of(const corpus::Box& box) {
  return {box.x_min, box.y_min, box.width(), box.height()};
}

bool is_crowd(const json& annotation) {
  const auto crowd = annotation.find("iscrowd");
  return crowd != annotation.end() && ((crowd->is_number() && *crowd != 0) || *crowd == true);
}

// What metrics need of an annotation file and corpus records don't have. The file has been read as a corpus,
// which looks at everything but areas and crowds.
class BoxFile {
 public:
  BoxFile(const fs::path& file, CorpusPart& part) : file_(file.string()), part_(part) {
    for (std::size_t i = 0; i < part.images.size(); ++i) image_of_id_[part.images[i].id] = i;
    std::ifstream in(file, std::ios::binary);
    std::string list;
    const auto take = [&](int depth, json::parse_event_t event, json& value) {
      if (depth == 1 && event == json::parse_event_t::key) list = value.get<std::string>();
      if (depth != 2 || event != json::parse_event_t::object_end) return true;
      if (list == "categories") id_of_name_[value["name"]] = value["id"];
      if (list == "annotations") annotations_.push_back(std::move(value));
      return false;
    };
    const json rest = json::parse(in, take);
    finish();
  }

 private:
  void finish() {
    std::map<std::int64_t, int> category_of_id;
    for (const metrics::Category& category : part_.data.categories) {
      category_of_id[id_of_name_[category.name]] = static_cast<int>(part_.category_ids.size());
      part_.category_ids.push_back(id_of_name_[category.name]);
    }
    for (const json& annotation : annotations_) {
      const auto image = image_of_id_.find(annotation["image_id"].get<std::int64_t>());
      const auto category = category_of_id.find(annotation["category_id"].get<std::int64_t>());
      if (image == image_of_id_.end() || category == category_of_id.end())
        fail(annotation, "its image or category");
      part_.data.images[image->second].truth.push_back(truth_of(annotation, category->second));
    }
  }

  metrics::TruthBox truth_of(const json& annotation, int category) const {
    const json bbox = annotation.value("bbox", json());
    const bool four_numbers =
        bbox.is_array() && bbox.size() == 4 &&
        std::all_of(bbox.begin(), bbox.end(), [](const json& side) { return side.is_number(); });
    if (!four_numbers || bbox[2] < 0 || bbox[3] < 0) fail(annotation, "\"bbox\"");
    const metrics::Box box{bbox[0], bbox[1], bbox[2], bbox[3]};
    const json area = annotation.value("area", json(box.area()));
    if (!area.is_number() || area < 0) fail(annotation, "\"area\"");
    return {box, category, area, is_crowd(annotation)};
  }

  [[noreturn]] void fail(const json& annotation, const std::string& what) const {
    throw Error(file_ + ": annotation " + annotation["id"].dump() + ": " + what + " is not as it should be");
  }

  std::string file_;
  CorpusPart& part_;
  std::unordered_map<std::int64_t, std::size_t> image_of_id_;
  std::map<std::string, std::int64_t> id_of_name_;
  std::vector<json> annotations_;
};

}  // namespace

std::size_t CorpusPart::boxes() const {
  std::size_t count = 0;
  for (const metrics::Image& image : data.images) {
    count += static_cast<std::size_t>(std::count_if(image.truth.begin(), image.truth.end(),
                                                    [](const metrics::TruthBox& box) { return !box.crowd; }));
  }
  return count;
}

// Moves a part's images out of the corpus.
static std::vector<corpus::Image> take_part(corpus::Corpus& corpus, const std::string& folder,
                                            const std::string& name) {
  std::vector<corpus::Image> images;
  for (corpus::Image& image : corpus.images) {
    if (image.part == (name == "all" ? "" : name)) images.push_back(std::move(image));
  }
  if (images.empty()) {
    throw Error(folder + ": has no images in part '" + name + "'; it has " + names_of_parts(corpus));
  }
  std::stable_sort(images.begin(), images.end(),
                   [](const corpus::Image& a, const corpus::Image& b) { return a.id < b.id; });
  return images;
}

// Throws Error on what can be no part's name, before anything is read.
static corpus::Corpus read_corpus_with(const std::string& folder, const std::string& name) {
  if (name != "train" && name != "val" && name != "test" && name != "all") {
    throw Error("--part: '" + name + "' is not train, val, test or all (the images of no part)");
  }
  return corpus::read_corpus(folder);
}

std::vector<corpus::Image> read_images(const std::string& folder, const std::string& part) {
  corpus::Corpus corpus = read_corpus_with(folder, part);
  return take_part(corpus, folder, part);
}

CorpusPart read_part(const std::string& folder, const std::string& name) {
  corpus::Corpus corpus = read_corpus_with(folder, name);
  const std::string file = (fs::path(folder) / "annotations" / (name + ".json")).string();
  CorpusPart part;
  part.name = name;
  part.images = take_part(corpus, folder, name);
  for (const corpus::Class& c : corpus.classes) part.data.categories.push_back({c.name, c.parent, true});
  for (const corpus::Image& image : part.images) {
    metrics::Image of_image;
    of_image.open = corpus::open_classes(image, corpus.classes);
    for (const corpus::Box& region : image.ignore_regions) of_image.ignore_regions.push_back(box_of(region));
    part.data.images.push_back(std::move(of_image));
  }
  BoxFile(file, part);
  if (part.boxes() == 0) throw Error(file + ": has no boxes to hold detections to");
  return part;
}

}  // namespace smearscope::training
