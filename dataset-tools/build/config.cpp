#include "build/config.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "corpus/plain_text.h"
#include "readers/reader.h"
#include "toml/parse_toml.h"

namespace smearscope::corpus {
namespace {

class Parser {
 public:
  explicit Parser(const std::string& name) : name_(name) {}

  BuildConfig parse(const toml::table& document) {
    expect_keys(document, {"taxonomy", "general_wbc", "scale", "source", "split"});
    if (const toml::node* node = document.get("taxonomy")) config_.taxonomy = text(*node, "taxonomy");
    if (const toml::node* node = document.get("general_wbc")) config_.keep_general = keeps_general(*node);
    if (const toml::node* node = document.get("scale")) read_scale(table(*node, "scale"));
    if (const toml::node* node = document.get("split")) read_split(table(*node, "split"));
    const toml::array* sources = document["source"].as_array();
    if (!sources || sources->empty()) throw Error(name_ + ": has no [[source]]");
    for (const toml::node& node : *sources) add_source(table(node, "source"));
    return config_;
  }

 private:
  [[noreturn]] void fail(const toml::node& node, const std::string& what) const {
    throw Error(name_ + ": line " + std::to_string(node.source().begin.line) + ": " + in_one_line(what));
  }

  void expect_keys(const toml::table& table, const std::vector<std::string>& known) const {
    for (const auto& [key, node] : table) {
      if (std::find(known.begin(), known.end(), key.str()) == known.end())
        fail(node, "unknown key '" + std::string(key.str()) + "'");
    }
  }

  const toml::table& table(const toml::node& node, const std::string& key) const {
    if (!node.is_table()) fail(node, "'" + key + "' is not a table");
    return *node.as_table();
  }

  std::string text(const toml::node& node, const std::string& key) const {
    const auto value = node.value_exact<std::string>();
    if (!value || value->empty()) fail(node, "'" + key + "' is not a text");
    return *value;
  }

  std::string required(const toml::table& entry, const std::string& key) const {
    const toml::node* node = entry.get(key);
    if (!node) fail(entry, "'" + key + "' is missing");
    return text(*node, key);
  }

  double number(const toml::node& node, const std::string& key, double low, double high) const {
    const auto value = node.value<double>();
    if (!value || !(*value >= low && *value <= high)) {
      std::ostringstream range;
      range << "'" << key << "' is not a number from " << low << " to " << high;
      fail(node, range.str());
    }
    return *value;
  }

  bool keeps_general(const toml::node& node) const {
    const std::string value = text(node, "general_wbc");
    if (value != "keep" && value != "drop") fail(node, "'general_wbc' is neither \"keep\" nor \"drop\"");
    return value == "keep";
  }

  void read_scale(const toml::table& entry) {
    expect_keys(entry, {"longest_side", "pixel_size_um"});
    if (const toml::node* node = entry.get("longest_side"))
      config_.scaling.longest_side = static_cast<int>(number(*node, "longest_side", 16, 1 << 16));
    if (const toml::node* node = entry.get("pixel_size_um"))
      config_.scaling.pixel_size_um = number(*node, "pixel_size_um", 0.01, 10);
    if (config_.scaling.longest_side && config_.scaling.pixel_size_um)
      fail(entry, "longest_side and pixel_size_um exclude each other");
  }

  void read_split(const toml::table& entry) {
    expect_keys(entry, {"val", "test", "seed", "keep_parts"});
    if (const toml::node* node = entry.get("val")) config_.split.val = number(*node, "val", 0, 1);
    if (const toml::node* node = entry.get("test")) config_.split.test = number(*node, "test", 0, 1);
    if (const toml::node* node = entry.get("seed")) {
      const auto seed = node->value_exact<std::int64_t>();
      if (!seed || *seed < 0) fail(*node, "'seed' is not a whole number from 0 up");
      config_.split.seed = static_cast<std::uint64_t>(*seed);
    }
    if (const toml::node* node = entry.get("keep_parts")) {
      const auto keep = node->value_exact<bool>();
      if (!keep) fail(*node, "'keep_parts' is neither true nor false");
      config_.split.keep_parts = *keep;
    }
  }

  void add_source(const toml::table& entry) {
    expect_keys(entry, {"kind", "input", "subtypes"});
    BuildConfig::Source source;
    source.kind = source.name = required(entry, "kind");
    source.input = required(entry, "input");
    if (const toml::node* node = entry.get("subtypes")) {
      source.subtypes = text(*node, "subtypes");
      if (source.kind != "bccd") fail(*node, "'subtypes' is BCCD's table of white-cell types");
    }
    try {
      find_reader(source.kind);
    } catch (const Error& problem) {
      fail(entry, problem.what());
    }
    const auto earlier = std::count_if(config_.sources.begin(), config_.sources.end(),
                                       [&](const auto& other) { return other.kind == source.kind; });
    if (earlier > 0) source.name += "-" + std::to_string(earlier + 1);
    config_.sources.push_back(source);
  }

  std::string name_;
  BuildConfig config_;
};

}  // namespace

BuildConfig parse_build_config(const std::string& toml, const std::string& name) {
  return Parser(name).parse(parse_toml(toml, name));
}

BuildConfig load_build_config(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf())) throw Error(file.string() + ": cannot read the file");
  return parse_build_config(text.str(), file.string());
}

}  // namespace smearscope::corpus
