#include "report/pictures.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <set>
#include <type_traits>

#include "report/samples.h"

namespace smearscope::training {
namespace {

using corpus::DrawnSize;
using draw::ShownCell;

constexpr DrawnSize prediction_size{460, 360, 1.3, 2};
constexpr DrawnSize failure_size{260, 260, 1.5, 4}, context_size{260, 260, 0.5, 4};

ShownCell shown_cell(const metrics::Box& box, int category, double score, const std::string& name) {
  ShownCell cell;
  cell.box = {static_cast<float>(box.x), static_cast<float>(box.y), static_cast<float>(box.x + box.width),
              static_cast<float>(box.y + box.height)};
  cell.label = category;
  cell.score = score;
  cell.class_name = name;
  return cell;
}

template <typename Boxes>
std::vector<ShownCell> shown_cells(const ReportData& data, const Boxes& boxes) {
  std::vector<ShownCell> cells;
  for (const auto& box : boxes) {
    const std::string& name = data.class_name(static_cast<std::size_t>(box.category));
    if constexpr (std::is_same_v<std::decay_t<decltype(box)>, metrics::FoundBox>) {
      cells.push_back(shown_cell(box.box, box.category, box.score, name));
    } else {
      cells.push_back(shown_cell(box.box, box.category, 0, name));
    }
  }
  return cells;
}

std::vector<ShownCell> labelled_cells(const ReportData& data, std::size_t image) {
  return shown_cells(data, data.truth().images[image].truth);
}

std::vector<ShownCell> found_cells(const ReportData& data, std::size_t run, std::size_t image) {
  const Run& r = data.runs[run];
  std::vector<metrics::FoundBox> shown;
  for (const metrics::FoundBox& box : r.part->data.images[image].found) {
    if (box.score > r.measured.count_threshold) shown.push_back(box);
  }
  return shown_cells(data, shown);
}

std::string name_of(const corpus::Image& image) {
  return image.source_file.empty() ? image.file : image.source_file;
}

// The square around all boxes of the failure, with room for the cells beside it.
cv::Rect place_of(const Failure& failure, const corpus::Image& image) {
  double left = image.width, top = image.height, right = 0, bottom = 0;
  const auto add = [&](const metrics::Box& box) {
    left = std::min(left, box.x);
    top = std::min(top, box.y);
    right = std::max(right, box.x + box.width);
    bottom = std::max(bottom, box.y + box.height);
  };
  for (const metrics::TruthBox& box : failure.truth) add(box.box);
  for (const metrics::FoundBox& box : failure.found) add(box.box);
  const double wanted = std::max(64.0, 2.4 * std::max(right - left, bottom - top));
  const int side = std::min({static_cast<int>(std::lround(wanted)), image.width, image.height});
  const int x = std::clamp(cvRound((left + right - side) / 2), 0, image.width - side);
  const int y = std::clamp(cvRound((top + bottom - side) / 2), 0, image.height - side);
  return {x, y, side, side};
}

bool same_box(const ShownCell& a, const ShownCell& b) {
  return a.label == b.label && a.box.x_min == b.box.x_min && a.box.y_min == b.box.y_min;
}

std::string with_score(const ShownCell& cell) {
  return cell.class_name + " " + std::to_string(static_cast<int>(std::floor(100 * cell.score))) + "%";
}

// Cells as seen in `place`.
std::vector<ShownCell> cells_in(const cv::Rect& place, std::vector<ShownCell> cells) {
  for (ShownCell& cell : cells) {
    cell.box.x_min -= static_cast<float>(place.x);
    cell.box.x_max -= static_cast<float>(place.x);
    cell.box.y_min -= static_cast<float>(place.y);
    cell.box.y_max -= static_cast<float>(place.y);
  }
  return cells;
}

// Those that the failure is about over the others, which are thin, dashed and without their names.
cv::Mat closeup(const cv::Mat& rgb, const std::vector<ShownCell>& cells,
                const std::vector<ShownCell>& about) {
  const auto is_about = [&](const ShownCell& cell) {
    return std::any_of(about.begin(), about.end(),
                       [&](const ShownCell& other) { return same_box(cell, other); });
  };
  std::vector<ShownCell> others, named;
  for (ShownCell cell : cells) {
    if (is_about(cell)) {
      if (cell.score > 0) cell.class_name = with_score(cell);
      named.push_back(cell);
      continue;
    }
    cell.class_name.clear();
    cell.stale = true;
    others.push_back(cell);
  }
  cv::Mat picture = drawn_cells(rgb, std::move(others), context_size, false);
  const auto scale = static_cast<float>(picture.cols) / static_cast<float>(rgb.cols);
  for (ShownCell& cell : named)
    cell.box = {cell.box.x_min * scale, cell.box.y_min * scale, cell.box.x_max * scale,
                cell.box.y_max * scale};
  cv::cvtColor(picture, picture, cv::COLOR_BGR2RGB);
  return drawn_cells(picture, std::move(named), failure_size, false);
}

}  // namespace

std::vector<SourcePictures> prediction_pictures(const ReportData& data, std::size_t count) {
  corpus::Corpus corpus;
  for (const metrics::Category& category : data.truth().categories) corpus.classes.push_back({category.name});
  corpus.images = data.part().images;
  std::set<std::string> sources;
  for (const corpus::Image& image : corpus.images) sources.insert(image.source);
  std::vector<SourcePictures> all;
  for (const std::string& source : sources) {
    SourcePictures of_source{source, {}};
    for (const std::size_t index : corpus::sample_images(corpus, {source, -1}, count)) {
      const corpus::Image& image = corpus.images[index];
      const cv::Mat rgb = corpus::read_sample(image);
      PictureRow row{name_of(image), {drawn_cells(rgb, labelled_cells(data, index), prediction_size, false)}};
      for (std::size_t r = 0; r < data.runs.size(); ++r)
        row.pictures.push_back(drawn_cells(rgb, found_cells(data, r, index), prediction_size, true));
      of_source.rows.push_back(std::move(row));
    }
    all.push_back(std::move(of_source));
  }
  return all;
}

PictureRow failure_picture(const ReportData& data, std::size_t run, const Failure& failure) {
  const corpus::Image& image = data.part().images[failure.image];
  const cv::Rect place = place_of(failure, image);
  const cv::Mat rgb = corpus::read_sample(image)(place);
  return {image.source + " " + name_of(image),
          {closeup(rgb, cells_in(place, labelled_cells(data, failure.image)),
                   cells_in(place, shown_cells(data, failure.truth))),
           closeup(rgb, cells_in(place, found_cells(data, run, failure.image)),
                   cells_in(place, shown_cells(data, failure.found)))}};
}

cv::Mat sheet_of(const std::vector<PictureRow>& rows, std::size_t columns) {
  constexpr int gap = 10, caption_height = 22, text_size = 14;
  cv::Size tile(1, 1);  // of one row
  for (const PictureRow& row : rows) {
    cv::Size size(0, 0);
    for (const cv::Mat& picture : row.pictures)
      size = {size.width + picture.cols + gap, std::max(size.height, picture.rows)};
    tile = {std::max(tile.width, size.width), std::max(tile.height, size.height)};
  }
  const auto across = static_cast<int>(std::min(columns, std::max<std::size_t>(1, rows.size())));
  const int down = (static_cast<int>(rows.size()) + across - 1) / across;
  cv::Mat sheet(down * (tile.height + caption_height + gap) + gap, across * (tile.width + gap) + gap, CV_8UC3,
                cv::Scalar::all(255));
  draw::TextCache text("DejaVu Sans, Sans");
  draw::TextStyle style;
  style.size = text_size;
  style.color = draw::black;
  std::vector<draw::Item> captions;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    int x = gap + static_cast<int>(i) % across * (tile.width + gap);
    const int y = gap + static_cast<int>(i) / across * (tile.height + caption_height + gap);
    const std::string& caption = rows[i].caption;
    const draw::Patch& patch = text.render(caption.substr(caption.rfind('/') + 1), style);
    captions.push_back({x, y + tile.height + 2, patch.width, patch.height, draw::black, 255, &patch});
    for (const cv::Mat& picture : rows[i].pictures) {
      picture.copyTo(sheet(cv::Rect(x, y, picture.cols, picture.rows)));
      x += picture.cols + gap;
    }
  }
  draw::Painter painter;
  painter.paint(draw::bgr_canvas(sheet.data, sheet.cols, sheet.rows, static_cast<std::ptrdiff_t>(sheet.step)),
                captions);
  return sheet;
}

}  // namespace smearscope::training
