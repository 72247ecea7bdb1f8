// Options on command lines: --option VALUE and --flag.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "smearscope/error.h"
#include "smearscope/model.h"

namespace smearscope::training {

// What ends the line about a mistake on the command line.
inline constexpr const char* see_help = "; see smearscope-train --help";

// What to do with the value of each option, and for each flag; names with "--".
using OptionTakers = std::map<std::string, std::function<void(const std::string&)>>;
using FlagTakers = std::map<std::string, std::function<void()>>;

// Throws Error on an unknown option or one without its value, and whatever the takers throw.
void take_options(const std::vector<std::string>& words, const OptionTakers& options,
                  const FlagTakers& flags = {});

// Throws Error if `value` is empty.
void require(const char* option, const std::string& value);

// Values of options; throw Error, naming the option, on anything else.
double number(const std::string& option, const std::string& text, double low, double high);
std::uint64_t whole(const std::string& option, const std::string& text, std::uint64_t high);
DType weights_dtype(const std::string& option, const std::string& text);  // f32, f16 or bf16

}  // namespace smearscope::training
