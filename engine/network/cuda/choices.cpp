#include "network/cuda/choices.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <utility>

#include "model/file_writer.h"

namespace smearscope::network {
namespace {

constexpr std::size_t most_lines = 100000;  // of a file that we read

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::string default_path() {
  const std::string own = variable("SMEARSCOPE_CACHE_DIR"), cache = variable("XDG_CACHE_HOME"),
                    home = variable("HOME");
  if (!own.empty()) return own + "/cuda-choices";
  if (!cache.empty()) return cache + "/smearscope/cuda-choices";
  if (!home.empty()) return home + "/.cache/smearscope/cuda-choices";
  return "";
}

}  // namespace

Choices::Choices(std::string path) : path_(std::move(path)) {
  read();
}

Choices& Choices::shared() {
  static Choices choices(default_path());
  return choices;
}

// What is known already stays; lines that are none are passed over.
void Choices::read() {
  if (path_.empty()) return;
  std::ifstream file(path_);
  std::string line;
  for (std::size_t i = 0; i < most_lines && std::getline(file, line); ++i) {
    const std::size_t tab = line.find('\t');
    if (tab != std::string::npos) values_.emplace(line.substr(0, tab), line.substr(tab + 1));
  }
}

std::optional<std::string> Choices::find(const std::string& key) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = values_.find(key);
  return found == values_.end() ? std::nullopt : std::optional<std::string>(found->second);
}

std::string Choices::keep(const std::string& key, const std::string& value) {
  const std::lock_guard<std::mutex> lock(mutex_);
  read();
  const auto [entry, is_new] = values_.emplace(key, value);
  if (!is_new || path_.empty()) return entry->second;
  std::string text;
  for (const auto& [known, choice] : values_) text += known + "\t" + choice + "\n";
  try {
    std::filesystem::create_directories(std::filesystem::path(path_).parent_path());
    replace_file(path_, {{text.data(), text.size()}});
  } catch (const std::exception&) {
    // See above: not an error.
  }
  return entry->second;
}

}  // namespace smearscope::network
