#include "corpus/taxonomy.h"

#include <algorithm>
#include <cctype>
#include <numeric>

namespace smearscope::corpus {
namespace {

using Completeness = Taxonomy::Completeness;
constexpr int unknown_label = -2;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

int class_of_name(const Taxonomy& taxonomy, const Taxonomy::Source* source, const std::string& name) {
  const std::string key = lower(name);
  if (source) {
    const auto found = source->class_of_label.find(key);
    if (found != source->class_of_label.end()) return found->second;
  }
  const auto found = taxonomy.class_of_name.find(key);
  return found == taxonomy.class_of_name.end() ? unknown_label : found->second;
}

// A class has no cell here if it is labelled exhaustively and no cell is labelled as it, as a kind of it, or
// as what it is a kind of (which it may then be).
std::vector<int> absent_classes(const Image& image, const Taxonomy& taxonomy,
                                const std::vector<Completeness>& completeness) {
  std::vector<int> absent;
  for (int i = 0; i < static_cast<int>(completeness.size()); ++i) {
    if (completeness[static_cast<std::size_t>(i)] != Completeness::exhaustive) continue;
    const bool possible =
        std::any_of(image.annotations.begin(), image.annotations.end(), [&](const Annotation& a) {
          return is_kind_of(taxonomy.classes, a.category, i) || is_kind_of(taxonomy.classes, i, a.category);
        });
    if (!possible) absent.push_back(i);
  }
  return absent;
}

// Indices into the source's own classes -> indices of ours, ascending.
std::vector<int> mapped(const std::vector<int>& own, const std::vector<int>& class_of_own) {
  std::vector<int> result;
  for (const int index : own) {
    const int category = class_of_own[static_cast<std::size_t>(index)];
    if (category >= 0) result.push_back(category);
  }
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

void keep_only(std::vector<int>& list, const std::vector<int>& not_in) {
  list.erase(
      std::remove_if(list.begin(), list.end(),
                     [&](int i) { return std::find(not_in.begin(), not_in.end(), i) != not_in.end(); }),
      list.end());
}

void map_labels(Image& image, const Taxonomy& taxonomy, const Taxonomy::Source* source,
                const std::vector<Class>& own_classes, const std::vector<int>& class_of_own) {
  std::vector<Annotation> kept;
  for (Annotation& a : image.annotations) {
    const bool has_own_class = a.category >= 0 && !own_classes.empty();
    const auto own = static_cast<std::size_t>(has_own_class ? a.category : 0);
    const int category = has_own_class ? class_of_own[own] : class_of_name(taxonomy, source, a.label);
    if (category >= 0) {
      a.category = category;
      kept.push_back(std::move(a));
      continue;
    }
    const std::string name = has_own_class ? own_classes[own].name : a.label;
    const bool known = category == Taxonomy::dropped;
    image.changes.push_back({known ? rules::class_dropped : rules::label_unknown,
                             "'" + name + "'" + (known ? "" : " is not in the taxonomy " + taxonomy.name)});
    image.ignore_regions.push_back(a.box);
  }
  image.annotations = std::move(kept);
}

bool has_unreadable_label(const Image& image) {
  return std::any_of(image.changes.begin(), image.changes.end(),
                     [](const Change& change) { return change.rule == rules::label_unreadable; });
}

}  // namespace

void classify(Image& image, const Taxonomy& taxonomy, const std::string& kind,
              const std::vector<Class>& own_classes, bool gives_completeness) {
  const auto found = taxonomy.sources.find(kind);
  const Taxonomy::Source* source = found == taxonomy.sources.end() ? nullptr : &found->second;
  std::vector<int> class_of_own;
  for (const Class& own : own_classes) class_of_own.push_back(class_of_name(taxonomy, source, own.name));
  map_labels(image, taxonomy, source, own_classes, class_of_own);

  if (gives_completeness) {
    image.absent = mapped(image.absent, class_of_own);
    image.not_exhaustive = mapped(image.not_exhaustive, class_of_own);
    // Several of the source's classes may have become one of ours.
    for (const Annotation& a : image.annotations) keep_only(image.absent, {a.category});
    keep_only(image.absent, image.not_exhaustive);
  } else {
    std::vector<Completeness> completeness(taxonomy.classes.size(), Completeness::unknown);
    if (source) {
      completeness = source->completeness;
    } else {
      for (const int category : class_of_own) {
        if (category >= 0) completeness[static_cast<std::size_t>(category)] = Completeness::exhaustive;
      }
    }
    image.absent = absent_classes(image, taxonomy, completeness);
    image.not_exhaustive.clear();
    for (std::size_t i = 0; i < completeness.size(); ++i) {
      if (completeness[i] == Completeness::not_exhaustive)
        image.not_exhaustive.push_back(static_cast<int>(i));
    }
  }
  if (has_unreadable_label(image)) open_all_classes(image, taxonomy);
}

void open_all_classes(Image& image, const Taxonomy& taxonomy) {
  image.absent.clear();
  image.not_exhaustive.resize(taxonomy.classes.size());
  std::iota(image.not_exhaustive.begin(), image.not_exhaustive.end(), 0);
}

namespace {

// The new index of each class once the general ones are gone; Taxonomy::dropped for those.
std::vector<int> index_without_general(const Taxonomy& taxonomy) {
  std::vector<int> index;
  int next = 0;
  for (const bool general : taxonomy.general) index.push_back(general ? Taxonomy::dropped : next++);
  return index;
}

}  // namespace

std::vector<Class> classes_without_general(const Taxonomy& taxonomy) {
  const std::vector<int> index = index_without_general(taxonomy);
  std::vector<Class> classes;
  for (std::size_t i = 0; i < index.size(); ++i) {
    if (index[i] < 0) continue;
    Class c = taxonomy.classes[i];
    if (c.parent >= 0) c.parent = index[static_cast<std::size_t>(c.parent)];
    classes.push_back(std::move(c));
  }
  return classes;
}

void drop_general(Image& image, const Taxonomy& taxonomy) {
  const std::vector<int> index = index_without_general(taxonomy);
  map_labels(image, taxonomy, nullptr, taxonomy.classes, index);
  image.absent = mapped(image.absent, index);
  image.not_exhaustive = mapped(image.not_exhaustive, index);
}

}  // namespace smearscope::corpus
