// Detection: frames in, boxes with class and score out.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "smearscope/error.h"
#include "smearscope/frame.h"
#include "smearscope/model.h"

namespace smearscope {

// Pixels of the frame; x_min and y_min inclusive edges, continuous coordinates (a full frame is 0, 0, width,
// height).
struct Box {
  float x_min = 0, y_min = 0, x_max = 0, y_max = 0;
};

struct Detection {
  Box box;
  float score = 0;  // softmax probability, 0..1; with Thresholds::sum_kinds a sum of some
  int label = 0;    // index into ModelInfo::classes
};

// Best score first; ties by lower label, then lower proposal index.
using Detections = std::vector<Detection>;

// `automatic` is the first GPU if it can be used, else the CPU: resolve says which.
struct Device {
  enum class Kind { cpu, cuda, automatic } kind = Kind::cpu;
  int index = 0;

  static Device cpu() { return {Kind::cpu, 0}; }
  static Device cuda(int index = 0) { return {Kind::cuda, index}; }
  static Device automatic() { return {Kind::automatic, 0}; }
  // "cpu", "cuda", "cuda:N" or "auto". Throws Error on anything else.
  static Device parse(const std::string& text);
  std::string to_string() const;
};

// Where a detector on `device` runs: never `automatic`, otherwise unchanged, whether or not that device is
// there.
Device resolve(const Device& device);

// Empty if detectors can run on GPU `index`; else one line saying what is missing: a build with CUDA, its
// library, a driver, a device.
std::string why_no_cuda(int index = 0);

// What networks are computed in. f32 is the reference and runs everywhere. On a CPU also bf16 (with AVX-512
// BF16 or AMX), and int8 (with VNNI) of models that tell activation ranges; on a GPU f16. `automatic` is int8
// on a CPU that can run this model so, else f32.
enum class Precision { f32, f16, bf16, int8, automatic };
// "f32", "f16", "bf16", "int8" or "auto". Throws Error on anything else.
Precision parse_precision(const std::string& text);
const char* name_of(Precision precision);

struct DetectorOptions {
  Device device = Device::cpu();
  Precision precision = Precision::f32;
  int threads = 0;  // CPU threads for one detect call; 0: all cores this process may use
  // Calls of several threads at once are run together, up to so many frames (1: one call after the other; 1
  // to 256).
  int max_batch = 1;
  double batch_wait_ms = 0;  // how long a batch that is not full waits for more; 0: it doesn't
};

// Milliseconds that the last batch spent in each stage, for all its frames together.
struct StageTimes {
  double preprocess = 0, backbone = 0, fpn = 0, rpn = 0, roi_pool = 0, box_head = 0, postprocess = 0;
  double total() const { return preprocess + backbone + fpn + rpn + roi_pool + box_head + postprocess; }
};

class Backend;

// One network on one device. Construction plans and packs the weights; the first detect of an input shape
// allocates, later ones of the same shape don't. detect may be called from any thread; one call runs at a
// time, or several as one batch, in the order in which they came. The same frames, options and thread count
// give the same bits; on a GPU this holds for the same grouping of frames into batches, since a batch may sum
// in another order than a single frame.
class Detector {
 public:
  // Throws Error if the request can't be met: no such device, a precision the device or this build lacks.
  Detector(std::shared_ptr<const Model> model, const DetectorOptions& options);
  ~Detector();
  Detector(const Detector&) = delete;
  Detector& operator=(const Detector&) = delete;

  // One result per frame, in order; frames may differ in size and format. `thresholds` replaces the model's
  // own.
  std::vector<Detections> detect(const std::vector<Frame>& frames,
                                 const std::optional<Thresholds>& thresholds = {});

  const Model& model() const;
  const DetectorOptions& options() const;  // as asked for, but device and precision never `automatic`
  StageTimes last_times() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// For those who show or count: how a cell gets one name.
struct Naming {
  // Two boxes of whatever classes that overlap by an IoU strictly above this are one cell, 0..1; 1: each is
  // its own.
  double agnostic_nms = 0.5;
  // A kind (lymphocyte) is named if its score is strictly above this, 0..1; else its family (wbc) is.
  double kind = 0.5;
};

// Detects in one frame, with Thresholds::sum_kinds where cells get one name, and names them:
// one_name_per_cell. `thresholds`' max_detections holds before that. Threads and errors as Detector::detect;
// Error on a `naming` out of range.
Detections find_cells(Detector& detector, const Frame& frame, Thresholds thresholds, const Naming& naming);

// Class-agnostic non-maximum suppression: a detector suppresses per class, as torchvision does, so it may
// give one cell several names. Of `found` (best first) stays what no better detection that stays, of whatever
// class, overlaps. Where `model` says which class is a kind of which, `found` must be detected with
// Thresholds::sum_kinds: then a cell is found as a white cell and, less surely, as a lymphocyte, and the
// narrower name replaces the general one if it is sure enough, and so on down; a kind alone makes no cell.
// Best first again. Throws Error on a `naming` out of range.
Detections one_name_per_cell(const Detections& found, const Naming& naming, const ModelInfo& model);

}  // namespace smearscope
