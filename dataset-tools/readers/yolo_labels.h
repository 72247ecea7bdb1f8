// YOLO's label text (docs.ultralytics.com/datasets/detect): a line per cell, "class x_centre y_centre width
// height", lengths as shares of the image; or, where cells have outlines, "class x y x y x y ...".
#pragma once

#include <string>
#include <vector>

#include "corpus/records.h"
#include "smearscope/error.h"

namespace smearscope::corpus {

constexpr std::size_t largest_yolo_file = 8 << 20;  // bytes; 10,000 cells take 500 kB

// Adds the boxes, or those around outlines, as add_annotation does, with the class's number as category and
// its name of `names` as label ("": there is no such class). Notes lines that can't be understood: file and
// line (`where` is the file's name) and why. width and height of `image` are set by then.
void add_yolo_labels(const std::string& text, const std::string& where, const std::vector<std::string>& names,
                     Image& image);

// Names of classes, one a line, as in classes.txt and obj.names; the place of a name is its number. Throws
// Error, beginning with `where` and the line, if a name is no text.
std::vector<std::string> parse_class_list(const std::string& text, const std::string& where);

// Throws Error, saying why, if it can't be the name of a class.
void check_class_name(const std::string& name);

}  // namespace smearscope::corpus
