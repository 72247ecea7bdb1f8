// The detector on the CPU: the whole way from frames to boxes.
#include <omp.h>

#include <chrono>
#include <new>
#include <utility>

#include "network/backend.h"
#include "network/onednn_network.h"
#include "network/openmp_waiting.h"
#include "ops/postprocess.h"
#include "ops/preprocess.h"
#include "ops/proposals.h"
#include "ops/roi_align.h"

namespace smearscope {
namespace {

using network::CompiledShape;
using network::Stage;

// The calling thread's OpenMP settings while a detector works, and its own again afterwards.
class ThreadScope {
 public:
  explicit ThreadScope(int threads) : threads_(omp_get_max_threads()), dynamic_(omp_get_dynamic()) {
    omp_set_dynamic(0);
    omp_set_num_threads(threads);
  }
  ~ThreadScope() {
    omp_set_num_threads(threads_);
    omp_set_dynamic(dynamic_);
  }
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;

 private:
  int threads_, dynamic_;
};

// Adds the time since construction or the last call to a counter, in milliseconds.
class StageClock {
 public:
  void add_to(double& milliseconds) {
    const auto now = std::chrono::steady_clock::now();
    milliseconds += std::chrono::duration<double, std::milli>(now - last_).count();
    last_ = now;
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

// Runs one step of oneDNN's; what it throws becomes std::bad_alloc or Error.
template <typename Step>
auto attempt(Step step) {
  try {
    return step();
  } catch (const dnnl::error& error) {
    if (error.status == dnnl_out_of_memory) throw std::bad_alloc();
    throw Error(std::string("the CPU engine failed: ") + error.what() + " (oneDNN); please report this");
  }
}

// What the model is computed in where `wanted` is asked for.
Precision choose(Precision wanted, const network::Plan& plan, const Model& model) {
  const bool has_ranges = plan.missing_range.empty();
  if (wanted == Precision::automatic)
    return has_ranges && network::processor_computes_in(Precision::int8) ? Precision::int8 : Precision::f32;
  const std::string wish = std::string("precision ") + name_of(wanted) + " asked for, but ";
  if (wanted == Precision::f16) throw Error(wish + "device cpu computes in f32, bf16 or int8");
  if (wanted == Precision::int8 && !has_ranges)
    throw Error(model.path() + ": " + wish + "the model tells no range of the activations of " +
                plan.missing_range + "; smearscope-train quantise measures them");
  if (!network::processor_computes_in(wanted))
    throw Error(wish + "this processor lacks the instructions for it; use f32");
  return wanted;
}

class CpuBackend : public Backend {
 public:
  CpuBackend(const Model& model, network::Plan plan, Precision precision, int threads, Observer observe)
      : info_(model.info()),
        threads_(threads > 0 ? threads : omp_get_num_procs()),
        precision_(precision),
        network_(std::move(plan), precision, std::move(observe)),
        single_(ops::each_alone(static_cast<int>(info_.classes.size()))),
        summed_(ops::with_all_kinds(info_.parents, static_cast<int>(info_.classes.size()))) {
    network::let_waiting_threads_sleep();
  }

  Precision precision() const override { return precision_; }
  // Frames go one after another: the weights that a batch would read only once are 1% of a frame's work.
  int max_batch() const override { return 1; }
  bool accepts(MemoryKind memory) const override { return memory == MemoryKind::host; }

  void detect(const std::vector<DetectionJob>& jobs, ops::Size padded, const Thresholds& thresholds,
              StageTimes& times) override {
    const ThreadScope scope(threads_);
    attempt([&] {
      for (const DetectionJob& job : jobs) detect_one(job, network_.compiled(padded), thresholds, times);
    });
  }

 private:
  void detect_one(const DetectionJob& job, const CompiledShape& shape, const Thresholds& thresholds,
                  StageTimes& times) {
    StageClock clock;
    ops::preprocess_cpu(*job.frame, info_.transform, job.resized, shape.input(), preprocess_scratch_);
    clock.add_to(times.preprocess);
    network_.run(shape, Stage::backbone);
    clock.add_to(times.backbone);
    network_.run(shape, Stage::fpn);
    clock.add_to(times.fpn);

    network_.run(shape, Stage::rpn);
    std::array<ops::RpnLevel, ops::pyramid_levels> rpn;
    for (int level = 0; level < ops::pyramid_levels; ++level) rpn[level] = shape.rpn_level(level);
    ops::propose_cpu(rpn, job.resized, info_.architecture, proposal_scratch_, proposals_);
    clock.add_to(times.rpn);
    if (proposals_.empty()) return;

    std::array<ops::FeatureMap, ops::roi_levels> features;
    for (int level = 0; level < ops::roi_levels; ++level) features[level] = shape.feature(level);
    float* rois = rois_.require_floats(proposals_.size() * network_.plan().fc6.in_features);
    ops::roi_align_cpu(features, info_.architecture.fpn_channels, proposals_, rois);
    clock.add_to(times.roi_pool);

    const float* outputs = network_.box_head(rois, static_cast<int>(proposals_.size()));
    clock.add_to(times.box_head);

    const ops::Size frame{job.frame->width, job.frame->height};
    const ops::Kinds& kinds = thresholds.sum_kinds ? summed_ : single_;
    ops::postprocess_cpu(proposals_, outputs, static_cast<int>(info_.classes.size()), kinds.view(),
                         job.resized, frame, thresholds, postprocess_scratch_, *job.detections);
    clock.add_to(times.postprocess);
  }

  const ModelInfo info_;
  const int threads_;
  const Precision precision_;
  network::OneDnnNetwork network_;
  const ops::Kinds single_, summed_;  // each class alone; with all its kinds
  ops::PreprocessScratch preprocess_scratch_;
  ops::ProposalScratch proposal_scratch_;
  ops::PostprocessScratch postprocess_scratch_;
  std::vector<Box> proposals_;
  network::AlignedBuffer rois_;
};

}  // namespace

std::unique_ptr<Backend> make_cpu_backend(const Model& model, Precision precision, int threads,
                                          Observer observe) {
  return attempt([&] {
    network::Plan plan = network::make_plan(model);
    precision = choose(precision, plan, model);
    return std::make_unique<CpuBackend>(model, std::move(plan), precision, threads, std::move(observe));
  });
}

}  // namespace smearscope
