// Photographs of a report: what is labelled beside what was found.
#pragma once

#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "report/failures.h"

namespace smearscope::training {

// Pictures (BGR) of the same place, side by side.
struct PictureRow {
  std::string caption;            // text: the source's file
  std::vector<cv::Mat> pictures;  // labelled, then found by each run (or by the one run whose failure it is)
};

// Fig. 2: of each source in the part up to `count` images that between them show as many classes as possible.
struct SourcePictures {
  std::string source;
  std::vector<PictureRow> rows;
};
std::vector<SourcePictures> prediction_pictures(const ReportData& data, std::size_t count);

// Fig. 3: a square around the failure, with the cells around it. What it is about has its name on it.
PictureRow failure_picture(const ReportData& data, std::size_t run, const Failure& failure);

// All rows under each other with their captions, `columns` rows side by side; for a PNG file. BGR.
cv::Mat sheet_of(const std::vector<PictureRow>& rows, std::size_t columns);

}  // namespace smearscope::training
