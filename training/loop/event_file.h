// What TensorBoard reads: numbers by name and step.
#pragma once

#include <cstdint>
#include <fstream>
#include <optional>
#include <string>

#include "loop/progress.h"
#include "smearscope/error.h"

namespace smearscope::training {

// One file FOLDER/events.out.tfevents.TIME.PID, written through with every number. It is a sequence of
// records (TFRecord: length and data, each with a masked CRC-32C,
// tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details) of Event messages
// (github.com/tensorflow/tensorboard: compat/proto/event.proto, summary.proto).
class EventFile {
 public:
  explicit EventFile(const std::string& folder);  // throws Error if the file can't be written

  // Throws Error if the file can't be written.
  void add(const std::string& name, double value, std::uint64_t step);

  const std::string& path() const { return path_; }

 private:
  void write_record(const std::string& message);

  std::string path_;
  std::ofstream out_;
};

// Losses (train/..., val/...), learning rate and images/s at the report's step.
void add_to(EventFile& events, const Report& report, const std::optional<LossValues>& validation);

// CRC-32C (Castagnoli; RFC 3720, appendix B.4).
std::uint32_t crc32c(const std::string& data);

}  // namespace smearscope::training
