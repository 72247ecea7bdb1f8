#include "readers/reader.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "corpus/parallel.h"

namespace smearscope::corpus {

const std::vector<Reader>& readers() {
  static const std::vector<Reader> all{
      {"bccd", "BCCD: VOC XML in Annotations/, parts in ImageSets/Main/", open_bccd},
      {"chula", "Chula RBC-12: Dataset/N.jpg, and Label/N.txt with a point for each cell", open_chula},
      {"pbc", "PBC: CLASS/PREFIX_NUMBER.jpg, a cell in the middle; its box is found by segmentation",
       open_pbc},
      {"sickle",
       "Sickle Cell Disease: Positive/{Unlabelled,Labelled}/N.jpg, boxes drawn into Labelled; Negative/",
       open_sickle},
      {"txl", "TXL-PBC: YOLO text in labels/{train,val}/", open_txl},
      {"gallery", "a reviewed gallery of cellgallery: frames/, cells.csv, and pictures in confirmed/CLASS/",
       open_gallery},
      {"coco", "a corpus folder: images/ and annotations/{train,val,test,all}.json", open_coco},
      {"voc", "Pascal VOC: JPEGImages/, Annotations/*.xml and, optionally, ImageSets/Main/", open_voc},
      {"yolo", "YOLO text: images/ and labels/ with parts in or above them, and data.yaml or classes.txt",
       open_yolo},
  };
  return all;
}

const Reader& find_reader(const std::string& name) {
  std::string known;
  for (const Reader& reader : readers()) {
    if (reader.name == name) return reader;
    known += std::string(known.empty() ? "" : ", ") + reader.name;
  }
  throw Error("unknown source '" + name + "'; known are " + known);
}

Image read_labelled(const DataSet& set, std::size_t index, ImageFile& file) {
  Image image = set.images[index];
  image.width = file.width();
  image.height = file.height();
  image.sha256 = file.sha256();
  set.label(image, file);
  return image;
}

Corpus read_all(const DataSet& set, unsigned threads) {
  std::vector<std::optional<Image>> images(set.images.size());
  std::vector<std::string> problems(set.images.size());
  parallel_for(images.size(), threads, [&](std::size_t i) {
    try {
      const Image listed = set.images[i];
      ImageFile file(listed.path, listed.source_file);
      images[i] = read_labelled(set, i, file);
    } catch (const Error& problem) {
      problems[i] = problem.what();
    }
  });
  Corpus corpus;
  corpus.left_out.assign(set.left_out.begin(), set.left_out.end());
  for (std::size_t i = 0; i < images.size(); ++i) {
    const Image listed = set.images[i];
    if (images[i]) {
      corpus.images.push_back(std::move(*images[i]));
    } else {
      corpus.left_out.push_back(
          {listed.source, listed.source_file, "", {rules::file_unreadable, problems[i]}});
    }
  }
  return corpus;
}

std::optional<Box> part_inside(const Box& box, const Image& image) {
  const double width = image.width, height = image.height;
  const Box inside{std::clamp(box.x_min, 0.0, width), std::clamp(box.y_min, 0.0, height),
                   std::clamp(box.x_max, 0.0, width), std::clamp(box.y_max, 0.0, height)};
  // Coordinates are kept to 0.01 pixel; a thinner box would have no area in the file.
  if (!(inside.width() >= 0.01 && inside.height() >= 0.01)) return std::nullopt;
  return inside;
}

void add_annotation(Image& image, const Annotation& annotation, const std::string& where) {
  const Box& box = annotation.box;
  const std::optional<Box> clipped = part_inside(box, image);
  if (!clipped) {
    image.changes.push_back({rules::box_without_area, where + ": dropped"});
    return;
  }
  const auto same = [&](const Annotation& other) {
    return other.label == annotation.label && other.category == annotation.category &&
           other.box.x_min == clipped->x_min && other.box.y_min == clipped->y_min &&
           other.box.x_max == clipped->x_max && other.box.y_max == clipped->y_max;
  };
  if (std::any_of(image.annotations.begin(), image.annotations.end(), same)) {
    image.changes.push_back({rules::label_doubled, where + ": dropped"});
    return;
  }
  // Labels are rounded; half a pixel outside is no news.
  constexpr double rounding = 0.5;
  if (box.x_min < -rounding || box.y_min < -rounding || box.x_max > image.width + rounding ||
      box.y_max > image.height + rounding) {
    image.changes.push_back({rules::box_clipped, where});
  }
  image.annotations.push_back(annotation);
  image.annotations.back().box = *clipped;
}

void note_unreadable_label(Image& image, const std::string& where, const std::string& problem) {
  image.changes.push_back({rules::label_unreadable, where + ": " + problem});
}

bool parse_number(const std::string& text, double& value) {
  const char* end = text.data() + text.size();
  const auto [last, problem] = std::from_chars(text.data(), end, value);
  return problem == std::errc() && last == end && std::isfinite(value);
}

}  // namespace smearscope::corpus
