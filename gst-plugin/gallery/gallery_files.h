// The files of a gallery; docs/results-format.md has the format.
#pragma once

#include <cstdint>
#include <map>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "smearscope/detector.h"

namespace smearscope {

// One picture of a cell.
struct GalleryCell {
  std::uint64_t number = 0;  // celltally's identity
  std::string class_name;    // that it is counted under; empty: it is not counted
  double confidence = 0;
  Box box;  // pixels of the frame
};

// A frame and the cells that are to be cut from it.
struct GalleryFrame {
  cv::Mat picture;  // 8-bit BGR, nobody else's
  double pixel_size_um = 0;
  std::vector<GalleryCell> cells;
};

// One thread at a time. Every function throws Error, naming the file, if one can't be written.
class GalleryFiles {
 public:
  // Makes the folder, and nothing in it yet. One that holds something is refused: pictures of two streams would
  // mix.
  explicit GalleryFiles(std::string folder);

  void add(const GalleryFrame& frame);

  // The cell is counted under another name. Pictures that someone has taken away meanwhile stay where they
  // are.
  void rename(std::uint64_t number, const std::string& class_name);

  // cells.csv, as it is now. Until then it is as of the last call.
  void write_table();

 private:
  struct Row {
    GalleryCell cell;
    unsigned frame;
    double pixel_size_um;
  };

  void make_class(const std::string& class_name);
  std::string picture_path(const GalleryCell& cell) const;

  std::string folder_;
  unsigned frames_ = 0;
  std::map<std::uint64_t, Row> rows_;
};

// The folder of a class's pictures: names come from models and may hold anything.
std::string class_folder(const std::string& class_name);

}  // namespace smearscope
