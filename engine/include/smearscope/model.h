// The model file: a safetensors file whose `__metadata__` holds one JSON document. Byte by byte:
// docs/model-format.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "smearscope/error.h"

namespace smearscope {

enum class DType { f32, f16, bf16, i8 };

std::size_t size_of(DType dtype);  // bytes
const char* name_of(DType dtype);  // as in safetensors: "F32", "F16", "BF16", "I8"

// A borrowed tensor, dense and row-major (last index fastest), little-endian.
struct TensorView {
  std::string name;
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;
  const void* data = nullptr;
  std::size_t bytes = 0;
};

// Faster R-CNN with a ResNet-FPN backbone; torchvision's names and defaults
// (torchvision/models/detection/faster_rcnn.py).
struct Architecture {
  std::string backbone = "resnet50";  // resnet18 | resnet34 | resnet50
  int fpn_channels = 256;
  int head_width = 1024;  // outputs of fc6 and of fc7
  double batch_norm_eps = 1e-5;
  // One list of sizes (pixels of the resized image) per pyramid level: P2, P3, P4, P5 and the max-pooled P6.
  std::array<std::vector<float>, 5> anchor_sizes{{{32}, {64}, {128}, {256}, {512}}};
  std::vector<float> anchor_ratios{0.5F, 1.0F, 2.0F};  // height / width
  int rpn_pre_nms_top_n = 1000;                        // per level
  int rpn_post_nms_top_n = 1000;                       // per image
  double rpn_nms_threshold = 0.7;
};

// A regimen's image preprocessing, on RGB in 0..1 before normalisation, each step clamped back to 0..1:
//   x = (x - 0.5) * contrast + 0.5 + brightness
//   x = x + unsharp_amount * (x - gaussian(x, unsharp_sigma))     sigma in pixels of the frame as it came
struct ImageAdjustment {
  double contrast = 1.0;
  double brightness = 0.0;
  double unsharp_amount = 0.0;  // 0: off
  double unsharp_sigma = 1.0;
};

// GeneralizedRCNNTransform (torchvision/models/detection/transform.py): adjust, normalise, bilinear resize
// (align_corners = false, no antialias) to min_side unless that makes the longer side exceed max_side,
// zero-pad right and bottom to multiples of 32.
struct Transform {
  int min_side = 800;
  int max_side = 1333;
  std::array<double, 3> mean{0.485, 0.456, 0.406};  // R, G, B
  std::array<double, 3> std{0.229, 0.224, 0.225};
  ImageAdjustment adjustment{};
};

struct Thresholds {
  double score = 0.05;       // a detection's score is strictly above this
  double nms = 0.5;          // IoU strictly above this suppresses, per class
  int max_detections = 100;  // per image, best first
  // A class's score is the sum of its own probability and those of its kinds (ModelInfo::parents): how likely
  // it is that the cell is one, of whatever kind. The box is the likeliest of these classes'. Not part of a
  // file.
  bool sum_kinds = false;
};

// Everything the JSON document says.
struct ModelInfo {
  std::string name;  // for people, e.g. "smearscope-cells"
  Architecture architecture;
  std::vector<std::string> classes;  // without background; label i of a detection is classes[i]
  // parents[i]: the class that class i is a kind of, as lymphocytes are white cells; -1: none. Empty: all -1.
  std::vector<int> parents;
  // Of `classes`, those whose cells it often misses or misnames: whoever shows results says so.
  std::vector<std::string> weak_classes;
  Transform transform;
  std::optional<double>
      pixel_size_um;  // micrometres of slide per pixel of the *resized* image it was trained at
  // Least and largest side of a red cell (7.5 micrometres), in pixels of the resized image, that the model
  // knows: others it misses or misnames.
  std::optional<std::array<double, 2>> red_cell_sides;
  Thresholds thresholds;
  // By layer, as its weights are named without ".weight": the largest magnitude of its activations that int8
  // shows, after residual and ReLU. Of RoIAlign as "roi_heads.box_roi_pool". Empty: precision int8 can't be
  // used.
  std::map<std::string, double> activation_ranges;
  std::string regimen;                    // name and settings used, free text or a TOML document
  std::string corpus_digest;              // sha256 of the corpus, hex
  std::map<std::string, double> metrics;  // e.g. "txl-pbc/val/AP50"
  std::string licence;                    // licence note for weights and data
  std::string created_by;                 // program and version
};

// ModelInfo::red_cell_sides as shares of the height of a frame of this size; nothing if the model doesn't
// tell.
std::optional<std::array<double, 2>> known_red_cells(const ModelInfo& info, int width, int height);

// Whether the class of `label` is one of ModelInfo::weak_classes.
bool is_weak(const ModelInfo& info, int label);

// Whether `label` is a kind of `of`, of one of its kinds, and so on. A class is no kind of itself.
bool is_kind_of(const ModelInfo& info, int label, int of);

// By label: whether a class or one that it is a kind of is in `names`. Throws Error with the known classes on
// an unknown name.
std::vector<bool> with_kinds(const ModelInfo& info, const std::vector<std::string>& names);

// An immutable model, read from its file and shared between detectors and threads.
class Model {
 public:
  // Reads and checks the whole file: header, metadata, checksum, every tensor's place, and that the tensors
  // are exactly those the architecture needs with the right shapes and finite values. The file may change or
  // go afterwards. Throws Error naming the file and the tensor.
  static std::shared_ptr<const Model> load(const std::string& path);

