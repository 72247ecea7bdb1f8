#include "loop/trainer.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>

#include "distributed/agreement.h"
#include "distributed/device_choice.h"
#include "distributed/process_group.h"
#include "import/network_weights.h"
#include "loop/batch_losses.h"
#include "loop/checkpoint.h"
#include "loop/event_file.h"
#include "loop/loader.h"
#include "loop/progress.h"
#include "loop/regimen.h"
#include "loop/schedule.h"
#include "loop/weight_update.h"
#include "model/file_writer.h"
#include "network/device.h"
#include "network/failure.h"
#include "network/faster_rcnn.h"

namespace smearscope::training {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

std::atomic<bool> stop_requested{false};

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

int usable_cores() {
  cpu_set_t cores;
  return sched_getaffinity(0, sizeof cores, &cores) == 0 ? std::max(1, CPU_COUNT(&cores)) : 1;
}

// A GPU takes far more images than two threads make.
int loader_threads(c10::Device device, int processes_here) {
  const int cores = usable_cores();
  return device.is_cpu() ? (cores > 2 ? 2 : 1) : std::clamp(cores / processes_here - 2, 1, 12);
}

// One call of train.
class Run {
 public:
  explicit Run(const TrainOptions& options);
  TrainEnd go();

 private:
  void start_folder();
  void load_checkpoint();
  void save_checkpoint();
  void save_model_file();
  ModelInfo final_info() const;
  void check_finite(const LossValues& values, const Batch& batch) const;
  void train_step(const Batch& batch);
  void report(bool to_log);
  LossValues validate();
  TrainEnd wanted_end() const;
  bool has_stopped_improving() const;

  bool is_first() const { return layout_.rank == 0; }  // who writes and speaks
  void say(const std::string& line) {
    if (is_first()) progress_.message(line);
  }
  double seconds() const { return seconds_before_ + seconds_since(start_); }
  std::string path(const char* file) const { return (fs::path(options_.output) / file).string(); }

  const TrainOptions options_;
  const ProcessLayout layout_ = layout_from_environment();
  std::unique_ptr<Processes> processes_;  // null: this one alone
  const c10::Device device_;
  const c10::DeviceGuard current_device_{device_};  // what pinned memory belongs to
  std::uint64_t seed_;
  Regimen regimen_;
  Samples samples_;
  FasterRcnn network_{nullptr};
  std::unique_ptr<WeightUpdate> update_;
  std::unique_ptr<TrainLog> log_;
  std::unique_ptr<EventFile> events_;
  Progress progress_;
  std::size_t total_steps_ = 0;
  std::size_t step_ = 0;  // steps done
  double best_validation_ = std::numeric_limits<double>::infinity();
  std::uint64_t worse_validations_ = 0;
  bool is_best_ = false;  // the last step ended with the lowest validation loss so far
  double seconds_before_ = 0;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_checkpoint_ = Clock::now();

