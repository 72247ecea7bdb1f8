#include "report/statistics.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace smearscope::corpus {
namespace {

void add_image(const Image& image, SourceStatistics& to) {
  ++to.images;
  to.images_without_boxes += image.annotations.empty();
  to.boxes += image.annotations.size();
  to.ignore_regions += image.ignore_regions.size();
  ++to.sizes[std::to_string(image.width) + "x" + std::to_string(image.height)];
  if (image.pixel_size_um > 0) to.pixel_sizes.push_back(static_cast<float>(image.pixel_size_um));
  for (const Change& change : image.changes) ++to.changes[change.rule];
  std::vector<bool> present(to.per_class.size()), partial(to.per_class.size());
  for (const Annotation& annotation : image.annotations) {
    const auto index = static_cast<std::size_t>(annotation.category);
    auto& of_class = to.per_class[index];
    ++of_class.boxes;
    ++to.by_origin[static_cast<std::size_t>(annotation.origin)];
    of_class.box_sides.push_back(static_cast<float>(std::sqrt(annotation.box.area())));
    if (!annotation.label.empty()) ++of_class.labels[annotation.label];
    present[index] = true;
  }
  for (const int category : image.not_exhaustive) partial[static_cast<std::size_t>(category)] = true;
  for (const int category : image.absent) ++to.per_class[static_cast<std::size_t>(category)].absent;
  for (std::size_t i = 0; i < present.size(); ++i) {
    to.per_class[i].images += present[i];
    to.per_class[i].partial += partial[i];
    to.per_class[i].exhaustive += present[i] && !partial[i];
  }
}

void finish(SourceStatistics& source) {
  std::sort(source.pixel_sizes.begin(), source.pixel_sizes.end());
  for (auto& of_class : source.per_class) {
    source.classes += of_class.boxes > 0;
    std::sort(of_class.box_sides.begin(), of_class.box_sides.end());
  }
}

int part_rank(const std::string& part) {
  return part == "train" ? 0 : part == "val" ? 1 : part == "test" ? 2 : 3;
}

}  // namespace

Statistics statistics_of(const StoredCorpus& corpus) {
  std::map<std::string, SourceStatistics> sources;
  std::map<std::pair<int, std::string>, PartStatistics> parts;
  Statistics result;
  result.classes = corpus.classes;
  const auto source_of = [&](const std::string& name) -> SourceStatistics& {
    SourceStatistics& source = sources[name];
    source.name = name;
    source.per_class.resize(corpus.classes.size());
    return source;
  };
  result.total.name = "all";
  result.total.per_class.resize(corpus.classes.size());
  for (const Image& image : corpus.images) {
    add_image(image, source_of(image.source));
    add_image(image, result.total);
    PartStatistics& part = parts[{part_rank(image.part), image.part}];
    part.name = image.part;
    part.class_boxes.resize(corpus.classes.size());
    ++part.images;
    part.boxes += image.annotations.size();
    for (const Annotation& a : image.annotations) ++part.class_boxes[static_cast<std::size_t>(a.category)];
  }
  for (const LeftOut& file : corpus.left_out) {
    ++source_of(file.source).left_out[file.change.rule];
    ++result.total.left_out[file.change.rule];
  }
  finish(result.total);
  for (auto& [name, source] : sources) {
    finish(source);
    result.sources.push_back(std::move(source));
  }
  for (auto& [key, part] : parts) result.parts.push_back(std::move(part));
  return result;
}

double quantile(const std::vector<float>& ascending, double q) {
  if (ascending.empty()) return 0;
  const double place = q * static_cast<double>(ascending.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, ascending.size() - 1);
  return ascending[below] + (place - static_cast<double>(below)) * (ascending[above] - ascending[below]);
}

std::string percent(std::size_t part, std::size_t whole) {
  if (whole == 0) return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
  return text;
}

std::string grouped(std::size_t number) {
  std::string text = std::to_string(number);
  for (auto place = static_cast<std::ptrdiff_t>(text.size()) - 3; place > 0; place -= 3) {
    text.insert(static_cast<std::size_t>(place), ",");
  }
  return text;
}

}  // namespace smearscope::corpus
