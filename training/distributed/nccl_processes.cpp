#include "distributed/nccl_processes.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <exception>
#include <string>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#include <vector>

namespace smearscope::training {
namespace {

// NCCL's messages have their reason in a later line; LibTorch's stack is left out.
std::string one_line(const std::exception& problem) {
  const auto* const torch_problem = dynamic_cast<const c10::Error*>(&problem);
  std::string text = torch_problem ? torch_problem->what_without_backtrace() : problem.what();
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

class NcclProcesses : public Processes {
 public:
  NcclProcesses(const c10::intrusive_ptr<c10d::Store>& store, const ProcessLayout& layout, c10::Device device,
                std::chrono::milliseconds timeout)
      : layout_(layout), device_(device) {
    try {
      const auto options = c10d::ProcessGroupNCCL::Options::create();
      options->timeout = timeout;
      group_ = c10::make_intrusive<c10d::ProcessGroupNCCL>(
          c10::make_intrusive<c10d::PrefixStore>("nccl", store), layout.rank, layout.count, options);
    } catch (const std::exception& problem) {
      fail(problem);
    }
    meet();
  }
  ~NcclProcesses() override {
    try {
      if (std::uncaught_exceptions() > 0) {
        group_->abort();  // others may be missing, for whom a shutdown would wait
      } else {
        group_->shutdown();
      }
    } catch (const std::exception&) {  // the run is over all the same
    }
  }
  NcclProcesses(const NcclProcesses&) = delete;
  NcclProcesses& operator=(const NcclProcesses&) = delete;

  int rank() const override { return layout_.rank; }
  int count() const override { return layout_.count; }
  void sum(at::Tensor& values) override { reduce(values, c10d::ReduceOp::SUM); }
  void take_largest(at::Tensor& values) override { reduce(values, c10d::ReduceOp::MAX); }

 private:
  // NCCL connects at the first message; what is wrong is to be said before the first step.
  void meet() {
    at::Tensor processes = at::ones({1}, at::TensorOptions(device_).dtype(at::kFloat));
    sum(processes);
    if (processes.item<float>() != static_cast<float>(layout_.count))
      throw Error("NCCL adds up wrongly on " + device_.str());
  }

  void reduce(at::Tensor& values, c10d::ReduceOp operation) {
    std::vector<at::Tensor> tensors{values};
    c10d::AllreduceOptions options;
    options.reduceOp = operation;
    try {
      group_->allreduce(tensors, options)->wait();  // the stream waits, not the host
    } catch (const std::exception& problem) {
      fail(problem);
    }
  }

  [[noreturn]] void fail(const std::exception& problem) const {
    throw Error("process " + std::to_string(layout_.rank) + " of " + std::to_string(layout_.count) + ", " +
                device_.str() + ": NCCL does not reach the other processes' devices: " + one_line(problem));
  }

  const ProcessLayout layout_;
  const c10::Device device_;
  c10::intrusive_ptr<c10d::ProcessGroupNCCL> group_;
};

}  // namespace

bool has_nccl() {
  return true;
}

std::unique_ptr<Processes> join_on_devices(const c10::intrusive_ptr<c10d::Store>& store,
                                           const ProcessLayout& layout, c10::Device device,
                                           std::chrono::milliseconds timeout) {
  return std::make_unique<NcclProcesses>(store, layout, device, timeout);
}

}  // namespace smearscope::training
