#include "network/cuda_operations.h"
#include "smearscope/error.h"

namespace smearscope::training {
namespace {

[[noreturn]] void fail() {
  throw Error("built without CUDA: tensors must be on the CPU");
}

}  // namespace

bool has_cuda_operations() {
  return false;
}

at::Tensor cuda_roi_align(const std::array<at::Tensor, 4>&, const at::Tensor&) {
  fail();
}

std::array<at::Tensor, 4> cuda_roi_align_gradient(const at::Tensor&, const at::Tensor&,
                                                  const std::vector<std::int64_t>&) {
  fail();
}

std::vector<std::vector<Box>> cuda_propose(const AnchorSet&, const at::Tensor&, const at::Tensor&,
                                           const std::vector<Size>&, const ProposalLimits&) {
  fail();
}

}  // namespace smearscope::training
