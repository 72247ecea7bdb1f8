#include "distributed/agreement.h"

#include <ATen/ATen.h>

#include <functional>

#include "smearscope/error.h"

namespace smearscope::training {

void check_the_same(Processes& processes, const std::string& what) {
  const auto hash = static_cast<std::int64_t>(std::hash<std::string>()(what) >> 1U);
  at::Tensor range = at::tensor({hash, -hash}, at::kLong);
  processes.take_largest(range);
  if (range[0].item<std::int64_t>() != -range[1].item<std::int64_t>())
    throw Error(
        "the processes have different regimens, corpora, seeds or checkpoints; start all with the same");
}

void add_up(Processes* processes, LossValues& losses, std::size_t& images) {
  if (!processes) return;
  at::Tensor sums = at::tensor(
      {losses.objectness, losses.rpn_box, losses.classification, losses.box, static_cast<double>(images)},
      at::kDouble);
  processes->sum(sums);
  const double* const sum = sums.data_ptr<double>();
  losses = {sum[0], sum[1], sum[2], sum[3]};
  images = static_cast<std::size_t>(sum[4]);
}

bool any_of(Processes* processes, bool here) {
  if (!processes) return here;
  at::Tensor flag = at::tensor({here ? 1 : 0}, at::kInt);
  processes->take_largest(flag);
  return flag.item<int>() != 0;
}

}  // namespace smearscope::training
