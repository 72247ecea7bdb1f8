#include "readers/voc_folder.h"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "corpus/plain_text.h"
#include "readers/voc_xml.h"

namespace smearscope::corpus {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t largest_list = 64 << 20;  // bytes

struct Listed {
  std::string part, where;
  bool found = false;
};

// A path below `folder` without the extension, which is what lists and annotations call an image.
std::string stem_of(const fs::path& file, const fs::path& folder) {
  return file.lexically_relative(folder).replace_extension().generic_string();
}

fs::path annotation_of(const fs::path& root, const std::string& stem) {
  return root / "Annotations" / (stem + ".xml");
}

void read_list(const SourceFolder& folder, const char* name, const char* part,
               std::map<std::string, Listed>& listed) {
  const fs::path file = folder.root() / "ImageSets" / "Main" / name;
  if (!fs::exists(file)) return;
  std::istringstream in(folder.read_text(file, largest_list));
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    line.erase(line.find_last_not_of(" \t\r") + 1);
    if (line.empty()) continue;
    const std::string where = folder.name_of(file) + ": line " + std::to_string(number);
    const auto [entry, is_new] = listed.emplace(line, Listed{part, where, false});
    if (!is_new && entry->second.part != part)
      throw Error(where + ": '" + shown(line) + "' is in another part already, by " + entry->second.where);
  }
}

std::map<std::string, Listed> read_lists(const SourceFolder& folder, const VocParts& parts) {
  std::map<std::string, Listed> listed;
  read_list(folder, "train.txt", parts.train, listed);
  read_list(folder, "val.txt", parts.val, listed);
  read_list(folder, "test.txt", parts.test, listed);
  return listed;
}

void add_images(const SourceFolder& folder, std::map<std::string, Listed>& listed,
                std::set<std::string>& stems, DataSet& set) {
  const fs::path images = folder.root() / "JPEGImages";
  for (const fs::path& path : folder.files(images, true)) {
    if (!is_image_name(path)) continue;
    const std::string stem = stem_of(path, images);
    const fs::path annotation = annotation_of(folder.root(), stem);
    const auto entry = listed.find(stem);
    if (entry != listed.end()) entry->second.found = true;
    if (!stems.insert(stem).second) {
      folder.leave_out(set, path, rules::file_unpaired, "another image of that name has its labels");
    } else if (!fs::exists(fs::symlink_status(annotation))) {
      folder.leave_out(set, path, rules::file_unpaired,
                       "no labels: there is no " + in_one_line(folder.name_of(annotation)));
    } else {
      const std::string file = path.lexically_relative(images).generic_string();
      folder.add(set, folder.image(path, file, entry != listed.end() ? entry->second.part : ""));
    }
  }
}

// Annotations and entries of lists of which there is no image.
void report_lone(const SourceFolder& folder, const std::map<std::string, Listed>& listed,
                 const std::set<std::string>& stems, DataSet& set) {
  const fs::path annotations = folder.root() / "Annotations";
  for (const fs::path& path : folder.files(annotations, true)) {
    const std::string stem = stem_of(path, annotations);
    if (lower_extension(path) == ".xml" && stems.count(stem) == 0 && listed.count(stem) == 0)
      folder.leave_out(set, path, rules::file_unpaired, "no such image in JPEGImages");
  }
  for (const auto& [stem, entry] : listed) {
    if (!entry.found)
      folder.leave_out(set, folder.root() / "JPEGImages" / fs::path(stem).relative_path(),
                       rules::file_unpaired, "no such image, though " + entry.where + " lists it");
  }
}

std::vector<Class> classes_of(const SourceFolder& folder, const DataSet& set) {
  const fs::path images = folder.root() / "JPEGImages";
  std::set<std::string> names;
  for (const Image& image : set.images) {
    try {
      add_voc_names(
          folder.read_text(annotation_of(folder.root(), stem_of(image.path, images)), largest_voc_file),
          names);
    } catch (const Error&) {
      // Told of when the image's labels are read.
    }
  }
  std::vector<Class> classes;
  for (const std::string& name : names) classes.push_back({name});
  return classes;
}

void label(const SourceFolder& folder, const std::vector<Class>& classes, Image& image) {
  const fs::path file = annotation_of(folder.root(), stem_of(image.path, folder.root() / "JPEGImages"));
  add_voc_labels(folder.read_text(file, largest_voc_file), in_one_line(folder.name_of(file)), image);
  if (classes.empty()) return;
  for (Annotation& a : image.annotations) {
    const auto found =
        std::lower_bound(classes.begin(), classes.end(), a.label,
                         [](const Class& c, const std::string& name) { return c.name < name; });
    a.category = static_cast<int>(found - classes.begin());
  }
}

}  // namespace

bool holds_voc(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_directory(folder / "JPEGImages", ignored) &&
         fs::is_directory(folder / "Annotations", ignored);
}

DataSet open_voc_folder(const SourceFolder& folder, const VocParts& parts, bool with_classes) {
  DataSet set;
  std::map<std::string, Listed> listed = read_lists(folder, parts);
  std::set<std::string> stems;
  add_images(folder, listed, stems, set);
  report_lone(folder, listed, stems, set);
  if (with_classes) set.classes = classes_of(folder, set);
  set.label = [folder, classes = set.classes](Image& image, ImageFile&) { label(folder, classes, image); };
  return set;
}

}  // namespace smearscope::corpus
