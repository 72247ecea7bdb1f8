#include "tools/arguments.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace smearscope::corpus {
namespace {

bool contains(const std::vector<std::string>& list, const std::string& name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

// The shortest form: "3", "0.5".
std::string shown(double value) {
  std::string text = std::to_string(value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

}  // namespace

Arguments::Arguments(const std::vector<std::string>& words, const std::vector<std::string>& options,
                     const std::vector<std::string>& flags, const std::vector<std::string>& repeatable) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word.rfind("--", 0) != 0) {
      positional_.push_back(word);
      continue;
    }
    const std::string name = word.substr(2);
    const bool is_flag = contains(flags, name), may_repeat = contains(repeatable, name);
    if (!is_flag && !may_repeat && !contains(options, name)) {
      throw Error("unknown option " + word + "; see smearscope-corpus --help");
    }
    if (has(name) && !may_repeat) throw Error(word + " is given twice");
    if (is_flag) {
      options_[name] = {};
    } else if (i + 1 < words.size()) {
      options_[name].push_back(words[++i]);
    } else {
      throw Error(word + " needs a value");
    }
  }
}

void Arguments::expect_no_positional() const {
  if (!positional_.empty()) throw Error("unexpected argument '" + positional_.front() + "'");
}

const std::string& Arguments::required(const std::string& name) const {
  const auto found = options_.find(name);
  if (found == options_.end()) throw Error("--" + name + " is missing; see smearscope-corpus --help");
  return found->second.front();
}

std::string Arguments::optional(const std::string& name, const std::string& otherwise) const {
  return has(name) ? required(name) : otherwise;
}

std::vector<std::string> Arguments::all(const std::string& name) const {
  const auto found = options_.find(name);
  return found == options_.end() ? std::vector<std::string>{} : found->second;
}

std::optional<long> Arguments::integer(const std::string& name, long low, long high) const {
  const std::optional<double> value = number(name, static_cast<double>(low), static_cast<double>(high));
  if (!value) return std::nullopt;
  if (*value != std::floor(*value)) throw Error("--" + name + " is not a whole number");
  return static_cast<long>(*value);
}

std::optional<double> Arguments::number(const std::string& name, double low, double high) const {
  if (!has(name)) return std::nullopt;
  const std::string& text = required(name);
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  const bool is_number = !text.empty() && end == text.c_str() + text.size();
  if (!is_number || !(value >= low && value <= high)) {
    throw Error("--" + name + " is '" + text + "'; it must be a number from " + shown(low) + " to " +
                shown(high));
  }
  return value;
}

}  // namespace smearscope::corpus
