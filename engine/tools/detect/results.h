// What smearscope-detect writes. Formats: docs/results-format.md.
#pragma once

#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "draw/draw.h"
#include "smearscope/detector.h"
#include "tools/detect/image_list.h"
#include "tools/detect/output_file.h"

namespace smearscope::detect {

// A class of the model as results name it.
struct Category {
  std::string name;
  std::int64_t id = 0;  // category_id
  bool wanted = true;   // only wanted ones are reported
  bool weak = false;    // is_weak
};

// COCO detection results, one line each.
class CocoResults {
 public:
  CocoResults(const std::string& path, std::vector<Category> categories);
  void add(const ListedImage& image, const Detections& detections);
  void commit();

 private:
  OutputFile file_;
  std::vector<Category> categories_;
  bool first_ = true;
};

// One row per detection, with a header row (RFC 4180, but lines end in \n).
class CsvResults {
 public:
  CsvResults(const std::string& path, std::vector<Category> categories);
  void add(const ListedImage& image, const Detections& detections);
  void commit();

 private:
  OutputFile file_;
  std::vector<Category> categories_;
};

// Images with their cells drawn in: DIR/<name without extension>.png, or DIR/<name>.png for images whose
// names differ in the extension alone. Subfolders of names are made.
class AnnotatedImages {
 public:
  // Throws Error if DIR can't be made, or if one of `images` would be overwritten.
  AnnotatedImages(const std::string& folder, const std::vector<ListedImage>& images,
                  std::vector<Category> categories);
  void write(const ListedImage& image, const cv::Mat& pixels, const Detections& detections);

 private:
  std::vector<Category> categories_;
  std::map<std::string, std::string> path_of_;  // by name
  draw::Overlay overlay_;
  draw::Painter painter_;
};

}  // namespace smearscope::detect
