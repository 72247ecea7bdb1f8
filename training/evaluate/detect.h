// A model over a corpus part.
#pragma once

#include <functional>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "evaluate/corpus_part.h"
#include "smearscope/detector.h"

namespace smearscope::training {

// Cells in one image (8-bit RGB). Not thread-safe.
using FindCells = std::function<Detections(const cv::Mat& rgb)>;

// The pixels of an 8-bit RGB image, which stays the owner.
Frame frame_of(const cv::Mat& rgb);

// Cells as `detector` finds them: what streams. Throws Error as it does.
FindCells through_engine(const std::shared_ptr<Detector>& detector, const Thresholds& thresholds);
// The network that is trained, on LibTorch, on `device`: "cpu", "cuda" or "cuda:N" (network/device.h).
// `threads` 0: all cores.
FindCells through_libtorch(const std::shared_ptr<const Model>& model, const Thresholds& thresholds,
                           int threads, const std::string& device);

// Which class of the model is which category of the corpus: those of the same name.
struct ClassMatch {
  std::vector<int> category_of_label;          // -1: the corpus has no such class
  std::vector<std::string> unknown_to_corpus;  // classes of the model
  std::vector<std::string> unknown_to_model;   // classes of the corpus of which the part has boxes
};

// Says which categories are evaluated: those that the model knows. Throws Error if there is no class in
// common of which the part has boxes.
ClassMatch match_classes(const ModelInfo& model, CorpusPart& part);

// Fills part.data with what is found in its images, with a progress bar. Detections of classes that the
// corpus hasn't are left out. Throws Error if an image can't be read or hasn't the size that its annotations
// say.
void find_cells(const FindCells& find, const ClassMatch& classes, CorpusPart& part);

}  // namespace smearscope::training
