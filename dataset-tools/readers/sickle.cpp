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
#include "readers/source_folder.h"
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

bool holds_positive(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_directory(folder, ignored) && find_folder(folder, "positive").has_value();
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
  explicit Opener(const fs::path& root) : source_(root, "sickle") {}

  DataSet open() {
    const fs::path positive = *find_folder(source_.root(), "positive");
    const auto unlabelled = find_folder(positive, "unlabelled"), labelled = find_folder(positive, "labelled");
    if (!unlabelled || !labelled) throw Error(positive.string() + ": a folder is missing: " + expected);
    add_pairs(*unlabelled, *labelled);
    add_negatives();
    set_.label = [source = source_, labelled_of = labelled_of_](Image& image, ImageFile& file) {
      const auto found = labelled_of.find(image.file);
      if (found != labelled_of.end()) label_positive(source, found->second, image, file);
    };
    return std::move(set_);
  }

 private:
  void leave_out(const fs::path& path, const std::string& why) {
    source_.leave_out(set_, path, rules::file_unpaired, why);
  }

  std::vector<fs::path> images_in(const fs::path& folder) const {
    std::vector<fs::path> images;
    for (const fs::path& path : source_.files(folder)) {
      if (is_image_name(path)) images.push_back(path);
    }
    return images;
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
        leave_out(path, "no labels: there is no image " + key + " in " + source_.name_of(labelled));
      } else {
        const std::string file = "positive-" + path.filename().string();
        labelled_of_[file] = copy->second;
        add(path, file);
      }
    }
    for (const auto& [key, path] : drawn) {
      if (plain.count(key) == 0)
        leave_out(path, "there is no image " + key + " in " + source_.name_of(unlabelled));
    }
  }

  void add_negatives() {
    const std::optional<fs::path> negative = find_folder(source_.root(), "negative");
    if (!negative)
      return leave_out(source_.root() / "Negative", "no such folder: no images without sickle cells");
    std::vector<fs::path> folders = folders_in(*negative);
    folders.insert(folders.begin(), *negative);
    for (const fs::path& folder : folders) {
      for (const fs::path& path : images_in(folder)) add(path, "negative-" + path.filename().string());
    }
  }

  void add(const fs::path& path, const std::string& file) {
    if (!files_.insert(file).second) return leave_out(path, "another negative image has the same name");
    source_.add(set_, source_.image(path, file));
  }

  static void label_positive(const SourceFolder& source, const fs::path& labelled, Image& image,
                             ImageFile& file) {
    const std::string name = source.name_of(labelled);
    if (!source.holds(labelled)) throw Error(name + ": is a link that leads outside the data set");
    const cv::Mat copy = ImageFile(labelled, name).rgb();
    std::vector<Box> boxes;
    try {
      boxes = find_drawn_rectangles(copy, file.rgb());
    } catch (const Error& problem) {
      throw Error(name + ": can't be compared with " + image.source_file + ": " + problem.what());
    }
    // Rectangles around sickle cells, which are long and thin, don't tell how large a red cell is.
    const std::optional<double>& diameter = file.red_cell_diameter();
    if (diameter) image.pixel_size_um = red_cell_um / *diameter;
    if (boxes.empty())
      note_unreadable_label(image, name, "no rectangle is drawn there, though the image is positive");
    for (std::size_t i = 0; i < boxes.size(); ++i)
      add_annotation(image, {boxes[i], -1, "sickle_cell", BoxOrigin::labelled},
                     name + ": rectangle " + std::to_string(i + 1));
  }

  const SourceFolder source_;
  DataSet set_;
  std::set<std::string> files_;
  std::map<std::string, fs::path> labelled_of_;  // by the name in the corpus
};

}  // namespace

DataSet open_sickle(const fs::path& folder) {
  return Opener(find_root(folder, holds_positive, std::string("sickle cell data set: ") + expected)).open();
}

}  // namespace smearscope::corpus
