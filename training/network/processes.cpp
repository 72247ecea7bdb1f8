#include "network/processes.h"

#include <torch/csrc/autograd/custom_function.h>

namespace smearscope::training {
namespace {

// Each process's values go into the losses of all, so their gradients add up, too.
struct SumOver : torch::autograd::Function<SumOver> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& values,
                            std::int64_t processes) {
    context->saved_data["processes"] = processes;
    at::Tensor sum = values.clone(at::MemoryFormat::Contiguous);
    reinterpret_cast<Processes*>(processes)->sum(sum);
    return sum;
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    at::Tensor sum = gradients[0].clone(at::MemoryFormat::Contiguous);
    reinterpret_cast<Processes*>(context->saved_data["processes"].toInt())->sum(sum);
    return {sum, at::Tensor()};
  }
};

}  // namespace

at::Tensor sum_over(Processes* processes, const at::Tensor& values) {
  return processes ? SumOver::apply(values, reinterpret_cast<std::int64_t>(processes)) : values;
}

}  // namespace smearscope::training
