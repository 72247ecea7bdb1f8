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
  bool is_last_view = false;  // shows what the frame before showed, which stands for it
};

// One thread at a time. Every function throws Error, naming the file, if one can't be written.
class GalleryFiles {
 public:
  // Takes `folder` if it is new or empty, else the first of `folder`-2, -3, ... that is: pictures of two
  // streams must not mix. Nobody else gets the same one, at the same time either.
  explicit GalleryFiles(const std::string& folder);
  ~GalleryFiles();  // leaves a folder without pictures empty
  GalleryFiles(const GalleryFiles&) = delete;
  GalleryFiles& operator=(const GalleryFiles&) = delete;

  const std::string& folder() const { return folder_; }

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

// The name of the folder of a class's pictures. Class names come from models and may hold anything: control
// characters, '/', '%', a '.' at the beginning and the first letter of a name that means something else are
// written as % and two hexadecimal digits.
std::string class_folder(const std::string& class_name);

}  // namespace smearscope
