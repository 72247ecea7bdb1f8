// Tiny corpora and data sets on disk, made in the test.
#pragma once

#include <filesystem>
#include <fstream>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string>

#include "corpus/records.h"

namespace smearscope::testing {

inline std::vector<corpus::Class> cell_classes() {
  return {{"wbc"}, {"rbc"}, {"platelet"}};
}

inline void write_text(const std::filesystem::path& file, const std::string& text) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file) << text;
}

// Light background, `cells` dark discs at places that follow from `seed`. Returns the discs' boxes.
inline std::vector<corpus::Annotation> write_smear(const std::filesystem::path& file, unsigned seed,
                                                   int width = 96, int height = 64, int cells = 5) {
  cv::Mat image(height, width, CV_8UC3, cv::Scalar(225, 230, 235));
  std::vector<corpus::Annotation> annotations;
  cv::RNG random(seed);
  for (int i = 0; i < cells; ++i) {
    const int radius = random.uniform(6, 12);
    const int x = random.uniform(radius, width - radius), y = random.uniform(radius, height - radius);
    const int category = i % 2;
    cv::circle(image, {x, y}, radius, category == 0 ? cv::Scalar(150, 60, 90) : cv::Scalar(120, 120, 200),
               cv::FILLED);
    annotations.push_back(
        {{double(x - radius), double(y - radius), double(x + radius), double(y + radius)}, category, ""});
  }
  std::filesystem::create_directories(file.parent_path());
  cv::imwrite(file.string(), image);
  return annotations;
}

// A training image as a reader would give it.
inline corpus::Image smear_record(const std::filesystem::path& folder, const std::string& name, unsigned seed,
                                  const std::string& source = "test") {
  corpus::Image image;
  image.file = name;
  image.width = 96;
  image.height = 64;
  image.source = source;
  image.source_file = name;
  image.part = "train";
  image.path = folder / name;
  image.annotations = write_smear(image.path, seed);
  return image;
}

}  // namespace smearscope::testing
