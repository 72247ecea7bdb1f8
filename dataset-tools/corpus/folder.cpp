#include "corpus/folder.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>
#include <utility>
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

void check_image_files(const StoredList<Image>& images, const fs::path& images_folder,
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

void check_file_names(const StoredCorpus& corpus) {
  const std::size_t repeated = first_repeated_file(corpus.images);
  if (repeated < corpus.images.size())
    throw Error("two images are named '" + corpus.images[repeated].file + "'");
}

// Images in the order of their ids, if these tell all images of all parts apart (ours do).
void restore_order(StoredList<Image>& images) {
  std::vector<std::pair<std::int64_t, std::uint32_t>> order;  // ids and indices
  order.reserve(images.size());
  for (const Image& image : images) order.emplace_back(image.id, static_cast<std::uint32_t>(order.size()));
  std::sort(order.begin(), order.end());
  const auto repeated = std::adjacent_find(order.begin(), order.end(),
                                           [](const auto& a, const auto& b) { return a.first == b.first; });
  if (repeated != order.end()) return;
  images.reorder(order, [](const auto& entry) { return entry.second; });
}

// What the digest is made of.
std::string description_of(const Image& image, const char* part) {
  std::ostringstream out;
  out.precision(17);
  out << part << ' ' << image.file << ' ' << image.width << ' ' << image.height << ' '
      << sha256_of_file(image.path) << '\n';
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
  return out.str();
}

}  // namespace

StoredCorpus open_corpus(const fs::path& folder) {
  if (!fs::is_directory(folder)) throw Error(folder.string() + ": no such corpus folder");
  StoredCorpus corpus;
  std::string first;
  for (const Part& part : parts) {
    fs::path file = folder / "annotations" / part.file;
    if (!fs::exists(file)) file.replace_filename(std::string("instances_") + part.file);
    if (!fs::exists(file)) continue;
    CocoPart read = read_coco(file, folder / "images", part.name);
    check_image_files(read.images, folder / "images", file);
    if (!first.empty() && read.classes != corpus.classes) {
      throw Error(file.string() + ": its classes differ from those of " + first);
    }
    first = file.filename().string();
    corpus.classes = std::move(read.classes);
    corpus.images.append(std::move(read.images));
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

Corpus read_corpus(const fs::path& folder) {
  return in_memory(open_corpus(folder));
}

fs::path NewCorpus::image_path(const std::string& file) const {
  if (file.empty()) throw Error(folder_.name().string() + ": an image has no name");
  const fs::path name(file);
  // Absolute names stay so, and are refused.
  return folder_.file(name.is_absolute() ? name : "images" / name);
}

void NewCorpus::finish(const StoredCorpus& corpus) {
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

void write_corpus(const fs::path& folder, const StoredCorpus& corpus, Transfer transfer) {
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

std::string digest_of(const StoredCorpus& corpus) {
  Sha256 sum;
  const auto add = [&](const std::string& text) { sum.add(text.data(), text.size()); };
  for (const Class& c : corpus.classes) add("class " + c.name + '\n');
  constexpr std::size_t at_once = 1024;
  std::vector<std::string> texts(at_once);
  for (const Part& part : parts) {
    for (std::size_t begin = 0; begin < corpus.images.size(); begin += at_once) {
      const std::size_t count = std::min(at_once, corpus.images.size() - begin);
      parallel_for(count, 0, [&](std::size_t i) {
        const Image image = corpus.images[begin + i];
        texts[i] = image.part == part.name ? description_of(image, *part.name ? part.name : "all") : "";
      });
      for (std::size_t i = 0; i < count; ++i) add(texts[i]);
    }
  }
  return sum.finish();
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
