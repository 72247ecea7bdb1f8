#include "corpus/check.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <map>
#include <unordered_set>

#include "corpus/image_io.h"
#include "corpus/parallel.h"
#include "corpus/progress.h"
#include "duplicates/copies.h"

namespace smearscope::corpus {
namespace {

namespace fs = std::filesystem;

void check_boxes(const Corpus& corpus, const Image& image, std::vector<Finding>& findings) {
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

void check_copies(const Corpus& corpus, unsigned threads, std::vector<Finding>& findings) {
  for (const Pair& pair : find_copies(corpus.images, threads)) {
    const Image &a = corpus.images[pair.first], &b = corpus.images[pair.second];
    const bool leak = a.part != b.part;
    if (pair.likeness == Likeness::same_field && !leak) continue;
    const char* what = pair.likeness == Likeness::same_bytes     ? " are the same file"
                       : pair.likeness == Likeness::same_picture ? " are the same picture"
                                                                 : " show the same field";
    findings.push_back({leak, a.file + " and " + b.file + what + (leak ? ", in different parts" : "")});
  }
}

void check_groups(const Corpus& corpus, std::vector<Finding>& findings) {
  std::map<std::string, const Image*> first;
  std::unordered_set<std::string> told;
  for (const Image& image : corpus.images) {
    if (image.group.empty()) continue;
    const Image* other = first.emplace(image.group, &image).first->second;
    if (other->part != image.part && told.insert(image.group).second)
      findings.push_back(
          {true, "group '" + image.group + "' is in several parts: " + other->file + ", " + image.file});
  }
}

void check_listed(const Corpus& corpus, const fs::path& folder, std::vector<Finding>& findings) {
  std::unordered_set<std::string> listed;
  for (const Image& image : corpus.images) listed.insert(image.file);
  const fs::path images = folder / "images";
  std::vector<std::string> others;
  for (const auto& entry : fs::recursive_directory_iterator(images)) {
    const std::string name = entry.path().lexically_relative(images).generic_string();
    if (entry.is_regular_file() && listed.count(name) == 0) others.push_back(name);
  }
  std::sort(others.begin(), others.end());
  for (const std::string& name : others)
    findings.push_back({false, "images/" + name + ": no annotation file names it"});
}

}  // namespace

std::vector<Finding> check(const Corpus& corpus, const fs::path& folder, unsigned threads) {
  std::vector<std::vector<Finding>> of_image(corpus.images.size());
  std::atomic<bool> all_readable{true};
  {
    Progress progress("checking images", of_image.size());
    parallel_for(of_image.size(), threads, [&](std::size_t i) {
      if (!check_file(corpus.images[i], of_image[i])) all_readable = false;
      check_boxes(corpus, corpus.images[i], of_image[i]);
      progress.step();
    });
  }
  std::vector<Finding> findings;
  for (std::vector<Finding>& some : of_image)
    findings.insert(findings.end(), std::make_move_iterator(some.begin()),
                    std::make_move_iterator(some.end()));
  check_listed(corpus, folder, findings);
  check_groups(corpus, findings);
  if (all_readable) check_copies(corpus, threads, findings);
  return findings;
}

}  // namespace smearscope::corpus
