#include "report/run.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>

#include "evaluate/measure.h"
#include "report/statistics.h"
#include "toml/parse_toml.h"

namespace smearscope::training {
namespace {

namespace fs = std::filesystem;

std::string value_text(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* truth = node.as_boolean()) return truth->get() ? "yes" : "no";
  if (const auto* whole = node.as_integer()) return std::to_string(whole->get());
  if (const auto* number = node.as_floating_point()) {
    char text[32];
    std::snprintf(text, sizeof text, "%.6g", number->get());
    return text;
  }
  std::string list;
  if (const auto* array = node.as_array()) {
    for (const toml::node& element : *array) list += (list.empty() ? "" : ", ") + value_text(element);
  }
  return "[" + list + "]";
}

void flatten(const toml::table& table, const std::string& prefix, std::vector<Setting>& settings) {
  for (const auto& [key, node] : table) {
    const std::string name = prefix + std::string(key.str());
    if (const toml::table* inner = node.as_table()) {
      flatten(*inner, name + ".", settings);
    } else {
      settings.push_back({name, value_text(node)});
    }
  }
}

void add_regimen(const std::string& regimen, std::vector<Setting>& settings) {
  toml::table table;
  try {
    table = parse_toml(regimen, "regimen");
  } catch (const Error&) {  // a model file may have any text there
    if (!regimen.empty()) settings.push_back({"regimen", regimen});
    return;
  }
  for (const char* own : {"name", "licence"}) table.erase(own);
  flatten(table, "", settings);
}

std::string count_of_numbers(const Model& model) {
  std::size_t numbers = 0;
  for (const TensorView& tensor : model.tensors()) numbers += tensor.bytes / size_of(tensor.dtype);
  char text[32];
  std::snprintf(text, sizeof text, "%.2f million", static_cast<double>(numbers) / 1e6);
  return text;
}

std::string time_text(double seconds) {
  char text[32];
  const bool hours = seconds >= 7200;
  std::snprintf(text, sizeof text, "%.1f %s", seconds / (hours ? 3600 : 60), hours ? "h" : "min");
  return text;
}

std::vector<Setting> settings_of(const Run& run) {
  const ModelInfo& info = run.model->info();
  const Architecture& a = info.architecture;
  std::vector<Setting> settings{
      {"model", info.name},
      {"file (SHA-256)", run.model->digest().substr(0, 12)},
      {"detector", "Faster R-CNN, FPN"},
      {"backbone", a.backbone},
      {"FPN channels, head width", std::to_string(a.fpn_channels) + ", " + std::to_string(a.head_width)},
      {"parameters", count_of_numbers(*run.model)},
      {"classes", std::to_string(info.classes.size()) + " and background"},
      {"trained on (SHA-256)", info.corpus_digest.empty() ? "unknown" : info.corpus_digest.substr(0, 12)}};
  if (!run.log.empty()) {
    const LogRow& last = run.log.back();
    // Of a run that goes on, the model file is older than the log.
    settings.push_back(
        {"log ends at", "epoch " + std::to_string(last.epoch) + ", step " + corpus::grouped(last.step)});
    settings.push_back({"training time", time_text(last.seconds)});
  }
  add_regimen(info.regimen, settings);
  return settings;
}

Run read_run(const std::string& path) {
  Run run;
  if (fs::is_directory(path)) {
    run.folder = path;
    const fs::path model = fs::path(path) / "model.safetensors", log = fs::path(path) / "train-log.csv";
    if (!fs::exists(model)) {
      throw Error(
          path +
          ": has no model.safetensors; give the output folder of smearscope-train train (which writes "
          "it after the first epoch), or a model file");
    }
    run.model = Model::load(model.string());
    if (fs::exists(log)) run.log = read_train_log(log.string());
    run.name = fs::path(fs::weakly_canonical(path)).filename().string();
  } else {
    run.model = load_model(path);
    run.name = fs::path(path).stem().string();
  }
  run.settings = settings_of(run);
  return run;
}

}  // namespace

std::vector<Run> read_runs(const std::vector<std::string>& paths) {
  std::vector<Run> runs;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (std::find(paths.begin(), paths.begin() + static_cast<std::ptrdiff_t>(i), paths[i]) !=
        paths.begin() + static_cast<std::ptrdiff_t>(i))
      throw Error(paths[i] + ": is there twice");
    runs.push_back(read_run(paths[i]));
  }
  std::map<std::string, std::size_t> names;
  for (const Run& run : runs) ++names[run.name];
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (names[runs[i].name] > 1) runs[i].name = paths[i];
  }
  return runs;
}

}  // namespace smearscope::training
