#include "corpus/check.h"

#include <algorithm>
#include <atomic>
#include <vector>

#include "corpus/image_io.h"
#include "corpus/parallel.h"
#include "corpus/progress.h"
#include "duplicates/copies.h"
#include "storage/name_table.h"

namespace smearscope::corpus {
namespace {

namespace fs = std::filesystem;

using Tell = std::function<void(const Finding&)>;

void check_boxes(const StoredCorpus& corpus, const Image& image, std::vector<Finding>& findings) {
  const auto name = [&](int category) { return corpus.classes[static_cast<std::size_t>(category)].name; };
  for (std::size_t i = 0; i < image.annotations.size(); ++i) {
    const Annotation& a = image.annotations[i];
    for (const int absent : image.absent) {
      if (is_kind_of(corpus.classes, a.category, absent))
        findings.push_back({true, image.file + ": has a box of " + name(a.category) +
                                      ", and is said to have no " + name(absent)});
    }
    for (std::size_t j = 0; j < i; ++j) {
      const Annotation& b = image.annotations[j];
      if (!are_of_one_cell(a.box, b.box)) continue;
      const bool agree = are_compatible(corpus.classes, a.category, b.category);
      findings.push_back({!agree, image.file + ": boxes " + std::to_string(j + 1) + " and " +
                                      std::to_string(i + 1) + " are on one cell: " + name(b.category) + ", " +
                                      name(a.category)});
    }
  }
}

// Can its pixels be read?
bool check_file(const Image& image, std::vector<Finding>& findings) {
  try {
    ImageFile file(image.path);
    if (file.width() != image.width || file.height() != image.height) {
      findings.push_back({true, image.file + ": has " + std::to_string(file.width()) + "x" +
                                    std::to_string(file.height()) + " pixels, but its record says " +
                                    std::to_string(image.width) + "x" + std::to_string(image.height)});
    }
    const bool scaled = std::any_of(image.changes.begin(), image.changes.end(),
                                    [](const Change& change) { return change.rule == rules::image_scaled; });
    if (!image.sha256.empty() && !scaled && file.sha256() != image.sha256)
      findings.push_back(
          {true, image.file + ": is not the file that provenance.csv tells of (its digest differs)"});
  } catch (const Error& problem) {
    findings.push_back({true, problem.what()});
    return false;
  }
  return true;
}

// Are all images readable?
bool check_images(const StoredCorpus& corpus, unsigned threads, const Tell& tell) {
  constexpr std::size_t at_once = 1024;
  std::atomic<bool> all_readable{true};
  Progress progress("checking images", corpus.images.size());
  for (std::size_t begin = 0; begin < corpus.images.size(); begin += at_once) {
    std::vector<std::vector<Finding>> of_image(std::min(at_once, corpus.images.size() - begin));
    parallel_for(of_image.size(), threads, [&](std::size_t i) {
      const Image image = corpus.images[begin + i];
      if (!check_file(image, of_image[i])) all_readable = false;
      check_boxes(corpus, image, of_image[i]);
      progress.step();
    });
    for (const std::vector<Finding>& some : of_image) std::for_each(some.begin(), some.end(), tell);
  }
  return all_readable;
}

void check_copies(const StoredCorpus& corpus, unsigned threads, const Tell& tell) {
  for (const Pair& pair : find_copies(corpus.images, threads)) {
    const Image &a = corpus.images[pair.first], &b = corpus.images[pair.second];
    const bool leak = a.part != b.part;
    if (pair.likeness == Likeness::same_field && !leak) continue;
    const char* what = pair.likeness == Likeness::same_bytes     ? " are the same file"
                       : pair.likeness == Likeness::same_picture ? " are the same picture"
                                                                 : " show the same field";
    tell({leak, a.file + " and " + b.file + what + (leak ? ", in different parts" : "")});
  }
}

void check_groups(const StoredCorpus& corpus, const Tell& tell) {
  struct Group {
    std::size_t first;
    bool told;
  };
  NameTable names;
  std::vector<Group> groups;
  for (std::size_t i = 0; i < corpus.images.size(); ++i) {
    const Image image = corpus.images[i];
    if (image.group.empty()) continue;
    const auto [number, is_new] = names.insert(image.group);
    if (is_new) groups.push_back({i, false});
    if (groups[number].told) continue;
    const Image other = corpus.images[groups[number].first];
    if (other.part == image.part) continue;
    groups[number].told = true;
    tell({true, "group '" + image.group + "' is in several parts: " + other.file + ", " + image.file});
  }
}

void check_listed(const StoredCorpus& corpus, const fs::path& folder, const Tell& tell) {
  NameTable listed;
  for (const Image& image : corpus.images) listed.insert(image.file);
  const fs::path images = folder / "images";
  std::vector<std::string> others;
  for (const auto& entry : fs::recursive_directory_iterator(images)) {
    const std::string name = entry.path().lexically_relative(images).generic_string();
    if (entry.is_regular_file() && !listed.has(name)) others.push_back(name);
  }
  std::sort(others.begin(), others.end());
  for (const std::string& name : others) tell({false, "images/" + name + ": no annotation file names it"});
}

}  // namespace

void check(const StoredCorpus& corpus, const fs::path& folder, unsigned threads, const Tell& tell) {
  const bool all_readable = check_images(corpus, threads, tell);
  check_listed(corpus, folder, tell);
  check_groups(corpus, tell);
  if (all_readable) check_copies(corpus, threads, tell);
}

}  // namespace smearscope::corpus
