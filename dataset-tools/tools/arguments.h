// Command lines: --option VALUE, --flag, and what is neither.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "smearscope/error.h"

namespace smearscope::corpus {

class Arguments {
 public:
  // `flags` are options without a value; `repeatable` ones may be given several times. Throws Error on an
  // unknown option, one without its value, or one given twice.
  Arguments(const std::vector<std::string>& words, const std::vector<std::string>& options,
            const std::vector<std::string>& flags, const std::vector<std::string>& repeatable);

  const std::vector<std::string>& positional() const { return positional_; }
  void expect_no_positional() const;  // throws Error
  bool has(const std::string& name) const { return options_.count(name) > 0; }
  const std::string& required(const std::string& name) const;  // throws Error if missing
  std::string optional(const std::string& name, const std::string& otherwise) const;
  std::vector<std::string> all(const std::string& name) const;
  // Whole number or number in [low, high]; nothing if the option isn't given. Throw Error if it's something
  // else.
  std::optional<long> integer(const std::string& name, long low, long high) const;
  std::optional<double> number(const std::string& name, double low, double high) const;

 private:
  std::map<std::string, std::vector<std::string>> options_;
  std::vector<std::string> positional_;
};

}  // namespace smearscope::corpus
