// Pictures from a corpus with its boxes on them.
#pragma once

#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "corpus/stored_corpus.h"
#include "draw/draw.h"
#include "smearscope/error.h"

namespace smearscope::corpus {

// Which images, and of which class boxes are shown. Empty: all.
struct SampleFilter {
  std::string source;
  int category = -1;  // index into Corpus::classes: images that have it, and only its boxes are drawn
};

// Indices of up to `count` images in corpus order, always the same ones: first such that between them show as
// many classes as possible, then others spread over the corpus.
std::vector<std::size_t> sample_images(const StoredCorpus& corpus, const SampleFilter& filter,
                                       std::size_t count);

// Its pixels, RGB. Throws Error if the file isn't an image of the recorded size.
cv::Mat read_sample(const Image& image);

// A picture is scaled to fit into width x height, at most `most_scale` times.
struct DrawnSize {
  int width = 0, height = 0;
  double font_scale = 1, most_scale = 2;
};

// `rgb` scaled, with `cells` (in its pixels) as celloverlay draws them. BGR.
cv::Mat drawn_cells(const cv::Mat& rgb, std::vector<draw::ShownCell> cells, const DrawnSize& size,
                    bool scores);

// The image scaled to fit into width x height (at most doubled), with its boxes and class names as
// celloverlay draws them. BGR. Throws Error as read_sample does.
cv::Mat drawn_sample(const Image& image, const std::vector<Class>& classes, const SampleFilter& filter,
                     int width, int height, double font_scale);

constexpr int sheet_columns = 3, sheet_rows = 3, images_per_sheet = sheet_columns * sheet_rows;

// A contact sheet, BGR: up to images_per_sheet of `images` from index `first` on, each with its source, file
// and part below it.
cv::Mat contact_sheet(const std::vector<Image>& images, std::size_t first, const std::vector<Class>& classes,
                      const SampleFilter& filter);

}  // namespace smearscope::corpus
