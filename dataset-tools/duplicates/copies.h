#pragma once
#include <opencv2/core/matx.hpp>
#include <vector>
#include "corpus/records.h"
namespace smearscope::corpus {
enum class Likeness { same_bytes, same_picture, same_field };
struct Pair {
  std::size_t first, second;
  Likeness likeness;
  double correlation;
  cv::Matx23d to_second;
};
std::vector<Pair> find_copies(const std::vector<Image>& images, unsigned threads);
}  // namespace smearscope::corpus
