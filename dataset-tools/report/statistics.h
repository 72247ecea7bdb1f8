// Counts over a corpus, for the reports.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "corpus/stored_corpus.h"

namespace smearscope::corpus {

// Of one data set, or of all together.
struct SourceStatistics {
  std::string name;
  std::size_t images = 0, images_without_boxes = 0, boxes = 0;
  std::size_t classes = 0;                      // that have boxes
  std::size_t ignore_regions = 0;               // over all images
  std::array<std::size_t, 3> by_origin{};       // boxes, indexed by BoxOrigin
  std::map<std::string, std::size_t> sizes;     // "640x480" -> images
  std::vector<float> pixel_sizes;               // µm per pixel of the images where it is known, ascending
  std::map<std::string, std::size_t> changes;   // rule -> how often
  std::map<std::string, std::size_t> left_out;  // rule -> files

  // How far one class is labelled. What is neither exhaustive nor partial is unknown.
  struct ClassStatistics {
    std::size_t boxes = 0, images = 0;          // images: with at least one box
    std::size_t exhaustive = 0;                 // images that have boxes, and no cell without one
    std::size_t absent = 0;                     // images that have no such cell
    std::size_t partial = 0;                    // images where some cells may have no box
    std::vector<float> box_sides;               // pixels, square root of the box's area, ascending
    std::map<std::string, std::size_t> labels;  // the source's own names -> boxes
  };
  std::vector<ClassStatistics> per_class;  // as Corpus::classes
};

struct PartStatistics {
  std::string name;  // "train", ...; "" where the corpus is not split
  std::size_t images = 0, boxes = 0;
  std::vector<std::size_t> class_boxes;
};

struct Statistics {
  std::vector<Class> classes;
  std::vector<SourceStatistics> sources;  // by name
  SourceStatistics total;
  std::vector<PartStatistics> parts;  // train, val, test, then others by name
};

Statistics statistics_of(const StoredCorpus& corpus);

// The q-quantile (0..1) of ascending values, linear between neighbours; 0 if there are none.
double quantile(const std::vector<float>& ascending, double q);

// In parts of 100, one decimal: "12.3 %"; "-" if of nothing.
std::string percent(std::size_t part, std::size_t whole);
// With thousands apart: "19,470".
std::string grouped(std::size_t number);

}  // namespace smearscope::corpus
