#include "tools/report.h"

#include <algorithm>
#include <map>
#include <ostream>
#include <set>

namespace smearscope::corpus {
namespace {

bool is_gap(const Change& change) {
  static const std::set<std::string> gaps{rules::file_unreadable, rules::file_unpaired,
                                          rules::label_unreadable, rules::label_unknown};
  return gaps.count(change.rule) > 0;
}

}  // namespace

void print_counts(const StoredCorpus& corpus, std::ostream& out) {
  struct Counts {
    std::size_t images = 0;
    std::vector<std::size_t> cells;
  };
  std::map<std::string, Counts> of_part;
  for (const Image& image : corpus.images) {
    Counts& counts = of_part[image.part];
    ++counts.images;
    counts.cells.resize(corpus.classes.size());
    for (const Annotation& a : image.annotations) ++counts.cells[static_cast<std::size_t>(a.category)];
  }
  for (const std::string part : {"train", "val", "test", ""}) {
    const Counts& counts = of_part[part];
    if (counts.images == 0) continue;
    out << (part.empty() ? "all" : part) << ": " << counts.images << " images";
    for (std::size_t i = 0; i < counts.cells.size(); ++i) {
      if (counts.cells[i] > 0) out << ", " << counts.cells[i] << " " << corpus.classes[i].name;
    }
    out << "\n";
  }
  if (corpus.images.empty()) out << "no images\n";
}

void print_changes(const StoredCorpus& corpus, std::ostream& out) {
  constexpr int most_of_a_rule = 20;
  std::map<std::string, int> printed;
  const auto print = [&](const std::string& source, const std::string& file, const Change& change) {
    if (change.rule == rules::class_dropped) return;
    const int count = ++printed[change.rule];
    if (count > most_of_a_rule) return;
    out << source << " " << file << ": " << change.rule << ": " << change.detail << "\n";
    if (count == most_of_a_rule) out << "(more of '" << change.rule << "': see provenance.csv)\n";
  };
  for (const Image& image : corpus.images) {
    for (const Change& change : image.changes) print(image.source, image.source_file, change);
  }
  for (const LeftOut& left : corpus.left_out) print(left.source, left.source_file, left.change);
}

void print_change_counts(const StoredCorpus& corpus, std::ostream& out) {
  std::map<std::string, std::size_t> counts;
  for (const Image& image : corpus.images) {
    for (const Change& change : image.changes) ++counts[change.rule];
  }
  for (const LeftOut& left : corpus.left_out) ++counts[left.change.rule];
  for (const auto& [rule, count] : counts) out << rule << ": " << count << "\n";
}

bool has_gaps(const StoredCorpus& corpus) {
  const bool files = std::any_of(corpus.left_out.begin(), corpus.left_out.end(),
                                 [](const LeftOut& left) { return is_gap(left.change); });
  return files || std::any_of(corpus.images.begin(), corpus.images.end(), [](const Image& image) {
           return std::any_of(image.changes.begin(), image.changes.end(), is_gap);
         });
}

}  // namespace smearscope::corpus
