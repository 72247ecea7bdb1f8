// Which cells a gallery gets pictures of, and from which frame.
#pragma once

#include <functional>
#include <map>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "cell_meta.h"
#include "gallery/gallery_writer.h"

namespace smearscope {

// Of each cell that celltally counts there is one picture, from the first frame that shows it whole and, by
// the tally's view, in focus and light; of each name that cells are counted under, so many at most. A picture
// moves with the name while the cell is in view. One thread at a time; throws as GalleryWriter does.
class Gallery {
 public:
  // `most`: pictures of cells counted under one name.
  Gallery(const std::string& folder, unsigned most);

  // Of a live stream, while four frames wait to be written, cells wait for a later frame, and those that
  // leave the picture meanwhile have no picture; any other stream waits itself. At first it is any other.
  void set_live(bool live) { live_ = live; }

  // `picture` gives the frame in 8-bit BGR, and is asked only where it is needed.
  void add(const std::vector<Cell>& cells, const Tally& tally, int width, int height,
           const std::function<cv::Mat()>& picture);
  void finish();  // waits until all is written; more may be added

 private:
  void follow(const Cell& cell);
  bool is_wanted(const Cell& cell, int width, int height) const;

  unsigned most_;
  bool live_ = false;
  GalleryWriter writer_;
  std::map<guint64, std::string> names_;   // of the cells that have pictures
  std::map<std::string, unsigned> taken_;  // pictures taken of cells counted under a name
};

}  // namespace smearscope
