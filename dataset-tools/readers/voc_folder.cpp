#include "readers/voc_folder.h"

#include <algorithm>
#include <set>
#include <sstream>
#include <vector>

#include "corpus/plain_text.h"
#include "readers/voc_xml.h"
#include "storage/name_table.h"

namespace smearscope::corpus {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t largest_list = 64 << 20;  // bytes

// The images that the lists of parts name.
class Lists {
 public:
  // Adds a list, if it is there.
  void read(const SourceFolder& folder, const char* name, const char* part) {
    const fs::path file = folder.root() / "ImageSets" / "Main" / name;
    if (!fs::exists(file)) return;
    lists_.push_back({folder.name_of(file), part});
    std::istringstream in(folder.read_text(file, largest_list));
    std::uint32_t number = 0;
    for (std::string line; std::getline(in, line);) {
      ++number;
      line.erase(line.find_last_not_of(" \t\r") + 1);
      if (line.empty()) continue;
      const Entry entry{static_cast<std::uint32_t>(lists_.size() - 1), number};
      const auto [index, is_new] = stems_.insert(line);
      if (is_new) {
        entries_.push_back(entry);
      } else if (lists_[entries_[index].list].part != part) {
        throw Error(where(entry) + ": '" + shown(line) + "' is in another part already, by " +
                    where(entries_[index]));
      }
    }
  }

  bool has(const std::string& stem) const { return stems_.has(stem); }

  // The image's part, "" if no list names it. Notes that the image is there.
  std::string part_of(const std::string& stem) {
    const auto index = stems_.find(stem);
    if (!index) return "";
    entries_[*index].found = true;
    return lists_[entries_[*index].list].part;
  }

  // Those that are not there, by their stems; and what names them.
  std::vector<std::pair<std::string, std::string>> missing() const {
    std::vector<std::pair<std::string, std::string>> all;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (!entries_[i].found) all.emplace_back(stems_[i], where(entries_[i]));
    }
    std::sort(all.begin(), all.end());
    return all;
  }

 private:
  struct List {
    std::string file, part;
  };
  struct Entry {
    std::uint32_t list, line;
    bool found = false;
  };

  std::string where(const Entry& entry) const {
    return lists_[entry.list].file + ": line " + std::to_string(entry.line);
  }

  std::vector<List> lists_;
  NameTable stems_;
  std::vector<Entry> entries_;  // of each stem, the first
};

// A path below `folder` without the extension, which is what lists and annotations call an image.
std::string stem_of(const fs::path& file, const fs::path& folder) {
  return file.lexically_relative(folder).replace_extension().generic_string();
}

fs::path annotation_of(const fs::path& root, const std::string& stem) {
  return root / "Annotations" / (stem + ".xml");
}

void add_images(const SourceFolder& folder, Lists& lists, NameTable& stems, DataSet& set) {
  const fs::path images = folder.root() / "JPEGImages";
  for (const fs::path& path : folder.files(images, true)) {
    if (!is_image_name(path)) continue;
    const std::string stem = stem_of(path, images), part = lists.part_of(stem);
    const fs::path annotation = annotation_of(folder.root(), stem);
    if (!stems.insert(stem).second) {
      folder.leave_out(set, path, rules::file_unpaired, "another image of that name has its labels");
    } else if (!fs::exists(fs::symlink_status(annotation))) {
      folder.leave_out(set, path, rules::file_unpaired,
                       "no labels: there is no " + in_one_line(folder.name_of(annotation)));
    } else {
      folder.add(set, folder.image(path, path.lexically_relative(images).generic_string(), part));
    }
  }
}

// Annotations and entries of lists of which there is no image.
void report_lone(const SourceFolder& folder, const Lists& lists, const NameTable& stems, DataSet& set) {
  const fs::path annotations = folder.root() / "Annotations";
  for (const fs::path& path : folder.files(annotations, true)) {
    const std::string stem = stem_of(path, annotations);
    if (lower_extension(path) == ".xml" && !stems.has(stem) && !lists.has(stem))
      folder.leave_out(set, path, rules::file_unpaired, "no such image in JPEGImages");
  }
  for (const auto& [stem, where] : lists.missing()) {
    folder.leave_out(set, folder.root() / "JPEGImages" / fs::path(stem).relative_path(), rules::file_unpaired,
                     "no such image, though " + where + " lists it");
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
  Lists lists;
  lists.read(folder, "train.txt", parts.train);
  lists.read(folder, "val.txt", parts.val);
  lists.read(folder, "test.txt", parts.test);
  NameTable stems;
  add_images(folder, lists, stems, set);
  report_lone(folder, lists, stems, set);
  if (with_classes) set.classes = classes_of(folder, set);
  set.label = [folder, classes = set.classes](Image& image, ImageFile&) { label(folder, classes, image); };
  return set;
}

}  // namespace smearscope::corpus
