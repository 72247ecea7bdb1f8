// Sickle Cell Disease Dataset (Tushabe et al., 2024, doi 10.36227/techrxiv.173161086.63114554):
// Positive/Unlabelled/N.jpg and Positive/Labelled/N.jpg, the same photographs, the latter with a black
// rectangle drawn into the pixels around each sickle cell; Negative/Clear/N.jpg, without sickle cells. There
// is no other annotation. Folder names are taken in any case and spelling (Positives, UnLabelled, un
// labeled). `folder` is the one with Positive, or its parent.
//
// Boxes are found by comparing the two copies; the corpus has the unlabelled one. Sickle cells have all been
// labelled (a negative image has none of them), other cells have not been.
#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <set>

#include "corpus/pixel_size.h"
#include "readers/reader.h"
#include "segmentation/drawn_rectangles.h"

namespace smearscope::corpus {
namespace {

namespace fs = std::filesystem;

constexpr const char* expected =
    "expected Positive/Unlabelled and Positive/Labelled, the same images without and with black rectangles "
    "drawn around sickle cells, and Negative/Clear";

// "un labelled" of "UnLabelled": letters and digits only, one spelling.
std::string plain_name(const fs::path& path) {
  std::string name;
  for (const unsigned char c : path.filename().string()) {
    if (std::isalnum(c)) name += static_cast<char>(std::tolower(c));
  }
  if (name == "positives" || name == "negatives") name.pop_back();
  const std::size_t american = name.find("labeled");
  return american == std::string::npos ? name : name.replace(american, 7, "labelled");
}

std::vector<fs::path> folders_in(const fs::path& folder) {
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_directory() && entry.path().filename().string()[0] != '.') folders.push_back(entry.path());
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

std::optional<fs::path> find_folder(const fs::path& folder, const std::string& name) {
  for (const fs::path& inside : folders_in(folder)) {
    if (plain_name(inside) == name) return inside;
  }
  return std::nullopt;
}

fs::path root_of(const fs::path& folder) {
  if (fs::is_directory(folder)) {
    if (find_folder(folder, "positive")) return folder;
    std::vector<fs::path> inside;
    for (const fs::path& one : folders_in(folder)) {
      if (find_folder(one, "positive")) inside.push_back(one);
    }
    if (inside.size() == 1) return inside.front();
  }
  throw Error(folder.string() + ": no sickle cell data set: " + expected);
}

// Which images belong together: "7" of "007.JPG".
std::string key_of(const fs::path& image) {
  std::string key = image.stem().string();
  std::transform(key.begin(), key.end(), key.begin(), [](unsigned char c) { return std::tolower(c); });
  const std::size_t digits = key.find_first_not_of('0');
  const bool is_number = std::all_of(key.begin(), key.end(), [](unsigned char c) { return std::isdigit(c); });
  return is_number && digits != std::string::npos ? key.substr(digits) : key;
}

class Opener {
 public:
  explicit Opener(const fs::path& root) : root_(root) {}

  DataSet open() {
    const fs::path positive = *find_folder(root_, "positive");
    const auto unlabelled = find_folder(positive, "unlabelled"), labelled = find_folder(positive, "labelled");
    if (!unlabelled || !labelled) throw Error(positive.string() + ": a folder is missing: " + expected);
    add_pairs(*unlabelled, *labelled);
    add_negatives();
    set_.label = [labelled_of = labelled_of_](Image& image, ImageFile& file) {
      const auto found = labelled_of.find(image.file);
      if (found != labelled_of.end()) label_positive(found->second, image, file);
    };
    return std::move(set_);
  }

 private:
  std::string in_set(const fs::path& path) const { return path.lexically_relative(root_).generic_string(); }

  void leave_out(const fs::path& path, const std::string& why) {
    set_.left_out.push_back({"sickle", in_set(path), "", {rules::file_unpaired, why}});
  }

  // The images of a folder by their keys, but for those that are there under several names.
  std::map<std::string, fs::path> images_by_key(const fs::path& folder) {
    std::map<std::string, std::vector<fs::path>> all;
    for (const fs::path& path : images_in(folder)) all[key_of(path)].push_back(path);
    std::map<std::string, fs::path> images;
    for (const auto& [key, paths] : all) {
      if (paths.size() == 1) {
        images[key] = paths.front();
        continue;
      }
      for (const fs::path& path : paths)
        leave_out(path, std::to_string(paths.size()) + " images there are called " + key);
    }
    return images;
  }

  void add_pairs(const fs::path& unlabelled, const fs::path& labelled) {
    const std::map<std::string, fs::path> plain = images_by_key(unlabelled), drawn = images_by_key(labelled);
    for (const auto& [key, path] : plain) {
      const auto copy = drawn.find(key);
      if (copy == drawn.end()) {
        leave_out(path, "no labels: there is no image " + key + " in " + in_set(labelled));
      } else {
        const std::string file = "positive-" + path.filename().string();
        labelled_of_[file] = copy->second;
        add(path, file);
      }
    }
    for (const auto& [key, path] : drawn) {
      if (plain.count(key) == 0) leave_out(path, "there is no image " + key + " in " + in_set(unlabelled));
    }
  }

  void add_negatives() {
    const std::optional<fs::path> negative = find_folder(root_, "negative");
    if (!negative) return leave_out(root_ / "Negative", "no such folder: no images without sickle cells");
    std::vector<fs::path> folders = folders_in(*negative);
    folders.insert(folders.begin(), *negative);
    for (const fs::path& folder : folders) {
      for (const fs::path& path : images_in(folder)) add(path, "negative-" + path.filename().string());
    }
  }

  void add(const fs::path& path, const std::string& file) {
    if (!files_.insert(file).second) return leave_out(path, "another negative image has the same name");
    Image image;
    image.file = file;
    image.source = "sickle";
    image.source_file = in_set(path);
    image.path = path;
    set_.images.push_back(std::move(image));
  }

  static void label_positive(const fs::path& labelled, Image& image, ImageFile& file) {
    const cv::Mat copy = read_image(labelled);
    std::vector<Box> boxes;
    try {
      boxes = find_drawn_rectangles(copy, file.rgb());
    } catch (const Error& problem) {
      throw Error(labelled.string() + ": can't be compared with " + image.path.string() + ": " +
                  problem.what());
    }
    // Rectangles around sickle cells, which are long and thin, don't tell how large a red cell is.
    const std::optional<double>& diameter = file.red_cell_diameter();
    if (diameter) image.pixel_size_um = red_cell_um / *diameter;
    if (boxes.empty())
      note_unreadable_label(image, labelled.string(),
                            "no rectangle is drawn there, though the image is positive");
    for (std::size_t i = 0; i < boxes.size(); ++i)
      add_annotation(image, {boxes[i], -1, "sickle_cell", BoxOrigin::labelled},
                     labelled.string() + ": rectangle " + std::to_string(i + 1));
  }

  fs::path root_;
  DataSet set_;
  std::set<std::string> files_;
  std::map<std::string, fs::path> labelled_of_;  // by the name in the corpus
};

}  // namespace

DataSet open_sickle(const fs::path& folder) {
  return Opener(root_of(folder)).open();
}

}  // namespace smearscope::corpus
