// The steps between convolutions that only move or compare values, on a CUDA device (on a CPU oneDNN has
// them).
//
// Activations are [images][height][width][channels] elements in device memory, channels a multiple of
// padded_channels(1). All run on `stream` and don't wait.
#pragma once

#include "ops/device.h"
#include "ops/transform.h"

namespace smearscope::ops {

struct DeviceMaps {
  void* data = nullptr;
  Size size;
};

// 3x3, stride 2, padding 1, as torch.nn.MaxPool2d; output is (length - 1) / 2 + 1 per axis.
void max_pool_cuda(const DeviceMaps& input, const DeviceMaps& output, int images, int channels,
                   Element element, DeviceStream stream);

// Every second row and column, from the first; output is (length - 1) / 2 + 1 per axis.
void subsample_cuda(const DeviceMaps& input, const DeviceMaps& output, int images, int channels,
                    Element element, DeviceStream stream);

// Nearest neighbour, twice the size.
void upsample_cuda(const DeviceMaps& input, const DeviceMaps& output, int images, int channels,
                   Element element, DeviceStream stream);

// values[position][channel] += bias[channel], summed in float32, then ReLU if wanted. `bias` has `channels`
// elements.
void add_bias_cuda(void* values, const void* bias, bool relu, std::size_t positions, int channels,
                   Element element, DeviceStream stream);

}  // namespace smearscope::ops
