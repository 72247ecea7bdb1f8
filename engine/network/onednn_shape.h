// The convolutional part of a plan (backbone, FPN, RPN heads) as oneDNN primitives for one image of one size.
#pragma once

#include <array>
#include <dnnl.hpp>
#include <functional>
#include <unordered_map>
#include <vector>

#include "network/onednn_numbers.h"
#include "network/onednn_weights.h"
#include "network/plan.h"
#include "ops/preprocess.h"

namespace smearscope::network {

// oneDNN's favourite layout of activations on this processor: nChw8c, nChw16c or nhwc.
dnnl::memory::format_tag preferred_layout(Precision precision, const dnnl::engine& engine);

class CompiledShape {
 public:
  // `size` is that of the padded input; `precision` and `layout` are those of all activations but the input
  // and what the functions below return. Memory is not yet bound.
  CompiledShape(const Plan& plan, ops::Size size, Precision precision, dnnl::memory::format_tag layout,
                PackedWeights& weights, dnnl::stream& stream);

  // Bytes of memory that bind needs, and the binding itself: activations and scratchpad live there. 64-byte
  // aligned.
  std::size_t bytes() const { return bytes_; }
  void bind(void* memory);

  // `observe` is called with the index and the result of each convolution that has run, but for RPN's
  // outputs.
  using Observer = std::function<void(int convolution, const dnnl::memory& result)>;
  void run(Stage stage, dnnl::stream& stream, const Observer& observe = nullptr) const;

  ops::Size size() const { return size_; }
  ops::InputView input() const;              // where preprocess writes; before Stage::backbone
  ops::FeatureMap feature(int level) const;  // P2..P5, channels last; after Stage::fpn
  ops::RpnLevel rpn_level(int level) const;  // after Stage::rpn

 private:
  struct Command {
    Stage stage;
    dnnl::primitive primitive;
    std::unordered_map<int, dnnl::memory> arguments;
    int convolution = -1;  // whose result can be observed
  };
  // Memory that shares its place with others that are needed in other steps.
  struct View {
    dnnl::memory memory;
    int buffer;  // a value's number, or from the number of values on that of a further buffer
  };

  dnnl::memory add_view(const dnnl::memory::desc& desc, int buffer);
  void open_value(int value, const NumberType& type);
  void open_input(const Plan& plan);
  void open_alike(const Step& step);
  void add_convolution(const Step& step, const Plan& plan, PackedWeights& weights, dnnl::stream& stream);
  void add_pooling(const Step& step, int kernel);
  void add_upsampling(const Step& step);
  dnnl::memory add_channels_last_copy(int value, Stage stage);
  void add_reorder(Stage stage, const dnnl::memory& from, float scale, const dnnl::memory& to);
  void add_command(Stage stage, const dnnl::primitive& primitive, const dnnl::memory::desc& scratchpad,
                   std::unordered_map<int, dnnl::memory> arguments);
  void place(const Plan& plan);

  ops::Size size_;
  Precision precision_;
  dnnl::memory::format_tag layout_;
  dnnl::engine engine_;
  std::vector<ops::Size> sizes_;
  std::vector<int> channels_;
  std::vector<dnnl::memory> values_;  // as the steps so far have left them
  std::vector<float> scales_;         // of their numbers, see NumberType
  std::vector<Command> commands_;
  dnnl::memory input_;
  std::array<dnnl::memory, ops::roi_levels> features_;
  std::array<dnnl::memory, ops::pyramid_levels> rpn_;
  std::array<ops::AnchorGrid, ops::pyramid_levels> anchors_;
  int buffers_;  // values and further buffers
  std::vector<View> views_;
  std::vector<dnnl::memory> scratchpads_;
  std::vector<std::size_t> offsets_;  // of values and further buffers, then of the scratchpad
  std::size_t bytes_ = 0;
};

}  // namespace smearscope::network
