#include "corpus/folder.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>
#include <unordered_set>
#include <vector>

#include "corpus/coco.h"
#include "corpus/parallel.h"
#include "corpus/provenance.h"
#include "model/checksum.h"

namespace smearscope::corpus {
namespace {

namespace fs = std::filesystem;

struct Part {
  const char *name, *file;
};
constexpr std::array<Part, 4> parts{
    {{"train", "train.json"}, {"val", "val.json"}, {"test", "test.json"}, {"", "all.json"}}};

void check_image_files(const std::vector<Image>& images, const fs::path& images_folder,
                       const fs::path& annotations) {
  const fs::path root = fs::weakly_canonical(images_folder);
  for (const Image& image : images) {
    const auto fail = [&](const std::string& what) {
      throw Error(annotations.string() + ": image '" + image.file + "' " + what);
    };
    if (!fs::is_regular_file(image.path)) fail("is missing: there is no " + image.path.string());
    if (fs::is_symlink(image.path)) {
      const fs::path target = fs::canonical(image.path);
      if (std::mismatch(root.begin(), root.end(), target.begin(), target.end()).first != root.end()) {
        fail("is a link that leads outside, to " + target.string());
      }
    }
  }
}

void check_file_names(const Corpus& corpus) {
  std::unordered_set<std::string> names;
  for (const Image& image : corpus.images) {
    if (!names.insert(image.file).second) throw Error("two images are named '" + image.file + "'");
  }
}

// Images in the order of their ids, if these tell all images of all parts apart (ours do).
void restore_order(std::vector<Image>& images) {
  std::unordered_set<std::int64_t> ids;
  for (const Image& image : images) ids.insert(image.id);
  if (ids.size() != images.size()) return;
  std::stable_sort(images.begin(), images.end(), [](const Image& a, const Image& b) { return a.id < b.id; });
}

void describe(std::ostream& out, const char* part, const Image& image, const std::string& sha256) {
  out << part << ' ' << image.file << ' ' << image.width << ' ' << image.height << ' ' << sha256 << '\n';
  for (const Annotation& a : image.annotations) {
    out << a.category << ' ' << a.box.x_min << ' ' << a.box.y_min << ' ' << a.box.x_max << ' ' << a.box.y_max
        << '\n';
  }
  for (const int category : image.absent) out << "absent " << category << '\n';
  for (const int category : image.not_exhaustive) out << "not-exhaustive " << category << '\n';
  if (image.regions_complete) out << "ignore-complete\n";
  for (const Box& box : image.ignore_regions) {
    out << "ignore " << box.x_min << ' ' << box.y_min << ' ' << box.x_max << ' ' << box.y_max << '\n';
  }
}

}  // namespace

Corpus read_corpus(const fs::path& folder) {
  if (!fs::is_directory(folder)) throw Error(folder.string() + ": no such corpus folder");
  Corpus corpus;
  std::string first;
  for (const Part& part : parts) {
    const fs::path file = folder / "annotations" / part.file;
    if (!fs::exists(file)) continue;
    CocoPart read = read_coco(file, folder / "images");
    check_image_files(read.images, folder / "images", file);
    if (!first.empty() && read.classes != corpus.classes) {
      throw Error(file.string() + ": its classes differ from those of " + first);
    }
    first = part.file;
    corpus.classes = std::move(read.classes);
    for (Image& image : read.images) {
      image.part = part.name;
      corpus.images.push_back(std::move(image));
    }
  }
  if (first.empty()) {
    throw Error(folder.string() + ": not a corpus: annotations/{train,val,test,all}.json are all missing");
  }
  try {
    check_file_names(corpus);
  } catch (const Error& problem) {
    throw Error(folder.string() + ": " + problem.what());
  }
  restore_order(corpus.images);
  const fs::path provenance = folder / "provenance.csv";
  if (fs::exists(provenance)) read_provenance(provenance, corpus);
  return corpus;
}

fs::path NewCorpus::image_path(const std::string& file) const {
  if (file.empty()) throw Error(folder_.name().string() + ": an image has no name");
  const fs::path name(file);
  // Absolute names stay so, and are refused.
  return folder_.file(name.is_absolute() ? name : "images" / name);
}

void NewCorpus::finish(const Corpus& corpus) {
  check_file_names(corpus);
  std::int64_t annotation_id = 1;
  for (const Part& part : parts) {
    const bool is_empty_corpus = corpus.images.empty() && std::string(part.name).empty();
    if (count_of_part(corpus, part.name) == 0 && !is_empty_corpus) continue;
    write_coco(folder_.file(fs::path("annotations") / part.file), corpus, part.name, annotation_id);
  }
  write_provenance(folder_.file("provenance.csv"), corpus);
  folder_.finish();
}

void transfer_file(const fs::path& from, const fs::path& to, Transfer transfer) {
  if (transfer == Transfer::link) {
    std::error_code problem;
    fs::create_hard_link(from, to, problem);
    if (!problem) return;
  }
  fs::copy_file(from, to);
  // The data set may be read-only; its copy is the user's own.
  fs::permissions(to, fs::perms::owner_write, fs::perm_options::add);
}

void write_corpus(const fs::path& folder, const Corpus& corpus, Transfer transfer) {
  check_file_names(corpus);
  NewCorpus fresh(folder);
  try {
    for (const Image& image : corpus.images)
      transfer_file(image.path, fresh.image_path(image.file), transfer);
  } catch (const fs::filesystem_error& problem) {
    throw Error(folder.string() + ": cannot write the corpus: " + problem.what());
  }
  fresh.finish(corpus);
}

std::string digest_of(const Corpus& corpus) {
  std::vector<std::string> sums(corpus.images.size());
  parallel_for(sums.size(), 0, [&](std::size_t i) { sums[i] = sha256_of_file(corpus.images[i].path); });
  std::ostringstream text;
  text.precision(17);
  for (const Class& c : corpus.classes) text << "class " << c.name << '\n';
  for (const Part& part : parts) {
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const bool is_here = corpus.images[i].part == part.name;
      if (is_here) describe(text, *part.name ? part.name : "all", corpus.images[i], sums[i]);
    }
  }
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
