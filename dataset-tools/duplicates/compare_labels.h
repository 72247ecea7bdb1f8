// Two images show the same picture: do their labels say the same?
#pragma once

#include <cstddef>
#include <opencv2/core/matx.hpp>
#include <string>
#include <vector>

#include "corpus/records.h"

namespace smearscope::corpus {

struct LabelComparison {
  std::size_t agree = 0;      // boxes that match, of one class, or of a class and a kind of it
  std::size_t differ = 0;     // boxes that match, of classes that exclude each other
  std::size_t only_kept = 0;  // boxes of the one image inside the other, without a match there
  std::size_t only_copy = 0;
  // Matching boxes that the copy tells apart further: index into the kept image's annotations, and the class.
  struct Finer {
    std::size_t annotation;
    int category;
    std::string label;
  };
  std::vector<Finer> finer;
};

// `to_kept` takes pixels of the copy to pixels of the kept image. Boxes match from an IoU of 0.5 on, best
// first, each once.
LabelComparison compare_labels(const Image& kept, const Image& copy, const cv::Matx23d& to_kept,
                               const std::vector<Class>& classes);

// The transform that undoes `m`, which must not be singular.
cv::Matx23d inverse(const cv::Matx23d& m);

// "12 labels agree, 1 differs, 3 only there".
std::string describe(const LabelComparison& comparison);

}  // namespace smearscope::corpus
