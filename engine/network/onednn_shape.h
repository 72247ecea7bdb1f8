// The convolutional part of a plan (backbone, FPN, RPN heads) as oneDNN primitives for one image of one size.
#pragma once

#include <array>
#include <dnnl.hpp>
#include <unordered_map>
#include <vector>

#include "network/onednn_weights.h"
#include "network/plan.h"
#include "ops/preprocess.h"

namespace smearscope::network {

// oneDNN's favourite layout of activations on this processor: nChw8c, nChw16c or nhwc.
dnnl::memory::format_tag preferred_layout(const dnnl::engine& engine);

class CompiledShape {
 public:
  // `size` is that of the padded input; `layout` is that of all activations but the input and what the
  // functions below return. Memory is not yet bound.
  CompiledShape(const Plan& plan, ops::Size size, dnnl::memory::format_tag layout, PackedWeights& weights,
                dnnl::stream& stream);

  // Bytes of memory that bind needs, and the binding itself: activations and scratchpad live there. 64-byte
  // aligned.
  std::size_t bytes() const { return bytes_; }
  void bind(void* memory);

  void run(Stage stage, dnnl::stream& stream) const;

  ops::Size size() const { return size_; }
  ops::InputView input() const;              // where preprocess writes; before Stage::backbone
  ops::FeatureMap feature(int level) const;  // P2..P5, channels last; after Stage::fpn
  ops::RpnLevel rpn_level(int level) const;  // after Stage::rpn

 private:
  struct Command {
    Stage stage;
    dnnl::primitive primitive;
    std::unordered_map<int, dnnl::memory> arguments;
  };
  struct Placement {
    dnnl::memory memory;
    std::size_t offset;
  };

  void add_convolution(const Step& step, const Convolution& convolution, PackedWeights& weights,
                       dnnl::stream& stream);
  void add_pooling(const Step& step, int kernel);
  void add_upsampling(const Step& step);
  dnnl::memory add_channels_last_copy(int value, Stage stage);
  void add_command(Stage stage, const dnnl::primitive& primitive, const dnnl::memory::desc& scratchpad,
                   std::unordered_map<int, dnnl::memory> arguments);
  void place(const Plan& plan);

  ops::Size size_;
  dnnl::engine engine_;
  std::vector<dnnl::memory> values_;
  std::vector<ops::Size> sizes_;
  std::vector<Command> commands_;
  int input_ = 0;
  bool channels_last_input_;
  std::array<dnnl::memory, ops::roi_levels> features_;
  std::array<dnnl::memory, ops::pyramid_levels> rpn_;
  std::array<ops::AnchorGrid, ops::pyramid_levels> anchors_;
  std::vector<Placement> placements_;
  std::vector<dnnl::memory> scratchpads_;
  std::size_t bytes_ = 0;
};

}  // namespace smearscope::network
