#include "evaluate/detect.h"

#include <algorithm>

#include "corpus/image_io.h"
#include "corpus/progress.h"

namespace smearscope::training {
namespace {

cv::Mat read_image(const corpus::Image& image) {
  cv::Mat rgb = corpus::read_image(image.path);
  if (rgb.cols == image.width && rgb.rows == image.height) return rgb;
  throw Error(image.path.string() + ": has " + std::to_string(rgb.cols) + "x" + std::to_string(rgb.rows) +
              " pixels, but its annotations say " + std::to_string(image.width) + "x" +
              std::to_string(image.height));
}

// Rounded to single precision, as smearscope-detect writes them.
metrics::Box box_of(const Box& box) {
  const float width = box.x_max - box.x_min, height = box.y_max - box.y_min;
  return {box.x_min, box.y_min, width, height};
}

std::vector<std::size_t> boxes_by_category(const metrics::Data& data) {
  std::vector<std::size_t> boxes(data.categories.size());
  for (const metrics::Image& image : data.images) {
    for (const metrics::TruthBox& box : image.truth) ++boxes[static_cast<std::size_t>(box.category)];
  }
  return boxes;
}

}  // namespace

Frame frame_of(const cv::Mat& rgb) {
  Frame frame;
  frame.width = rgb.cols;
  frame.height = rgb.rows;
  frame.planes[0] = {rgb.data, static_cast<std::ptrdiff_t>(rgb.step)};
  return frame;
}

FindCells through_engine(const std::shared_ptr<Detector>& detector, const Thresholds& thresholds) {
  return [detector, thresholds](const cv::Mat& rgb) {
    return detector->detect({frame_of(rgb)}, thresholds).front();
  };
}

ClassMatch match_classes(const ModelInfo& model, CorpusPart& part) {
  ClassMatch match;
  for (const std::string& name : model.classes) {
    const auto& categories = part.data.categories;
    const auto found = std::find_if(categories.begin(), categories.end(),
                                    [&](const metrics::Category& category) { return category.name == name; });
    match.category_of_label.push_back(
        found == categories.end() ? -1 : static_cast<int>(found - categories.begin()));
    if (found == categories.end()) match.unknown_to_corpus.push_back(name);
  }
  const std::vector<std::size_t> boxes = boxes_by_category(part.data);
  std::size_t common = 0;
  for (std::size_t c = 0; c < boxes.size(); ++c) {
    metrics::Category& category = part.data.categories[c];
    category.evaluated =
        std::find(model.classes.begin(), model.classes.end(), category.name) != model.classes.end();
    if (!category.evaluated && boxes[c] > 0) match.unknown_to_model.push_back(category.name);
    if (category.evaluated) common += boxes[c];
  }
  if (common == 0) {
    throw Error("part '" + part.name + "' has no boxes of the model's classes; classes are matched by name");
  }
  return match;
}

void find_cells(const FindCells& find, const ClassMatch& classes, CorpusPart& part) {
  corpus::Progress progress("detecting", part.images.size());
  for (std::size_t i = 0; i < part.images.size(); ++i) {
    for (const Detection& detection : find(read_image(part.images[i]))) {
      const int category = classes.category_of_label.at(static_cast<std::size_t>(detection.label));
      if (category < 0) continue;
      part.data.images[i].found.push_back({box_of(detection.box), category, detection.score});
    }
    progress.step();
  }
}

}  // namespace smearscope::training
