// What is measured: the boxes that people drew, the boxes that a model found, and what is known about labels
// that are missing. Plain data; nothing here knows files or models.
#pragma once

#include <array>
#include <string>
#include <vector>

namespace smearscope::metrics {

// Pixels, continuous: corner and size, as COCO has them, because exact ties (an IoU of just 0.5) must fall as
// they do in pycocotools.
struct Box {
  double x = 0, y = 0, width = 0, height = 0;

  double area() const { return width * height; }
};

double intersection(const Box& a, const Box& b);
// Intersection over union; over the area of `found` where the truth is a crowd (pycocotools, bbIou).
double overlap(const Box& found, const Box& truth, bool crowd);

struct TruthBox {
  Box box;
  int category = 0;  // index into Data::categories
  double area = 0;   // of the cell, which COCO lets differ from that of the box; decides small, medium, large
  bool crowd = false;  // several cells in one box: matches any number of detections, which count for nothing
};

struct FoundBox {
  Box box;
  int category = 0;
  double score = 0;  // 0..1
};

struct Image {
  std::vector<TruthBox> truth;
  std::vector<FoundBox> found;
  // Labels that are missing, as LVIS tells it (Gupta et al., 2019). Used only in Labels::as_told.
  std::vector<int> open;            // categories of which cells may have no box; ascending
  std::vector<Box> ignore_regions;  // cells in here may have no box, whatever their category
};

struct Category {
  std::string name;
  int parent = -1;        // index of the category that this one is a kind of; -1: none
  bool evaluated = true;  // false: no figures, and not in any mean (the model doesn't know it)
};

// Ties between equal scores go to the earlier image, then to the earlier box. So that they fall as in
// pycocotools, images and categories are in the order of their ids, boxes in the order of their files.
struct Data {
  std::vector<Category> categories;
  std::vector<Image> images;
};

// Is `category` a kind of `ancestor`, and not that class itself?
bool is_kind_of(const std::vector<Category>& categories, int category, int ancestor);

constexpr int iou_count = 10;
constexpr int iou_50 = 0, iou_75 = 5;                   // places in iou_thresholds()
const std::array<double, iou_count>& iou_thresholds();  // 0.5, 0.55, ... 0.95, to the last bit as NumPy's

enum AreaRange { all_areas, small_area, medium_area, large_area };
constexpr int area_count = 4;
// Smallest and largest area of each range, both included, in square pixels: all, to 32^2, to 96^2, above.
bool is_in(AreaRange range, double area);

// The two ways to take the labels. as_complete is COCO: what has no box is no cell. as_told takes
// Image::open, Image::ignore_regions and Category::parent into account ("federated").
enum class Labels { as_complete, as_told };

constexpr double no_figure = -1;  // where there is nothing to measure, as pycocotools has it

}  // namespace smearscope::metrics
