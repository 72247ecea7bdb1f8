#include "report/samples.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <opencv2/imgproc.hpp>
#include <set>

#include "corpus/image_io.h"

namespace smearscope::corpus {
namespace {

bool shows(const Image& image, const SampleFilter& filter) {
  if (!filter.source.empty() && image.source != filter.source) return false;
  if (filter.category < 0) return true;
  return std::any_of(image.annotations.begin(), image.annotations.end(),
                     [&](const Annotation& a) { return a.category == filter.category; });
}

// What an image has boxes of, each class once.
std::vector<int> classes_of(const Image& image) {
  std::set<int> classes;
  for (const Annotation& a : image.annotations) classes.insert(a.category);
  return {classes.begin(), classes.end()};
}

// The images that pass a filter. Many have the same classes: each such set is kept once.
struct Candidates {
  std::vector<std::uint32_t> image, set;  // indices into the corpus's images, and into sets
  std::vector<std::vector<int>> sets;

  Candidates(const StoredCorpus& corpus, const SampleFilter& filter) {
    std::map<std::vector<int>, std::uint32_t> known;
    for (std::size_t i = 0; i < corpus.images.size(); ++i) {
      const Image candidate = corpus.images[i];
      if (!shows(candidate, filter)) continue;
      const auto [entry, is_new] =
          known.emplace(classes_of(candidate), static_cast<std::uint32_t>(sets.size()));
      if (is_new) sets.push_back(entry->first);
      image.push_back(static_cast<std::uint32_t>(i));
      set.push_back(entry->second);
    }
  }
};

const char* const font = "DejaVu Sans, Sans";
constexpr int tile_width = 640, tile_height = 480, caption_height = 26, gap = 12;

// Source, name of the source's file and part. A Patch shows 40 characters; a long name loses its beginning.
std::string caption_of(const Image& image) {
  const std::string part = image.part.empty() ? "" : "  [" + image.part + "]";
  const std::string path = image.source_file.empty() ? image.file : image.source_file;
  std::string name = path.substr(path.rfind('/') + 1);
  const std::size_t others = image.source.size() + part.size() + 2;
  const std::size_t room = others < 30 ? 40 - others : 10;
  if (name.size() > room) {
    std::size_t cut = name.size() - room + 1;
    while (cut < name.size() && (static_cast<unsigned char>(name[cut]) & 0xC0) == 0x80) ++cut;  // whole UTF-8
    name = "\u2026" + name.substr(cut);
  }
  return image.source + "  " + name + part;
}

}  // namespace

std::vector<std::size_t> sample_images(const StoredCorpus& corpus, const SampleFilter& filter,
                                       std::size_t count) {
  const Candidates candidates(corpus, filter);
  const std::size_t size = candidates.image.size();
  count = std::min(count, size);
  std::vector<bool> covered(corpus.classes.size()), taken(size);
  // How many classes a candidate has that are not covered.
  const auto news_in = [&](std::size_t index) {
    const std::vector<int>& classes = candidates.sets[candidates.set[index]];
    return std::count_if(classes.begin(), classes.end(),
                         [&](int category) { return !covered[static_cast<std::size_t>(category)]; });
  };
  for (std::size_t pick = 0; pick < count; ++pick) {
    // Each pick looks from another place on, so that where several are as good, they lie apart.
    const std::size_t start = pick * size / count;
    std::size_t best = size;
    std::ptrdiff_t best_news = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t index = (start + i) % size;
      if (taken[index]) continue;
      const std::ptrdiff_t news = news_in(index);
      if (best == size || news > best_news) {
        best = index;
        best_news = news;
      }
    }
    taken[best] = true;
    for (const int category : candidates.sets[candidates.set[best]])
      covered[static_cast<std::size_t>(category)] = true;
  }
  std::vector<std::size_t> samples;
  for (std::size_t i = 0; i < size; ++i) {
    if (taken[i]) samples.push_back(candidates.image[i]);
  }
  return samples;
}