  // Since the last row of the log.
  LossValues sum_;
  std::size_t summed_steps_ = 0, summed_images_ = 0;
  Clock::time_point summed_since_ = Clock::now();
  std::size_t first_step_ = 0;  // of this call
};

// What the corpora decide of how the network is trained.
TrainingSettings settings_for(const Regimen& regimen, const Samples& samples) {
  TrainingSettings settings = regimen.settings;
  if (regimen.labels.parents) settings.class_parents = samples.class_parents();
  settings.own_name_share = regimen.labels.own_name_share;
  settings.autocast = regimen.optimisation.autocast;
  settings.classification.class_weights = samples.class_weights();
  return settings;
}

ModelInfo with_classes(const ModelInfo& info, const Samples& samples) {
  ModelInfo with = info;
  with.classes = samples.classes();
  with.parents = samples.class_parents();
  return with;
}

Run::Run(const TrainOptions& options)
    : options_(options),
      device_(device_of(layout_, options.device)),
      seed_(options.resume ? read_checkpoint(path("checkpoint.safetensors")).seed : options.seed),
      regimen_(read_regimen(options.regimen, options.overrides)),
      samples_(options.corpora, regimen_, seed_) {
  if (regimen_.starts_with_weights && options.init.empty() && !options.resume) {
    throw Error(options.regimen + ": begins with another model's weights; name them with --init FILE");
  }
  if (regimen_.optimisation.autocast == MixedPrecision::f16 && device_.is_cpu()) {
    throw Error(options.regimen +
                ": \"training.autocast\" is f16, which needs --device cuda; on a CPU take \"bf16\"");
  }
  const ModelInfo info = with_classes(regimen_.info, samples_);
  checkpoint::InitialWeights initial;  // before denormals are flushed: some variances are that small
  const bool has_init = !options.init.empty() && !options.resume;
  if (has_init) initial = checkpoint::read_initial_weights(options.init, info);
  at::set_num_threads(options.threads > 0 ? options.threads
                                          : std::max(1, usable_cores() / layout_.on_this_machine));
  at::globalContext().setFlushDenormal(true);
  at::manual_seed(seed_);
  network_ = FasterRcnn(info, settings_for(regimen_, samples_));
  load_tensors(network_, checkpoint::views_of(initial.tensors));
  for (const std::string& note : initial.notes) say(options.init + ": " + note);
  if (has_init) say(options.init + ": " + initial.summary());
  move_to(network_, device_);
  update_ = std::make_unique<WeightUpdate>(network_, regimen_.optimisation);
  total_steps_ = samples_.batches_per_epoch() * static_cast<std::size_t>(regimen_.optimisation.epochs);
  if (options.resume) {
    load_checkpoint();
  } else if (is_first()) {
    start_folder();
  }
  if (is_first()) {
    log_ = std::make_unique<TrainLog>(path("train-log.csv"), step_);
    events_ = std::make_unique<EventFile>(options.output);
  }
  first_step_ = step_;
  if (layout_.count == 1) return;
  if (regimen_.optimisation.micro_batch > 0) {
    throw Error(options.regimen +
                ": \"training.micro_batch\" is of no use to several processes, which have each a share " +
                "of the batch; leave it out");
  }
  processes_ = join_processes(layout_, device_);
  check_the_same(*processes_, regimen_.text + samples_.digest_with_tree() + std::to_string(seed_) + " " +
                                  std::to_string(step_));
  network_->share_batches(processes_.get());
}

void Run::start_folder() {
  if (fs::exists(path("checkpoint.safetensors"))) {
    throw Error(options_.output + ": holds a run already; go on with --resume, or name another folder");
  }
  std::error_code problem;
  fs::create_directories(options_.output, problem);
  if (problem) throw Error(options_.output + ": cannot make the output folder: " + problem.message());
  replace_file(path("regimen.toml"), {{regimen_.text.data(), regimen_.text.size()}});
}

void Run::load_checkpoint() {
  const std::string file = path("checkpoint.safetensors");
  const Checkpoint checkpoint = read_checkpoint(file);
  if (checkpoint.regimen != regimen_.text) {
    throw Error(
        file +
        ": was begun with another regimen; resume with the same file and --set, or begin a new run from "
        "its model with --init");
  }
  if (checkpoint.corpus_digest != samples_.digest_with_tree()) {
    throw Error(
        file +
        ": was begun with another corpus or tree of classes, which may have changed since, or by an older "
        "smearscope-train");
  }
  if (checkpoint.step > total_steps_) throw Error(file + ": is beyond the regimen's last step");
  try {
    update_->load(checkpoint.tensors);
  } catch (const Error& problem) {
    throw Error(file + ": " + problem.what());
  }
  step_ = checkpoint.step;
  best_validation_ = checkpoint.best_validation;
  worse_validations_ = checkpoint.worse_validations;
  seconds_before_ = checkpoint.seconds;
}

void Run::save_checkpoint() {
  if (!is_first()) return;
  write_checkpoint(path("checkpoint.safetensors"),
                   {seed_, step_, seconds(), best_validation_, worse_validations_, regimen_.text,
                    samples_.digest_with_tree(), update_->save()});
  last_checkpoint_ = Clock::now();
}

ModelInfo Run::final_info() const {
  ModelInfo info = network_->info();
  info.corpus_digest = samples_.digest();
  info.created_by = "smearscope-train " SMEARSCOPE_VERSION;
  std::string used = "# seed " + std::to_string(seed_) + ", " + std::to_string(step_) + " of " +
                     std::to_string(total_steps_) + " steps, " + std::to_string(samples_.images_per_epoch()) +
                     " images per epoch\n";
  if (!options_.init.empty())
    used += "# begun with the weights of " + fs::path(options_.init).filename().string() + "\n";
  info.regimen = used + regimen_.text;
  return info;
}

// With early_stop the file has the weights of the lowest validation loss.
void Run::save_model_file() {
  const bool keeps_best = regimen_.optimisation.early_stop > 0 && std::isfinite(best_validation_);
  if (!is_first() || (keeps_best && !is_best_)) return;
  const AverageInUse average(*update_);
  save_model(network_, final_info(), path("model.safetensors"), options_.dtype);
}

void Run::check_finite(const LossValues& values, const Batch& batch) const {
  if (std::isfinite(values.total())) return;
  std::string files;
  for (const Sample& sample : batch.samples) files += (files.empty() ? "" : ", ") + sample.file;
  char numbers[160];
  std::snprintf(numbers, sizeof numbers, "objectness %g, rpn box %g, classification %g, box %g",
                values.objectness, values.rpn_box, values.classification, values.box);
  throw Error("step " + std::to_string(step_ + 1) + ": the loss is not finite (" + numbers +
              "); lower training.learning_rate or look at the batch's images: " + files);
}

void Run::train_step(const Batch& batch) {
  const double rate =
      learning_rate_at(regimen_.optimisation, step_, total_steps_, samples_.batches_per_epoch());
  network_->train();
  const std::size_t size = batch.samples.size();
  const auto micro = static_cast<std::size_t>(regimen_.optimisation.micro_batch);
  LossValues values;
  for (std::size_t first = 0; first < size;) {
    const std::size_t end = micro == 0 ? size : std::min(size, first + micro);
    const double share = static_cast<double>(end - first) / static_cast<double>(size);
    const Losses losses = losses_of(network_, batch, first, end);
    add(values, values_of(losses), share);
    check_finite(values, batch);
    update_->scaled(losses.total() * share).backward();
    first = end;
  }
  if (processes_) update_->sum_gradients(*processes_);
  update_->step(rate, step_);
  ++step_;
  is_best_ = false;
  std::size_t images = size;
  add_up(processes_.get(), values, images);
  add(sum_, values, 1);
  ++summed_steps_;
  summed_images_ += images;
}

TrainEnd Run::wanted_end() const {
  const bool time_is_up = options_.max_minutes > 0 && seconds_since(start_) > options_.max_minutes * 60;
  const bool stop = stop_requested.exchange(false);
  if (any_of(processes_.get(), time_is_up)) return TrainEnd::time_is_up;
  return any_of(processes_.get(), stop) ? TrainEnd::interrupted : TrainEnd::finished;
}

void Run::report(bool to_log) {
  const double all = seconds_since(start_);
  Report r;
  r.step = step_;
  r.total_steps = total_steps_;
  r.epochs = static_cast<std::size_t>(regimen_.optimisation.epochs);
  r.epoch = (step_ - 1) / samples_.batches_per_epoch() + 1;
  r.learning_rate =
      learning_rate_at(regimen_.optimisation, step_ - 1, total_steps_, samples_.batches_per_epoch());
  add(r.losses, sum_, 1.0 / static_cast<double>(summed_steps_));
  r.images_per_second = static_cast<double>(summed_images_) / std::max(1e-9, seconds_since(summed_since_));
  r.seconds = seconds();
  r.seconds_left = all / static_cast<double>(step_ - first_step_) * static_cast<double>(total_steps_ - step_);
  if (is_first()) progress_.show(r);
  if (!to_log) return;
  const bool epoch_done = step_ % samples_.batches_per_epoch() == 0;
  const int every = regimen_.optimisation.validate_every;
  std::optional<LossValues> validation;
  if (epoch_done && every > 0 && r.epoch % static_cast<std::size_t>(every) == 0 &&
      samples_.val_images() > 0) {
    validation = validate();
    is_best_ = validation->total() < best_validation_;
    worse_validations_ = is_best_ ? 0 : worse_validations_ + 1;
    best_validation_ = std::min(best_validation_, validation->total());
    char text[160];
    std::snprintf(text, sizeof text, "epoch %zu: training loss %.4f, validation loss %.4f, %s", r.epoch,
                  r.losses.total(), validation->total(), clock_text(r.seconds).c_str());
    say(text);
  }
  if (log_) log_->add(r, validation);
  if (events_) add_to(*events_, r, validation);
  sum_ = {};
  summed_steps_ = summed_images_ = 0;
  summed_since_ = Clock::now();
}

LossValues Run::validate() {
  const at::NoGradGuard no_gradient;
  const AverageInUse average(*update_);
  network_->eval();
  LossValues mean;
  const auto size = static_cast<std::size_t>(regimen_.optimisation.batch_size);
  std::size_t images = 0, number = 0;
  for (std::size_t first = 0; first < samples_.val_images(); first += size) {
    if (number++ % static_cast<std::size_t>(layout_.count) != static_cast<std::size_t>(layout_.rank))
      continue;
    const Batch batch = samples_.val_batch(first, size);
    const double share =
        static_cast<double>(batch.samples.size()) / static_cast<double>(samples_.val_images());
    add(mean, values_of(losses_of(network_, batch, 0, batch.samples.size())), share);
  }
  add_up(processes_.get(), mean, images);
  return mean;
}

bool Run::has_stopped_improving() const {
  const int patience = regimen_.optimisation.early_stop;
  return patience > 0 && worse_validations_ >= static_cast<std::uint64_t>(patience);
}

TrainEnd Run::go() {
  constexpr std::size_t log_steps = 20;
  const std::size_t per_epoch = samples_.batches_per_epoch();
  say(std::to_string(samples_.images_per_epoch()) + " images per epoch, " +
      std::to_string(samples_.val_images()) + " for validation, " + std::to_string(total_steps_) + " steps" +
      (step_ > 0 ? ", going on after step " + std::to_string(step_) : ""));
  const Share share{static_cast<std::size_t>(layout_.rank), static_cast<std::size_t>(layout_.count)};
  Loader loader(samples_, step_, total_steps_, loader_threads(device_, layout_.on_this_machine), share);
  TrainEnd end = TrainEnd::finished;
  start_ = summed_since_ = Clock::now();
  while (step_ < total_steps_ && !has_stopped_improving()) {
    train_step(loader.next());
    const bool epoch_done = step_ % per_epoch == 0;
    report(epoch_done || step_ % log_steps == 0);
    end = wanted_end();
    if (end != TrainEnd::finished && step_ < total_steps_) break;
    if (epoch_done && step_ < total_steps_) {
      save_checkpoint();
      save_model_file();
    } else if (seconds_since(last_checkpoint_) > options_.checkpoint_minutes * 60) {
      save_checkpoint();
    }
  }
  if (step_ == total_steps_ || has_stopped_improving()) end = TrainEnd::finished;
  save_checkpoint();
  save_model_file();
  say(path("model.safetensors") + ": written after " + std::to_string(step_) + " of " +
      std::to_string(total_steps_) + " steps, " + clock_text(seconds()));
  return end;
}

}  // namespace

TrainEnd train(const TrainOptions& options) {
  try {
    return Run(options).go();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& problem) {
    if (!is_out_of_memory(problem)) throw Error("LibTorch failed: " + first_line(problem));
    throw Error(
        "out of memory; set training.micro_batch (images at a time; not with several processes) below the "
        "batch size, or lower "
        "training.batch_size, training.min_sides or network.max_side");
  }
}

void request_stop() {
  stop_requested = true;
}

}  // namespace smearscope::training
