#include "report/counts_csv.h"

#include <cerrno>
#include <cstring>

namespace smearscope {

static std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

CountsCsv::CountsCsv(std::string path)
    : path_(std::move(path)), part_(path_ + ".part"), file_(std::fopen(part_.c_str(), "we")) {
  if (file_ == nullptr) fail("cannot be created");
  write("frame,time_s,class,count\n");
}

CountsCsv::~CountsCsv() {
  if (file_ != nullptr) std::fclose(file_);
}

void CountsCsv::add(std::optional<double> time_s, const std::vector<Cell>& cells) {
  std::map<std::string, std::size_t> counts;
  for (const Cell& cell : cells) ++counts[cell.class_name];
  if (counts.empty()) counts[""] = 0;

  char time[32] = "";
  if (time_s) std::snprintf(time, sizeof time, "%.3f", *time_s);
  const std::string frame = std::to_string(frames_++) + "," + time + ",";
  std::string rows;
  for (const auto& [name, count] : counts) rows += frame + quoted(name) + "," + std::to_string(count) + "\n";
  write(rows);
}

void CountsCsv::finish() {
  if (file_ == nullptr) return;
  std::FILE* const file = file_;
  file_ = nullptr;
  if (std::fclose(file) != 0) fail("cannot be written");
  if (std::rename(part_.c_str(), path_.c_str()) != 0) fail("cannot be put in place of the file before it");
}

void CountsCsv::write(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), file_) != text.size() || std::fflush(file_) != 0) {
    fail("cannot be written");
  }
}

void CountsCsv::fail(const char* what) const {
  throw Error(part_ + ": " + what + ": " + std::strerror(errno));
}

}  // namespace smearscope
