// Which cells a gallery gets pictures of, and from which frame.
#pragma once

#include <functional>
#include <map>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "cell_meta.h"
#include "gallery/gallery_writer.h"
#include "tally/cell_map.h"

namespace smearscope {

// Of each cell that celltally counts there is one picture, from the first frame that shows it whole, in focus
// and light. It moves with the name that the cell is counted under. A frame that shows what the last one
// showed that was kept is not kept: for training they are one picture. One thread at a time; throws as
// GalleryWriter does.
class Gallery {
 public:
  // `most`: a cell counted under a name of which there are as many pictures gets none; so there are more only
  // where cells got that name later.
  Gallery(const std::string& folder, unsigned most);

  // Of a live stream, while four frames wait to be written, cells wait for a later frame, and those that
  // leave the picture meanwhile have no picture; any other stream waits itself. At first it is any other.
  void set_live(bool live) { live_ = live; }

  // `picture` gives the frame in 8-bit BGR, and is asked only where it is needed.
  void add(const std::vector<Cell>& cells, const Tally& tally, int width, int height,
           const std::function<cv::Mat()>& picture);
  void finish();  // waits until all is written; more may be added
  const std::string& folder() const { return writer_.folder(); }

 private:
  void follow(const std::vector<Tally::Rename>& renames);
  void move_pictures(bool wait);
  bool shows_last_frame(const std::vector<Cell>& cells, int width, int height) const;
  void remember(const std::vector<Cell>& cells, int width, int height);
  bool is_wanted(const Cell& cell, int width, int height) const;

  struct Shown {
    int width = 0, height = 0;
    std::map<guint64, Place> places;  // of its cells, pixels
  };

  unsigned most_;
  bool live_ = false;
  GalleryWriter writer_;
  std::map<guint64, std::string> names_;  // of the cells that have pictures: the last that they counted under
  std::map<std::string, unsigned> pictures_;  // under such a name
  std::map<guint64, std::string> moves_;      // that wait to be written
  Shown last_;                                // frame that was kept
};

}  // namespace smearscope