cv::Mat read_sample(const Image& image) {
  cv::Mat rgb = read_image(image.path);
  if (rgb.cols != image.width || rgb.rows != image.height) {
    throw Error(image.path.string() + ": is " + std::to_string(rgb.cols) + "x" + std::to_string(rgb.rows) +
                ", but its record says " + std::to_string(image.width) + "x" + std::to_string(image.height));
  }
  return rgb;
}

cv::Mat drawn_cells(const cv::Mat& rgb, std::vector<draw::ShownCell> cells, const DrawnSize& size,
                    bool scores) {
  const double scale =
      std::min({size.width / double(rgb.cols), size.height / double(rgb.rows), size.most_scale});
  const cv::Size scaled(std::max(1, cvRound(rgb.cols * scale)), std::max(1, cvRound(rgb.rows * scale)));
  cv::Mat picture;
  cv::resize(rgb, picture, scaled, 0, 0, scale < 1 ? cv::INTER_AREA : cv::INTER_CUBIC);
  cv::cvtColor(picture, picture, cv::COLOR_RGB2BGR);
  for (draw::ShownCell& cell : cells) {
    for (float* side : {&cell.box.x_min, &cell.box.y_min, &cell.box.x_max, &cell.box.y_max})
      *side = static_cast<float>(*side * scale);
  }
  draw::Options options;
  options.scores = scores;
  options.counts = false;
  options.font = font;
  options.font_scale = size.font_scale;
  options.line_width = cvRound(2 * size.font_scale);
  draw::Overlay overlay(options);
  draw::Painter painter;
  painter.paint(
      draw::bgr_canvas(picture.data, picture.cols, picture.rows, static_cast<std::ptrdiff_t>(picture.step)),
      overlay.compose(picture.cols, picture.rows, cells, {}));
  return picture;
}

cv::Mat drawn_sample(const Image& image, const std::vector<Class>& classes, const SampleFilter& filter,
                     int width, int height, double font_scale) {
  std::vector<draw::ShownCell> cells;
  for (const Annotation& a : image.annotations) {
    if (filter.category >= 0 && a.category != filter.category) continue;
    draw::ShownCell cell;
    cell.box = {static_cast<float>(a.box.x_min), static_cast<float>(a.box.y_min),
                static_cast<float>(a.box.x_max), static_cast<float>(a.box.y_max)};
    cell.label = a.category;
    cell.class_name = classes[static_cast<std::size_t>(a.category)].name;
    cell.stale = a.origin == BoxOrigin::fallback;  // dashed: a stand-in
    cells.push_back(cell);
  }
  return drawn_cells(read_sample(image), std::move(cells), {width, height, font_scale}, false);
}

cv::Mat contact_sheet(const std::vector<Image>& images, std::size_t first, const std::vector<Class>& classes,
                      const SampleFilter& filter) {
  const std::size_t end = std::min(images.size(), first + images_per_sheet);
  const int rows = (static_cast<int>(end - first) + sheet_columns - 1) / sheet_columns;
  cv::Mat sheet(rows * (tile_height + caption_height + gap) + gap, sheet_columns * (tile_width + gap) + gap,
                CV_8UC3, cv::Scalar::all(255));
  draw::TextCache text(font);
  draw::Painter painter;
  std::vector<draw::Item> captions;
  for (std::size_t i = first; i < end; ++i) {
    const int place = static_cast<int>(i - first);
    const int x = gap + place % sheet_columns * (tile_width + gap);
    const int y = gap + place / sheet_columns * (tile_height + caption_height + gap);
    const cv::Mat picture = drawn_sample(images[i], classes, filter, tile_width, tile_height, 1);
    picture.copyTo(sheet(cv::Rect(x + (tile_width - picture.cols) / 2, y + (tile_height - picture.rows) / 2,
                                  picture.cols, picture.rows)));
    draw::TextStyle style;
    style.size = 18;
    style.color = draw::black;
    const draw::Patch& patch = text.render(caption_of(images[i]), style);
    captions.push_back({x, y + tile_height + 2, patch.width, patch.height, draw::black, 255, &patch});
  }
  painter.paint(draw::bgr_canvas(sheet.data, sheet.cols, sheet.rows, static_cast<std::ptrdiff_t>(sheet.step)),
                captions);
  return sheet;
}

}  // namespace smearscope::corpus
