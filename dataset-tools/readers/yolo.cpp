// YOLO: images somewhere below a folder "images" (images/train/a.jpg, train/images/a.jpg, images/a.jpg), with
// the text of each in the same place below "labels"; or, in darknet's way, text beside image. Classes by
// number: `names` of a data.yaml, else classes.txt or obj.names. Parts: the folders that data.yaml names,
// else those called train, val (valid, validation) and test. `folder` is the one that all of it is in.
//
// An image without text is one that nobody labelled; an empty text says that there is no cell.
#include <algorithm>
#include <map>

#include "corpus/plain_text.h"
#include "readers/data_yaml.h"
#include "readers/source_folder.h"
#include "readers/yolo_labels.h"
#include "storage/file_list.h"
#include "storage/name_table.h"

namespace smearscope::corpus {
namespace {

namespace fs = std::filesystem;

constexpr const char* expected =
    "no YOLO: expected images below images/ and a text file for each of them below labels/, and their "
    "classes in "
    "data.yaml (names), classes.txt or obj.names";

bool has_component(const fs::path& path, const char* name) {
  return std::find(path.begin(), path.end(), name) != path.end();
}

// Relative to the root, as `image` is: the last "images" becomes "labels".
fs::path label_file_of(const fs::path& image) {
  const std::vector<fs::path> parts(image.begin(), image.end());
  const auto last = std::find(parts.rbegin(), parts.rend(), "images");
  fs::path file;
  for (auto at = parts.begin(); at != parts.end(); ++at)
    file /= last != parts.rend() && at == last.base() - 1 ? fs::path("labels") : *at;
  return file.replace_extension(".txt");
}

bool is_class_list(const fs::path& file) {
  return file.filename() == "classes.txt" || file.extension() == ".names";
}

bool is_text(const fs::path& file) {
  return lower_extension(file) == ".txt" && !is_class_list(file);
}

// What lies in the folder; paths relative to it.
struct Files {
  FileList all;
  std::vector<std::uint32_t> images, texts;  // indices
  std::vector<fs::path> class_lists, yamls;

  fs::path at(std::uint32_t index) const { return all.name(index); }
  bool has_text(const fs::path& file) const { return is_text(file) && all.has(file.generic_string()); }
};

Files files_of(const SourceFolder& folder) {
  Files files{folder.files(folder.root(), true), {}, {}, {}, {}};
  for (std::uint32_t i = 0; i < files.all.size(); ++i) {
    const fs::path file = files.at(i);
    const std::string type = lower_extension(file);
    if (is_image_name(file))
      files.images.push_back(i);
    else if (is_class_list(file))
      files.class_lists.push_back(file);
    else if (is_text(file))
      files.texts.push_back(i);
    else if ((type == ".yaml" || type == ".yml") && !file.has_parent_path())
      files.yamls.push_back(file);
  }
  const auto beside = std::stable_partition(files.images.begin(), files.images.end(), [&](std::uint32_t i) {
    return has_component(files.at(i), "images");
  });
  if (beside != files.images.begin()) files.images.erase(beside, files.images.end());
  return files;
}

// data.yaml before others; the first that names classes or parts.
DataYaml read_yaml(const SourceFolder& folder, const std::vector<fs::path>& yamls) {
  std::vector<fs::path> sorted = yamls;
  std::stable_partition(sorted.begin(), sorted.end(), [](const fs::path& f) { return f.stem() == "data"; });
  for (const fs::path& file : sorted) {
    DataYaml yaml = parse_data_yaml(folder.read_text(folder.root() / file, largest_data_yaml), file.string());
    if (!yaml.names.empty() || !yaml.train.empty() || !yaml.val.empty()) return yaml;
  }
  return {};
}

std::vector<std::string> read_class_list(const SourceFolder& folder, std::vector<fs::path> lists) {
  // The one nearest to the root.
  std::stable_sort(lists.begin(), lists.end(), [](const fs::path& a, const fs::path& b) {
    return std::distance(a.begin(), a.end()) < std::distance(b.begin(), b.end());
  });
  for (const fs::path& file : lists) {
    const std::vector<std::string> names =
        parse_class_list(folder.read_text(folder.root() / file, largest_yolo_file), file.string());
    if (!names.empty()) return names;
  }
  return {};
}

// Which folder, relative to the root, is of which part.
class Parts {
 public:
  explicit Parts(const DataYaml& yaml) {
    add(yaml.train, "train");
    add(yaml.val, "val");
    add(yaml.test, "test");
  }

