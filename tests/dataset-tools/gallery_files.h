// A gallery on disk, made in the test, and what is read of it.
#pragma once

#include <gtest/gtest.h>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

#include "corpus_files.h"
#include "readers/reader.h"
#include "temporary_folder.h"

namespace smearscope::testing {

// Every frame shows the same six cells, numbered from 0.
class GalleryFiles : public ::testing::Test {
 protected:
  static constexpr std::size_t cells = 6;
  static constexpr int radius = 20;
  static constexpr const char* header = "cell,frame,class,confidence,x_min,y_min,x_max,y_max,pixel_size_um\n";

  std::filesystem::path root() const { return folder_.file("in/smear 7"); }

  static cv::Point center(std::size_t cell) { return {60 + 100 * int(cell % 3), 60 + 100 * int(cell / 3)}; }
  static bool is_box_of(const corpus::Box& box, std::size_t cell) {
    const cv::Point at = center(cell);
    return box.x_min == at.x - radius && box.y_min == at.y - radius && box.x_max == at.x + radius &&
           box.y_max == at.y + radius;
  }

  void frame(const std::string& name) const {
    cv::Mat picture(220, 320, CV_8UC3, cv::Scalar(225, 230, 235));
    for (std::size_t cell = 0; cell < cells; ++cell)
      cv::circle(picture, center(cell), radius, cv::Scalar(120, 120, 200), cv::FILLED);
    std::filesystem::create_directories(root() / "frames");
    cv::imwrite((root() / "frames" / name).string(), picture);
  }
  // Cell `number` of the gallery, with the box of a frame's `cell`. `found_as` as it is in the file.
  static std::string row(int number, const std::string& frame, const std::string& found_as, std::size_t cell,
                         const std::string& pixel_size_um = "0") {
    const cv::Point at = center(cell);
    std::string text = std::to_string(number) + "," + frame + "," + found_as + ",0.981";
    for (const int side : {at.x - radius, at.y - radius, at.x + radius, at.y + radius})
      text += "," + std::to_string(side) + ".0";
    return text + "," + pixel_size_um + "\n";
  }
  void table(const std::vector<std::string>& rows) const {
    std::string text = header;
    for (const std::string& row : rows) text += row;
    write_text(root() / "cells.csv", text);
  }
  void confirm(const std::string& picture) const { write_text(root() / "confirmed" / picture, ""); }

  corpus::Corpus read() const { return corpus::read_all(corpus::find_reader("gallery").open(root())); }
  // The first frame's.
  std::vector<std::string> labels() const {
    std::vector<std::string> labels;
    const corpus::Corpus corpus = read();
    for (const corpus::Annotation& a : corpus.images.at(0).annotations) labels.push_back(a.label);
    return labels;
  }
  // A line for each change and each file left out, or the error.
  std::string told() const {
    std::string lines;
    try {
      const corpus::Corpus corpus = read();
      for (const corpus::Image& image : corpus.images) {
        for (const corpus::Change& change : image.changes) lines += change.rule + ": " + change.detail + "\n";
      }
      for (const corpus::LeftOut& left : corpus.left_out)
        lines += left.source_file + ": " + left.change.rule + ": " + left.change.detail + "\n";
    } catch (const Error& problem) {
      lines += std::string("error: ") + problem.what() + "\n";
    }
    return lines;
  }
  static bool is_ignored(const corpus::Image& image, std::size_t cell) {
    const cv::Point at = center(cell);
    for (const corpus::Box& region : image.ignore_regions) {
      if (at.x > region.x_min && at.x < region.x_max && at.y > region.y_min && at.y < region.y_max)
        return true;
    }
    return false;
  }

  TemporaryFolder folder_;
};

}  // namespace smearscope::testing
