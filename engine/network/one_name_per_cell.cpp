#include <vector>

#include "ops/nms.h"
#include "smearscope/detector.h"

namespace smearscope {

Detections one_name_per_cell(const Detections& found, double threshold) {
  std::vector<Box> boxes;
  boxes.reserve(found.size());
  for (const Detection& detection : found) boxes.push_back(detection.box);
  std::vector<std::uint32_t> kept;
  ops::NmsScratch scratch;
  ops::nms_cpu(boxes.data(), static_cast<int>(boxes.size()), threshold, boxes.size(), kept, scratch);
  Detections named;
  named.reserve(kept.size());
  for (const std::uint32_t index : kept) named.push_back(found[index]);
  return named;
}

}  // namespace smearscope