  std::string part_of(const fs::path& image) const {
    for (fs::path at = image.parent_path();; at = at.parent_path()) {
      const auto found = part_of_folder_.find(at.generic_string());
      if (found != part_of_folder_.end()) return found->second;
      if (at.empty()) break;
    }
    static const std::map<std::string, std::string> usual{
        {"train", "train"}, {"val", "val"}, {"valid", "val"}, {"validation", "val"}, {"test", "test"}};
    for (const fs::path& component : image.parent_path()) {
      const auto found = usual.find(component.string());
      if (found != usual.end()) return found->second;
    }
    return "";
  }

 private:
  void add(const std::vector<std::string>& folders, const char* part) {
    for (const std::string& text : folders) {
      // Many a data.yaml is meant to lie elsewhere: "../train/images". Places outside name no image of ours.
      fs::path folder = fs::path(text).lexically_normal();
      while (!folder.empty() && *folder.begin() == "..") folder = folder.lexically_relative("..");
      std::string name = folder.generic_string();
      if (!name.empty() && name.back() == '/') name.pop_back();
      if (name == ".") name.clear();
      const auto [entry, is_new] = part_of_folder_.emplace(name, part);
      // A folder that is of two parts is of none: an unsplit set names its only one twice.
      if (!is_new && entry->second != part) entry->second.clear();
    }
  }

  std::map<std::string, std::string> part_of_folder_;
};

void add_images(const SourceFolder& folder, const Files& files, const Parts& parts, DataSet& set) {
  NameTable used;
  for (const std::uint32_t index : files.images) {
    const fs::path image = files.at(index), path = folder.root() / image, labels = label_file_of(image);
    if (!files.has_text(labels)) {
      folder.leave_out(set, path, rules::file_unpaired,
                       "no labels: there is no " + in_one_line(labels.generic_string()));
    } else if (!used.insert(labels.generic_string()).second) {
      folder.leave_out(set, path, rules::file_unpaired, "another image of that name has its labels");
    } else {
      const bool is_below_images = *image.begin() == "images";
      const fs::path file = is_below_images ? image.lexically_relative("images") : image;
      folder.add(set, folder.image(path, file.generic_string(), parts.part_of(image)));
    }
  }
  for (const std::uint32_t index : files.texts) {
    const fs::path labels = files.at(index);
    // Other texts (README.txt, train.txt) may lie about, but not among labels.
    if (!used.has(labels.generic_string()) && has_component(labels, "labels"))
      folder.leave_out(set, folder.root() / labels, rules::file_unpaired,
                       "no image of that name below images");
  }
}

void label(const SourceFolder& folder, const std::vector<std::string>& names, Image& image) {
  const fs::path labels = label_file_of(image.path.lexically_relative(folder.root()));
  add_yolo_labels(folder.read_text(folder.root() / labels, largest_yolo_file),
                  in_one_line(labels.generic_string()), names, image);
}

}  // namespace

DataSet open_yolo(const fs::path& root) {
  const SourceFolder folder(root, own_name(root));
  const Files files = files_of(folder);
  if (files.images.empty() || files.texts.empty()) throw Error(root.string() + ": " + expected);
  const DataYaml yaml = read_yaml(folder, files.yamls);
  std::vector<std::string> names =
      yaml.names.empty() ? read_class_list(folder, files.class_lists) : yaml.names;
  if (names.empty())
    throw Error(root.string() +
                ": no names of classes: expected data.yaml (names), classes.txt or obj.names");
  DataSet set;
  for (const std::string& name : names) set.classes.push_back({name});
  add_images(folder, files, Parts(yaml), set);
  set.label = [folder, names](Image& image, ImageFile&) { label(folder, names, image); };
  return set;
}

}  // namespace smearscope::corpus
