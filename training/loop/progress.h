// What a person sees while a model is trained, and the log of it.
#pragma once

#include <cstddef>
#include <fstream>
#include <optional>
#include <string>

#include "smearscope/error.h"

namespace smearscope::training {

struct LossValues {
  double objectness = 0, rpn_box = 0, classification = 0, box = 0;
  double total() const { return objectness + rpn_box + classification + box; }
};

// Means over the steps since the last report.
struct Report {
  std::size_t step = 0, total_steps = 0;  // steps done, of all
  std::size_t epoch = 0, epochs = 0;      // 1-based
  double learning_rate = 0;
  LossValues losses;
  double images_per_second = 0;
  double seconds = 0;       // since the run began, over all its sessions
  double seconds_left = 0;  // estimate
};

// A bar that is redrawn on a terminal, else a plain line every `seconds_between_lines`. To standard error.
class Progress {
 public:
  Progress();
  ~Progress();
  void show(const Report& report);
  void message(const std::string& line);  // a line that stays

 private:
  bool is_terminal_ = false;
  bool bar_shown_ = false;
  double last_line_ = -1;
};

inline constexpr const char* log_header =
    "step,epoch,learning_rate,objectness,rpn_box,classification,box,total,images_per_second,seconds,"
    "val_objectness,val_rpn_box,val_classification,val_box,val_total";

// train-log.csv: one row per report. Going on with a run keeps the rows up to its step and drops later ones.
class TrainLog {
 public:
  TrainLog(const std::string& path, std::size_t steps_done);
  // Throws Error if the row can't be written.
  void add(const Report& report, std::optional<LossValues> validation = {});

 private:
  std::string path_;
  std::ofstream out_;
};

std::string clock_text(double seconds);  // "1:02:03", "2:03"

}  // namespace smearscope::training