  virtual ~Model() = default;
  virtual const ModelInfo& info() const = 0;
  // f32, f16 or bf16, in file order; valid as long as the model. What the file stores as int8 is f32 here.
  virtual const std::vector<TensorView>& tensors() const = 0;
  // As in the file, int8 tensors and their scales too.
  virtual const std::vector<TensorView>& stored_tensors() const = 0;
  virtual const TensorView* find(std::string_view name) const = 0;  // nullptr if there is none
  virtual const std::string& path() const = 0;
  virtual const std::string& digest()
      const = 0;  // sha256 of the file, 64 hex digits; summed when first asked for
};

// One entry per tensor that a file of this architecture and class count must hold: torchvision's state-dict
// names, without num_batches_tracked.
struct TensorSpec {
  std::string name;
  std::vector<std::int64_t> shape;
};
std::vector<TensorSpec> expected_tensors(const Architecture& architecture, std::size_t class_count);

// Writes a model file: beside `path` first, then synced and renamed over it. Throws Error and leaves nothing
// behind if it can't, or if `tensors` are not what `info` calls for. Tensors may be f32, f16, bf16, or i8
// with their scales ("NAME.scale", f32, one per output channel) beside them, in any order and mixture.
void write_model(const std::string& path, const ModelInfo& info, const std::vector<TensorView>& tensors);

// Writes `model`'s weights under `info`, those of convolutions and linear layers stored as `dtype` (f32, f16
// or bf16, rounded to nearest even; or i8, in steps of a 127th of the output channel's largest). Biases and
// batch norm are stored as f32 always. Throws Error naming the tensor if a value is too large for `dtype`.
// `path` may be the model's own.
void write_model_as(const std::string& path, const ModelInfo& info, const Model& model, DType dtype);

// The same with what `source` says of itself. `destination` may be `source`.
void convert_model(const std::string& source, const std::string& destination, DType dtype);

// Values of a tensor as f32, whatever it is stored as.
std::vector<float> to_f32(const TensorView& tensor);

// Where the shipped models are: $SMEARSCOPE_MODEL_DIR, else the installed data folder. `name` with or without
// ".safetensors"; a path with a slash is returned as it is. Throws Error if no such file exists.
std::string find_model(const std::string& name);

// The model used when the user names none.
inline constexpr const char* default_model = "smearscope-cells";

}  // namespace smearscope
