// One table of a regimen's TOML file, read key by key with checks.
#pragma once

#include <toml++/toml.h>

#include <array>
#include <cstdint>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "smearscope/error.h"

namespace smearscope::training {

// Keys that were asked for are known; any other is an error. A read leaves the value as it is where the file
// hasn't the key, and throws Error, naming file and key, where it has something else than asked for.
class Table {
 public:
  Table(const toml::table& document, std::string name, std::string file)
      : name_(std::move(name)), file_(std::move(file)) {
    if (name_.empty()) {
      table_ = &document;
    } else if (const toml::node* node = document.get(name_)) {
      table_ = node->as_table();
      if (!table_) throw Error(file_ + ": \"" + name_ + "\" must be a table: [" + name_ + "]");
    }
  }

  void read(const char* key, std::string& value) {
    if (const toml::node* node = find(key)) {
      if (!node->is_string()) fail(key, "must be a text in quotes");
      value = **node->as_string();
    }
  }
  void read(const char* key, bool& value) {
    if (const toml::node* node = find(key)) {
      if (!node->is_boolean()) fail(key, "must be true or false");
      value = **node->as_boolean();
    }
  }
  void read(const char* key, int& value, int low, int high = 1 << 20) {
    if (const toml::node* node = find(key)) value = integer(*node, key, low, high);
  }
  void read(const char* key, double& value, double low, double high) {
    if (const toml::node* node = find(key)) value = number(*node, key, low, high);
  }
  void read(const char* key, std::vector<int>& values, int low, int high) {
    if (const toml::node* node = find(key)) {
      values.clear();
      for (const toml::node& element : list(*node, key)) values.push_back(integer(element, key, low, high));
    }
  }
  template <typename Real>
  void read(const char* key, std::vector<Real>& values, double low, double high) {
    if (const toml::node* node = find(key)) values = numbers<Real>(*node, key, low, high);
  }
  void read(const char* key, std::array<double, 3>& values, double low, double high) {
    if (const toml::node* node = find(key)) {
      const auto read = numbers<double>(*node, key, low, high);
      if (read.size() != 3) fail(key, "must have three numbers: red, green, blue");
      std::copy(read.begin(), read.end(), values.begin());
    }
  }
  void read_anchor_sizes(const char* key, std::array<std::vector<float>, 5>& sizes) {
    if (const toml::node* node = find(key)) {
      const toml::array& levels = list(*node, key);
      if (levels.size() != 5) fail(key, "must have five lists, for P2, P3, P4, P5 and P6");
      for (std::size_t i = 0; i < 5; ++i) sizes[i] = numbers<float>(*levels.get(i), key, 1, 4096);
    }
  }

  bool is_boolean(const char* key) {
    const toml::node* node = find(key);
    return node && node->is_boolean();
  }
  bool is_empty_list(const char* key) {
    const toml::node* node = find(key);
    return node && node->is_array() && node->as_array()->empty();
  }
  bool has(const char* key) { return find(key) != nullptr; }
  void allow_table(const char* key) { known_.insert(key); }

  // After all reads.
  void refuse_unknown_keys() const {
    if (!table_) return;
    for (const auto& [key, node] : *table_) {
      const std::string text(key.str());
      if (known_.count(text)) continue;
      std::string names;
      for (const std::string& known : known_) names += (names.empty() ? "" : ", ") + known;
      throw Error(file_ + ": unknown key \"" + full(text) + "\"; known here are " + names);
    }
  }

  [[noreturn]] void fail(const std::string& key, const std::string& what) const {
    throw Error(file_ + ": \"" + full(key) + "\" " + what);
  }

 private:
  std::string full(const std::string& key) const { return name_.empty() ? key : name_ + "." + key; }

  const toml::node* find(const char* key) {
    known_.insert(key);
    return table_ ? table_->get(key) : nullptr;
  }

  int integer(const toml::node& node, const char* key, int low, int high) const {
    if (!node.is_integer()) fail(key, "must be a whole number");
    const std::int64_t value = **node.as_integer();
    if (value < low || value > high) {
      fail(key, "is " + std::to_string(value) + "; it must be " + std::to_string(low) + " to " +
                    std::to_string(high));
    }
    return static_cast<int>(value);
  }

  double number(const toml::node& node, const char* key, double low, double high) const {
    if (!node.is_number()) fail(key, "must be a number");
    const double value = *node.value<double>();
    if (!(value >= low && value <= high)) {  // also NaN
      std::ostringstream text;
      text << "is " << value << "; it must be " << low << " to " << high;
      fail(key, text.str());
    }
    return value;
  }

  const toml::array& list(const toml::node& node, const char* key) const {
    if (!node.is_array() || node.as_array()->empty()) fail(key, "must be a list that is not empty");
    return *node.as_array();
  }

  template <typename Real>
  std::vector<Real> numbers(const toml::node& node, const char* key, double low, double high) const {
    std::vector<Real> values;
    for (const toml::node& element : list(node, key)) {
      values.push_back(static_cast<Real>(number(element, key, low, high)));
    }
    return values;
  }

  const toml::table* table_ = nullptr;  // nullptr: the file has none, all defaults
  std::string name_, file_;
  std::set<std::string> known_;
};

}  // namespace smearscope::training
