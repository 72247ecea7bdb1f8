// Which images are worked on, and under which names and ids.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace smearscope::detect {

struct ListedImage {
  std::string path;     // to open
  std::string name;     // file_name in results: the path inside its folder, or the file's own name
  std::int64_t id = 0;  // image_id in results
};

// Images and categories of an existing COCO file: {"images": [{"id", "file_name"}...], "categories": [{"id",
// "name"}...]}; whatever else it has is not looked at.
class CocoFile {
 public:
  // Throws Error if the file can't be read, is not JSON, or has no such lists, or names one image or category
  // twice.
  explicit CocoFile(const std::string& path);

  const std::string& path() const { return path_; }
  const std::vector<std::pair<std::string, std::int64_t>>& images() const { return images_; }  // name, id
  const std::map<std::string, std::int64_t>& categories() const { return categories_; }

 private:
  std::string path_;
  std::vector<std::pair<std::string, std::int64_t>> images_;
  std::map<std::string, std::int64_t> categories_;
};

// Inputs in the order given; a folder's images, subfolders included, sorted by name. Ids count from 1.
// Throws Error on an input that doesn't exist, a folder without images, or two images of the same name.
std::vector<ListedImage> list_images(const std::vector<std::string>& inputs);

// With the ids of `coco`. A folder stands for the images that `coco` lists, in its order; a file must be
// listed there under its own name. Throws Error if one isn't, or if a listed name leads out of the folder.
std::vector<ListedImage> list_images(const std::vector<std::string>& inputs, const CocoFile& coco);

}  // namespace smearscope::detect
