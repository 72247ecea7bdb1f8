// Writes frames and their ground truth as a COCO corpus: images/ and annotations/{train,val}.json.
//
// All is written into a folder beside the one asked for and renamed at the end, so that a corpus is there
// wholly or not at all. Image and annotation ids count from 1. Categories: 1 wbc, 2 rbc, 3 platelet. Each
// annotation has, beside COCO's fields, `visible` (share of the cell's area in the picture), `kind`
// ("neutrophil", ...) and `identity` (hexadecimal, the same for the same cell of the slide); each image has
// `seed`, `stage_x_um`, `stage_y_um`, `focus_um`, `pixel_size_um`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "smear/microscope.h"

namespace smearscope::smear {

struct CorpusSettings {
  std::filesystem::path folder;  // must not exist, or be empty
  std::string part = "train";    // names the annotation file
  bool jpeg = false;             // else PNG
  double visible_min = 0.15;     // cells with a smaller share of their area in the picture are not labelled
};

// One thread at a time. Functions throw std::runtime_error with one line that names the file and the reason.
class CorpusWriter {
 public:
  explicit CorpusWriter(const CorpusSettings& settings);
  ~CorpusWriter();  // removes what was written, unless finished
  CorpusWriter(const CorpusWriter&) = delete;
  CorpusWriter& operator=(const CorpusWriter&) = delete;

  // `rgb`: height rows of width RGB pixels, `stride` bytes apart.
  void add(const std::uint8_t* rgb, int width, int height, std::ptrdiff_t stride,
           const std::vector<SeenCell>& cells, const View& view, double pixel_um, std::uint64_t seed);

  // Completes the corpus under its own name. Without a single frame there is no corpus, and none appears.
  void finish();

  std::size_t frames() const { return images_.size(); }

 private:
  void check_annotations();

  CorpusSettings settings_;
  std::filesystem::path partial_;
  std::filesystem::path annotation_file_;
  std::ofstream annotations_;
  std::vector<std::string> images_;  // JSON of each
  std::uint64_t annotation_count_ = 0;
};

}  // namespace smearscope::smear
