// Is this picture that picture again? Data sets share images: copied byte for byte, compressed again,
// resized, turned, mirrored, brightened, or photographed twice.
#pragma once

#include <filesystem>
#include <opencv2/core/mat.hpp>
#include <optional>
#include <string>
#include <vector>

#include "smearscope/error.h"

namespace smearscope::corpus {

struct Fingerprint {
  std::string sha256;  // of the file
  cv::Mat
      pattern;  // 32x32 f32: where it is locally lighter and darker; zero mean, unit norm (or all 0: a blank)
};

// Throws Error if the file is not an image.
Fingerprint fingerprint_of(const std::filesystem::path& file);
cv::Mat pattern_of(const cv::Mat& rgb);

// Above this correlation, over all eight orientations, a picture counts as a copy. Measured on BCCD and
// TXL-PBC by looking at pairs: all above 0.45 are copies, most from 0.38 to 0.43 are different cells in the
// middle of pictures framed alike. A copy that stays is worse than a picture lost, so the line is below all
// copies that were found.
constexpr double near_duplicate = 0.38;

// Finds the image most like a given one among those it holds, in any of the eight orientations of the square.
class SimilarityIndex {
 public:
  explicit SimilarityIndex(const std::vector<Fingerprint>& images);

  struct Match {
    std::size_t index = 0;   // into `images`
    double correlation = 0;  // -1..1
    bool same_bytes = false;
  };
  // The byte-identical image if there is one, else the most similar. Nothing if the index is empty.
  std::optional<Match> best_match(const Fingerprint& image) const;

 private:
  std::vector<std::string> sums_;
  cv::Mat patterns_;  // [8 * images, 32 * 32] f32
};

}  // namespace smearscope::corpus
