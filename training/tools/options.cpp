#include "tools/options.h"

#include <cstdlib>

namespace smearscope::training {

void take_options(const std::vector<std::string>& words, const OptionTakers& options,
                  const FlagTakers& flags) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto flag = flags.find(words[i]);
    if (flag != flags.end()) {
      flag->second();
      continue;
    }
    const auto option = options.find(words[i]);
    if (option == options.end()) throw Error("unknown option '" + words[i] + "'" + see_help);
    if (i + 1 >= words.size()) throw Error(words[i] + " needs a value" + see_help);
    option->second(words[++i]);
  }
}

void require(const char* option, const std::string& value) {
  if (value.empty()) throw Error(std::string(option) + " is missing" + see_help);
}

double number(const std::string& option, const std::string& text, double low, double high) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !(value >= low && value <= high)) {
    throw Error(option + ": '" + text + "' is not a number in its range" + see_help);
  }
  return value;
}

std::uint64_t whole(const std::string& option, const std::string& text, std::uint64_t high) {
  const bool digits =
      !text.empty() && text.size() < 19 && text.find_first_not_of("0123456789") == std::string::npos;
  const std::uint64_t value = digits ? std::strtoull(text.c_str(), nullptr, 10) : 0;
  if (!digits || value > high)
    throw Error(option + ": '" + text + "' is not a whole number in its range" + see_help);
  return value;
}

DType weights_dtype(const std::string& option, const std::string& text) {
  if (text == "f32") return DType::f32;
  if (text == "f16") return DType::f16;
  if (text == "bf16") return DType::bf16;
  throw Error(option + ": '" + text + "' is not f32, f16 or bf16");
}

}  // namespace smearscope::training
