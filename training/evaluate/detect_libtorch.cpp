#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "evaluate/detect.h"
#include "network/device.h"
#include "network/faster_rcnn.h"

namespace smearscope::training {

FindCells through_libtorch(const std::shared_ptr<const Model>& model, const Thresholds& thresholds,
                           int threads, const std::string& device) {
  const c10::Device place = device_named(device);
  if (threads > 0) at::set_num_threads(threads);
  at::globalContext().setFlushDenormal(true);
  ModelInfo info = model->info();
  info.thresholds = thresholds;
  FasterRcnn network(info);
  load_weights(network, *model);
  move_to(network, place);
  network->eval();
  return [network](const cv::Mat& rgb) mutable {
    const at::NoGradGuard no_gradient;
    const at::Tensor bytes = at::from_blob(rgb.data, {rgb.rows, rgb.cols, 3}, at::kByte);
    const Found found = network->detect({bytes.permute({2, 0, 1})}).front();
    const auto boxes = found.boxes.accessor<float, 2>();
    const auto scores = found.scores.accessor<float, 1>();
    const auto labels = found.labels.accessor<std::int64_t, 1>();
    Detections detections;
    for (std::int64_t i = 0; i < scores.size(0); ++i) {
      detections.push_back(
          {{boxes[i][0], boxes[i][1], boxes[i][2], boxes[i][3]}, scores[i], static_cast<int>(labels[i]) - 1});
    }
    return detections;
  };
}

}  // namespace smearscope::training
