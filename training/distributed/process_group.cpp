#include "distributed/process_group.h"

#include <ATen/ATen.h>

#include <chrono>
#include <string>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <vector>

namespace smearscope::training {
namespace {

// The first line of LibTorch's message; what follows is a stack.
std::string first_line(const std::exception& problem) {
  const std::string text = problem.what();
  return text.substr(0, text.find('\n'));
}

class GlooProcesses : public Processes {
 public:
  GlooProcesses(const ProcessLayout& layout, std::chrono::milliseconds timeout) : layout_(layout) {
    try {
      c10d::TCPStoreOptions options;
      options.port = static_cast<std::uint16_t>(layout.port);
      options.isServer = layout.rank == 0;
      options.numWorkers = static_cast<std::size_t>(layout.count);
      options.timeout = timeout;
      const auto store = c10::make_intrusive<c10d::TCPStore>(layout.address, options);
      const auto gloo = c10d::ProcessGroupGloo::Options::create(timeout);
      gloo->devices.push_back(c10d::ProcessGroupGloo::createDefaultDevice());
      group_ = c10::make_intrusive<c10d::ProcessGroupGloo>(store, layout.rank, layout.count, gloo);
    } catch (const std::exception& problem) {
      throw Error("the " + std::to_string(layout.count) + " processes did not find each other at " +
                  layout.address + ", port " + std::to_string(layout.port) + ": " + first_line(problem));
    }
  }

  int rank() const override { return layout_.rank; }
  int count() const override { return layout_.count; }
  void sum(at::Tensor& values) override { reduce(values, c10d::ReduceOp::SUM); }
  void take_largest(at::Tensor& values) override { reduce(values, c10d::ReduceOp::MAX); }

 private:
  void reduce(at::Tensor& values, c10d::ReduceOp operation) {
    std::vector<at::Tensor> tensors{values};
    c10d::AllreduceOptions options;
    options.reduceOp = operation;
    try {
      group_->allreduce(tensors, options)->wait();
    } catch (const std::exception& problem) {
      throw Error("process " + std::to_string(layout_.rank) + " of " + std::to_string(layout_.count) +
                  ": another process has ended or can't be reached: " + first_line(problem));
    }
  }

  const ProcessLayout layout_;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> group_;
};

}  // namespace

std::unique_ptr<Processes> join_processes(const ProcessLayout& layout, double seconds) {
  return std::make_unique<GlooProcesses>(
      layout, std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000)));
}

}  // namespace smearscope::training
