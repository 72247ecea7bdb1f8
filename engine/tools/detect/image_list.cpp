#include "tools/detect/image_list.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "smearscope/error.h"
#include "tools/detect/image_file.h"

namespace smearscope::detect {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

json read_json(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(path + ": cannot be opened");
  try {
    return json::parse(file);
  } catch (const json::exception& error) {
    throw Error(path + ": not JSON (" + std::string(error.what()) + ")");
  }
}

// Calls take(name, id) for each entry of the list `key`.
template <typename Take>
void each_entry(const std::string& path, const json& document, const char* key, const char* name_key,
                Take take) {
  const auto list = document.find(key);
  if (!document.is_object() || list == document.end() || !list->is_array()) {
    throw Error(path + ": not a COCO file: it has no list \"" + key + "\"");
  }
  for (std::size_t i = 0; i < list->size(); ++i) {
    const json& entry = (*list)[i];
    const auto complain = [&](const std::string& what) {
      throw Error(path + ": entry " + std::to_string(i) + " of \"" + key + "\" " + what);
    };
    const bool complete = entry.is_object() && entry.contains("id") && entry["id"].is_number_integer() &&
                          entry.contains(name_key) && entry[name_key].is_string();
    if (!complete) complain(std::string("needs a whole number \"id\" and a text \"") + name_key + "\"");
    if (!take(entry[name_key].get<std::string>(), entry["id"].get<std::int64_t>()))
      complain("repeats a name");
  }
}

// Names go into paths that are written, so they must stay inside their folder.
bool stays_inside(const std::string& name) {
  const fs::path path(name);
  if (name.empty() || path.is_absolute()) return false;
  return std::none_of(path.begin(), path.end(), [](const fs::path& part) { return part == ".."; });
}

bool is_folder(const std::string& input) {
  std::error_code error;
  const fs::file_status status = fs::status(input, error);
  if (!fs::exists(status)) throw Error(input + ": " + (error ? error.message() : "no such file or folder"));
  return fs::is_directory(status);
}

std::vector<std::string> image_names_in(const std::string& folder) {
  std::vector<std::string> names;
  try {
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
      if (!entry.is_directory() && is_image_name(entry.path().filename().string())) {
        names.push_back(entry.path().lexically_relative(folder).string());
      }
    }
  } catch (const fs::filesystem_error& error) {
    throw Error(folder + ": " + error.code().message());
  }
  if (names.empty()) throw Error(folder + ": no images in this folder");
  std::sort(names.begin(), names.end());
  return names;
}

void refuse_repeated_names(const std::vector<ListedImage>& images) {
  std::map<std::string, const ListedImage*> by_name;
  for (const ListedImage& image : images) {
    const auto [known, added] = by_name.emplace(image.name, &image);
    if (added) continue;
    throw Error("two images are named " + image.name + " (" + known->second->path + " and " + image.path +
                "): results could not be told apart; give them in separate runs");
  }
}

std::string listed_path(const std::string& name, const std::vector<std::string>& folders) {
  for (const std::string& folder : folders) {
    std::error_code error;
    if (fs::exists(fs::path(folder) / name, error)) return (fs::path(folder) / name).string();
  }
  return (fs::path(folders.front()) / name).string();  // not there: reading it will say so
}

}  // namespace

CocoFile::CocoFile(const std::string& path) : path_(path) {
  const json document = read_json(path);
  std::map<std::string, std::int64_t> seen;
  each_entry(path, document, "images", "file_name", [&](const std::string& name, std::int64_t id) {
    images_.emplace_back(name, id);
    return seen.emplace(name, id).second;
  });
  each_entry(path, document, "categories", "name",
             [&](const std::string& name, std::int64_t id) { return categories_.emplace(name, id).second; });
}

std::vector<ListedImage> list_images(const std::vector<std::string>& inputs) {
  std::vector<ListedImage> images;
  for (const std::string& input : inputs) {
    if (!is_folder(input)) {
      images.push_back({input, fs::path(input).filename().string()});
      continue;
    }
    for (const std::string& name : image_names_in(input))
      images.push_back({(fs::path(input) / name).string(), name});
  }
  refuse_repeated_names(images);
  std::int64_t id = 0;
  for (ListedImage& image : images) image.id = ++id;
  return images;
}

std::vector<ListedImage> list_images(const std::vector<std::string>& inputs, const CocoFile& coco) {
  const std::map<std::string, std::int64_t> ids(coco.images().begin(), coco.images().end());
  std::vector<ListedImage> images;
  std::vector<std::string> folders;
  for (const std::string& input : inputs) {
    if (is_folder(input)) {
      folders.push_back(input);
      continue;
    }
    const std::string name = fs::path(input).filename().string();
    const auto found = ids.find(name);
    if (found == ids.end()) throw Error(input + ": " + coco.path() + " lists no image named " + name);
    images.push_back({input, name, found->second});
  }
  if (!folders.empty()) {
    for (const auto& [name, id] : coco.images()) {
      if (!stays_inside(name))
        throw Error(coco.path() + ": the image name " + name + " leads out of its folder");
      images.push_back({listed_path(name, folders), name, id});
    }
  }
  if (images.empty()) throw Error(coco.path() + ": lists no images");
  refuse_repeated_names(images);
  return images;
}

}  // namespace smearscope::detect
