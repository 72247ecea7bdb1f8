// What reader and writer agree on: which tensors a model holds, where, and the checksum.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/safetensors.h"
#include "smearscope/model.h"

namespace smearscope {

// Entries of __metadata__.
inline constexpr const char* document_key = "smearscope";
inline constexpr const char* checksum_key = "smearscope_crc32";

// The dtype of a tensor of weights: F32, F16, BF16 or I8; nothing for any other word.
std::optional<DType> weight_dtype(std::string_view word);

// PyTorch's count of training batches beside a batch norm ("....num_batches_tracked", I64): allowed and
// ignored.
bool is_batch_counter(const TensorPlace& place);

// Throws Error naming the tensor unless `places` are exactly what `info` calls for, batch counters aside:
// every tensor of the architecture, and beside each that is I8 (which needs two dimensions or more) its
// scales (quantisation.h).
void check_places(const ModelInfo& info, const std::vector<TensorPlace>& places);

// Throws Error naming the tensor and the value unless all values are finite and, in a running_var, not
// negative and above 0 with batch_norm_eps added.
void check_values(const TensorView& tensor, double batch_norm_eps);

// CRC-32 of the document and then the data section, 8 lower-case hexadecimal digits.
std::string checksum_of(std::string_view document,
                        const std::vector<std::pair<const void*, std::size_t>>& data);

}  // namespace smearscope
