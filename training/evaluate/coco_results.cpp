#include "evaluate/coco_results.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <unordered_map>

namespace smearscope::training {
namespace {

using nlohmann::json;

class ResultsFile {
 public:
  ResultsFile(const std::string& file, CorpusPart& part) : file_(file), part_(part) {
    for (std::size_t i = 0; i < part.images.size(); ++i) image_of_id_[part.images[i].id] = i;
    for (std::size_t i = 0; i < part.category_ids.size(); ++i)
      category_of_id_[part.category_ids[i]] = static_cast<int>(i);
  }

  void read() {
    std::ifstream in(file_, std::ios::binary);
    if (!in || std::filesystem::is_directory(file_)) throw Error(file_ + ": cannot be read");
    bool is_list = false;
    // One result after the other: a file with millions of them never lies in memory as a whole.
    const auto take = [&](int depth, json::parse_event_t event, json& value) {
      if (depth == 0 && event == json::parse_event_t::array_start) is_list = true;
      const bool whole = event == json::parse_event_t::object_end ||
                         event == json::parse_event_t::array_end || event == json::parse_event_t::value;
      if (depth != 1 || !whole || !is_list) return true;
      ++number_;
      add(value);
      return false;
    };
    try {
      const json rest = json::parse(in, take);
    } catch (const json::exception& problem) {
      throw Error(file_ + ": not JSON: " + problem.what());
    }
    if (!is_list) throw Error(file_ + ": is not a list of COCO results");
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(file_ + ": result " + std::to_string(number_) + ": " + what);
  }

  static const json& field(const json& result, const char* name) {
    static const json none;
    const auto found = result.find(name);
    return found == result.end() ? none : *found;
  }

  std::int64_t id(const json& result, const char* name) const {
    const json& value = field(result, name);
    if (!value.is_number_integer()) fail("\"" + std::string(name) + "\" is missing or not a whole number");
    return value.get<std::int64_t>();
  }

  void add(const json& result) {
    if (!result.is_object()) fail("is not an object");
    const std::int64_t image_id = id(result, "image_id"), category_id = id(result, "category_id");
    const auto image = image_of_id_.find(image_id);
    if (image == image_of_id_.end())
      fail("no image of part '" + part_.name + "' has id " + std::to_string(image_id));
    const auto category = category_of_id_.find(category_id);
    if (category == category_of_id_.end()) fail("no category has id " + std::to_string(category_id));
    check_name(result, "file_name", part_.images[image->second].file);
    check_name(result, "category_name",
               part_.data.categories[static_cast<std::size_t>(category->second)].name);
    part_.data.images[image->second].found.push_back({box(result), category->second, score(result)});
  }

  void check_name(const json& result, const char* name, const std::string& expected) const {
    const json& value = field(result, name);
    if (!value.is_null() && value != expected)
      fail("\"" + std::string(name) + "\" is " + value.dump() + ", but its id is that of '" + expected + "'");
  }

  metrics::Box box(const json& result) const {
    const json& bbox = field(result, "bbox");
    const bool four_numbers =
        bbox.is_array() && bbox.size() == 4 &&
        std::all_of(bbox.begin(), bbox.end(), [](const json& side) { return side.is_number(); });
    if (!four_numbers) fail("\"bbox\" is missing or not four numbers");
    if (bbox[2] < 0 || bbox[3] < 0) fail("\"bbox\" has a size below 0");
    return {bbox[0], bbox[1], bbox[2], bbox[3]};
  }

  double score(const json& result) const {
    const json& value = field(result, "score");
    if (!value.is_number() || value < 0 || value > 1)
      fail("\"score\" is missing or not a number from 0 to 1");
    return value.get<double>();
  }

  std::string file_;
  CorpusPart& part_;
  std::unordered_map<std::int64_t, std::size_t> image_of_id_;
  std::unordered_map<std::int64_t, int> category_of_id_;
  std::size_t number_ = 0;  // of the result that is read, from 1
};

}  // namespace

void read_results(const std::string& file, CorpusPart& part) {
  ResultsFile(file, part).read();
}

std::string results_json(const CorpusPart& part) {
  std::string text = "[";
  const char* between = "\n";
  for (std::size_t i = 0; i < part.images.size(); ++i) {
    for (const metrics::FoundBox& found : part.data.images[i].found) {
      const auto category = static_cast<std::size_t>(found.category);
      const nlohmann::ordered_json result{
          {"image_id", part.images[i].id},
          {"category_id", part.category_ids[category]},
          {"bbox", {found.box.x, found.box.y, found.box.width, found.box.height}},
          {"score", found.score},
          {"file_name", part.images[i].file},
          {"category_name", part.data.categories[category].name}};
      text += between + result.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
      between = ",\n";
    }
  }
  return text + "\n]\n";
}

}  // namespace smearscope::training
