#include "import/recognise.h"

#include <algorithm>
#include <array>
#include <set>

#include "model/model_tensors.h"
#include "model/tensor_values.h"
#include "model/text.h"

namespace smearscope::checkpoint {
namespace {

const std::string body_prefix = "backbone.body.";

constexpr const char* supported =
    "only torchvision's Faster R-CNN with a ResNet-18, 34 or 50 and FPN, and these ResNets alone, can be "
    "imported";

[[noreturn]] void refuse(const std::string& what) {
  throw Error("is " + what + ": " + supported);
}

bool starts_with(const std::string& text, const std::string& start) {
  return text.compare(0, start.size(), start) == 0;
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

bool has(const Shapes& shapes, const std::string& name) {
  return shapes.count(name) > 0;
}

bool has_below(const Shapes& shapes, const std::string& prefix) {
  const auto found = shapes.lower_bound(prefix);
  return found != shapes.end() && starts_with(found->first, prefix);
}

// Detectors that have a ResNet with FPN, or names like it, but are others.
void refuse_other_detectors(const Shapes& shapes) {
  if (has_below(shapes, "roi_heads.mask_head.")) refuse("a Mask R-CNN");
  if (has_below(shapes, "roi_heads.keypoint_head.")) refuse("a Keypoint R-CNN");
  if (has(shapes, "head.regression_head.bbox_ctrness.weight")) refuse("an FCOS");
  if (has_below(shapes, "head.classification_head.module_list.")) refuse("an SSD");
  if (has_below(shapes, "head.classification_head.")) refuse("a RetinaNet");
  if (!has_below(shapes, "roi_heads.")) return;
  if (has_below(shapes, "rpn.head.conv.1.") || has_below(shapes, "roi_heads.box_head.0."))
    refuse("a Faster R-CNN of the second version (fasterrcnn_resnet50_fpn_v2)");
  if (has_below(shapes, body_prefix + "0.") || has_below(shapes, "backbone.features."))
    refuse("a Faster R-CNN with a MobileNet");
  if (!has(shapes, body_prefix + "layer1.0.conv1.weight"))
    refuse("a Faster R-CNN with another backbone than ResNet");
  if (!has_below(shapes, "backbone.fpn.")) refuse("a Faster R-CNN without a feature pyramid");
}

// No ResNet at all.
[[noreturn]] void refuse_stranger(const Shapes& shapes) {
  const std::pair<const char*, const char*> known[] = {{"backbone.bottom_up.", "a Detectron2 model"},
                                                       {"transformer.", "a DETR"},
                                                       {"encoder.layers.", "a Vision Transformer"},
                                                       {"blocks.", "a Vision Transformer"},
                                                       {"features.", "another classifier than ResNet"}};
  for (const auto& [prefix, what] : known) {
    if (has_below(shapes, prefix)) refuse(what);
  }
  throw Error("holds " + std::to_string(shapes.size()) + " tensors (" + quoted(shapes.begin()->first) +
              ", ...) of a network that this program doesn't know: " + supported);
}

// Which ResNet has its body below `prefix`; by its blocks, and by the widths that wider ones have.
std::string backbone_of(const Shapes& shapes, const std::string& prefix) {
  std::array<int, 4> blocks{};
  for (std::size_t stage = 0; stage < 4; ++stage) {
    const auto block = [&](int i) {
      return prefix + "layer" + std::to_string(stage + 1) + "." + std::to_string(i) + ".conv1.weight";
    };
    while (has(shapes, block(blocks[stage]))) ++blocks[stage];
  }
  const std::string first = prefix + "layer1.0.";
  const bool bottleneck = has(shapes, first + "conv3.weight");
  if (bottleneck && has(shapes, first + "conv2.weight")) {
    const std::vector<std::int64_t>& middle = shapes.at(first + "conv2.weight");
    if (middle.size() == 4 && middle[0] != middle[1]) refuse("a ResNeXt");
    if (middle.size() == 4 && middle[0] == 128) refuse("a Wide ResNet");
  }
  using Blocks = std::array<int, 4>;
  if (!bottleneck && blocks == Blocks{2, 2, 2, 2}) return "resnet18";
  if (!bottleneck && blocks == Blocks{3, 4, 6, 3}) return "resnet34";
  if (bottleneck && blocks == Blocks{3, 4, 6, 3}) return "resnet50";
  if (bottleneck && blocks == Blocks{3, 4, 23, 3}) refuse("a ResNet-101");
  if (bottleneck && blocks == Blocks{3, 8, 36, 3}) refuse("a ResNet-152");
  refuse("a ResNet of an unusual depth");
}

// The first dimension of a tensor that says how wide a part is.
int width_of(const Shapes& shapes, const std::string& name, std::int64_t most) {
  const auto found = shapes.find(name);
  if (found == shapes.end()) throw Error("tensor " + quoted(name) + " is missing");
  const std::int64_t width = found->second.empty() ? 0 : found->second[0];
  if (width < 1 || width > most) {
    throw Error("tensor " + quoted(name) + ": has shape " + shape_to_string(found->second) +
                "; its first number must be 1 to " + std::to_string(most));
  }
  return static_cast<int>(width);
}

void check_tensors(const Layout& layout, const Shapes& shapes) {
  std::set<std::string> needed;
  for (const TensorSpec& spec : needed_tensors(layout)) {
    const auto found = shapes.find(spec.name);
    if (found == shapes.end()) throw Error("tensor " + quoted(spec.name) + " is missing");
    if (found->second != spec.shape) {
      throw Error("tensor " + quoted(spec.name) + ": has shape " + shape_to_string(found->second) +
                  ", but a " + layout.backbone + (layout.is_detector ? " Faster R-CNN" : "") + " needs " +
                  shape_to_string(spec.shape));
    }
    needed.insert(spec.name);
  }
  for (const auto& [name, shape] : shapes) {
    if (needed.count(name) > 0 || ends_with(name, ".num_batches_tracked")) continue;
    const bool of_body =
        starts_with(name, "conv1.") || starts_with(name, "bn1.") || starts_with(name, "layer");
    if (layout.is_detector || of_body)
      throw Error("tensor " + quoted(name) + ": has no place in a " + layout.backbone +
                  (layout.is_detector ? " Faster R-CNN" : ""));
  }
}

}  // namespace

std::vector<TensorSpec> needed_tensors(const Layout& layout) {
  Architecture architecture;
  architecture.backbone = layout.backbone;
  if (layout.is_detector) {
    architecture.fpn_channels = layout.fpn_channels;
    architecture.head_width = layout.head_width;
    architecture.anchor_ratios.assign(static_cast<std::size_t>(layout.anchors_per_place),
                                      1);  // only their number counts
  }
  std::vector<TensorSpec> specs =
      expected_tensors(architecture, static_cast<std::size_t>(layout.class_count));
  if (layout.is_detector) return specs;
  const auto rest = std::stable_partition(
      specs.begin(), specs.end(), [](const TensorSpec& spec) { return starts_with(spec.name, body_prefix); });
  specs.erase(rest, specs.end());
  for (TensorSpec& spec : specs) spec.name.erase(0, body_prefix.size());
  return specs;
}

Layout recognise(const Shapes& shapes) {
  refuse_other_detectors(shapes);
  Layout layout;
  layout.is_detector = has_below(shapes, "roi_heads.");
  if (!layout.is_detector && !has(shapes, "layer1.0.conv1.weight")) refuse_stranger(shapes);
  layout.backbone = backbone_of(shapes, layout.is_detector ? body_prefix : "");
  if (layout.is_detector) {
    layout.fpn_channels = width_of(shapes, "backbone.fpn.inner_blocks.0.0.weight", 1024);
    layout.head_width = width_of(shapes, "roi_heads.box_head.fc6.weight", 4096);
    layout.anchors_per_place = width_of(shapes, "rpn.head.cls_logits.weight", 16);
    layout.class_count = width_of(shapes, "roi_heads.box_predictor.cls_score.weight", 257) - 1;
    if (layout.class_count == 0)
      throw Error("tells apart no classes: its box predictor has background alone");
    layout.frozen_batch_norm = std::none_of(shapes.begin(), shapes.end(), [](const auto& t) {
      return ends_with(t.first, ".num_batches_tracked");
    });
  }
  check_tensors(layout, shapes);
  return layout;
}

}  // namespace smearscope::checkpoint
