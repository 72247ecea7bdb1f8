#include "distributed/process_group.h"

#include <ATen/ATen.h>

#include <chrono>
#include <string>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <vector>

#include "distributed/nccl_processes.h"
#include "network/failure.h"

namespace smearscope::training {
namespace {

class NetworkProcesses : public Processes {
 public:
  NetworkProcesses(const ProcessLayout& layout, c10::Device device, std::chrono::milliseconds timeout)
      : layout_(layout) {
    c10::intrusive_ptr<c10d::TCPStore> store;
    try {
      c10d::TCPStoreOptions options;
      options.port = static_cast<std::uint16_t>(layout.port);
      options.isServer = layout.rank == 0;
      options.numWorkers = static_cast<std::size_t>(layout.count);
      options.timeout = timeout;
      store = c10::make_intrusive<c10d::TCPStore>(layout.address, options);
      const auto gloo = c10d::ProcessGroupGloo::Options::create(timeout);
      gloo->devices.push_back(c10d::ProcessGroupGloo::createDefaultDevice());
      group_ = c10::make_intrusive<c10d::ProcessGroupGloo>(store, layout.rank, layout.count, gloo);
    } catch (const std::exception& problem) {
      throw Error("the " + std::to_string(layout.count) + " processes did not find each other at " +
                  layout.address + ", port " + std::to_string(layout.port) + ": " + first_line(problem));
    }
    if (device.is_cuda()) on_device_ = join_on_devices(store, layout, device, timeout);
  }

  int rank() const override { return layout_.rank; }
  int count() const override { return layout_.count; }
  void sum(at::Tensor& values) override {
    if (values.is_cuda()) return device_processes().sum(values);
    reduce(values, c10d::ReduceOp::SUM);
  }
  void take_largest(at::Tensor& values) override {
    if (values.is_cuda()) return device_processes().take_largest(values);
    reduce(values, c10d::ReduceOp::MAX);
  }

 private:
  Processes& device_processes() {
    if (!on_device_) throw Error("a tensor on a CUDA device among processes that have joined without one");
    return *on_device_;
  }

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
  std::unique_ptr<Processes> on_device_;  // null: on CPUs
};

}  // namespace

std::unique_ptr<Processes> join_processes(const ProcessLayout& layout, c10::Device device, double seconds) {
  return std::make_unique<NetworkProcesses>(
      layout, device, std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000)));
}

}  // namespace smearscope::training
