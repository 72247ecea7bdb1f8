#include "corpus/folder.h"

#include <unistd.h>

#include <fstream>
#include <set>
#include <sstream>
#include <vector>

#include "corpus/coco.h"
#include "model/checksum.h"

namespace smearscope::corpus {
namespace {

namespace fs = std::filesystem;

// The new folder under a name beside its own; gone again unless it was renamed.
class NewFolder {
 public:
  explicit NewFolder(const fs::path& folder)
      : folder_(folder), beside_(folder.string() + ".new-" + std::to_string(::getpid())) {
    fs::remove_all(beside_);
    fs::create_directories(beside_ / "images");
    fs::create_directories(beside_ / "annotations");
  }
  ~NewFolder() {
    std::error_code ignored;
    if (!renamed_) fs::remove_all(beside_, ignored);
  }
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;

  const fs::path& path() const { return beside_; }
  void rename() {
    fs::remove(folder_);  // an empty folder, or nothing
    fs::rename(beside_, folder_);
    renamed_ = true;
  }

 private:
  fs::path folder_, beside_;
  bool renamed_ = false;
};

void check_image_files(const std::vector<Image>& images, const fs::path& annotations) {
  for (const Image& image : images) {
    if (!fs::is_regular_file(image.path)) {
      throw Error(annotations.string() + ": image '" + image.file + "' is missing: there is no " +
                  image.path.string());
    }
  }
}

void check_file_names(const Corpus& corpus) {
  std::set<std::string> names;
  for (const auto* part : {&corpus.train, &corpus.val}) {
    for (const Image& image : *part) {
      if (!names.insert(image.file).second) throw Error("two images are named '" + image.file + "'");
    }
  }
}

void describe(std::ostream& out, const char* name, const std::vector<Image>& part) {
  out.precision(17);
  for (const Image& image : part) {
    out << name << ' ' << image.file << ' ' << image.width << ' ' << image.height << ' '
        << sha256_of_file(image.path) << '\n';
    for (const Annotation& a : image.annotations) {
      out << a.category << ' ' << a.box.x_min << ' ' << a.box.y_min << ' ' << a.box.x_max << ' '
          << a.box.y_max << '\n';
    }
  }
}

}  // namespace

Corpus read_corpus(const fs::path& folder) {
  if (!fs::is_directory(folder)) throw Error(folder.string() + ": no such corpus folder");
  Corpus corpus;
  bool found = false;
  for (auto [name, part] : {std::pair{"train.json", &corpus.train}, std::pair{"val.json", &corpus.val}}) {
    const fs::path file = folder / "annotations" / name;
    if (!fs::exists(file)) continue;
    CocoPart read = read_coco(file, folder / "images");
    check_image_files(read.images, file);
    if (found && read.classes != corpus.classes) {
      throw Error(file.string() + ": its classes differ from those of train.json");
    }
    corpus.classes = std::move(read.classes);
    *part = std::move(read.images);
    found = true;
  }
  if (!found) {
    throw Error(folder.string() +
                ": not a corpus: annotations/train.json and annotations/val.json are missing");
  }
  return corpus;
}

void check_is_new(const fs::path& folder) {
  if (fs::exists(folder) && !(fs::is_directory(folder) && fs::is_empty(folder))) {
    throw Error(folder.string() + ": exists already; name a new folder or remove it");
  }
}

void write_corpus(const fs::path& folder, const Corpus& corpus) {
  check_file_names(corpus);
  try {
    check_is_new(folder);
    // "name/" and "name" are the same folder, but only the second has a place beside it.
    NewFolder fresh(folder.has_filename() ? folder : folder.parent_path());
    int image_id = 1, annotation_id = 1;
    for (auto [name, part] : {std::pair{"train.json", &corpus.train}, std::pair{"val.json", &corpus.val}}) {
      if (part->empty()) continue;
      for (const Image& image : *part) {
        const fs::path copy = fresh.path() / "images" / image.file;
        fs::create_directories(copy.parent_path());
        fs::copy_file(image.path, copy);
        // The data set may be read-only; its copy is the user's own.
        fs::permissions(copy, fs::perms::owner_write, fs::perm_options::add);
      }
      write_coco(fresh.path() / "annotations" / name, corpus.classes, *part, image_id, annotation_id);
    }
    fresh.rename();
  } catch (const fs::filesystem_error& problem) {
    throw Error(folder.string() + ": cannot write the corpus: " + problem.what());
  }
}

std::string digest_of(const Corpus& corpus) {
  std::ostringstream text;
  for (const std::string& name : corpus.classes) text << "class " << name << '\n';
  describe(text, "train", corpus.train);
  describe(text, "val", corpus.val);
  return sha256_of_text(text.str());
}

std::string sha256_of_text(const std::string& text) {
  Sha256 sum;
  sum.add(text.data(), text.size());
  return sum.finish();
}

std::string sha256_of_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  Sha256 sum;
  std::vector<char> buffer(1 << 16);
  while (in.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || in.gcount() > 0) {
    sum.add(buffer.data(), static_cast<std::size_t>(in.gcount()));
  }
  if (!in.eof()) throw Error(file.string() + ": cannot read the file");
  return sum.finish();
}

}  // namespace smearscope::corpus
