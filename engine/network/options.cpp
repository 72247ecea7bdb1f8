// Texts of the detector's options.
#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "smearscope/detector.h"

namespace smearscope {
namespace {

constexpr std::array<std::pair<Precision, const char*>, 5> precision_names{{{Precision::f32, "f32"},
                                                                            {Precision::f16, "f16"},
                                                                            {Precision::bf16, "bf16"},
                                                                            {Precision::int8, "int8"},
                                                                            {Precision::automatic, "auto"}}};

bool is_index(const std::string& text) {
  return !text.empty() && text.size() <= 3 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

}  // namespace

Device Device::parse(const std::string& text) {
  const std::string prefix = "cuda:";
  if (text == "cpu") return cpu();
  if (text == "cuda") return cuda();
  if (text == "auto") return automatic();
  if (text.compare(0, prefix.size(), prefix) == 0 && is_index(text.substr(prefix.size())))
    return cuda(std::stoi(text.substr(prefix.size())));
  throw Error("unknown device \"" + text + "\"; use cpu, cuda, cuda:N or auto");
}

std::string Device::to_string() const {
  switch (kind) {
    case Kind::cpu:
      return "cpu";
    case Kind::automatic:
      return "auto";
    case Kind::cuda:
      break;
  }
  return "cuda:" + std::to_string(index);
}

Precision parse_precision(const std::string& text) {
  for (const auto& [precision, name] : precision_names)
    if (text == name) return precision;
  throw Error("unknown precision \"" + text + "\"; use f32, f16, bf16, int8 or auto");
}

const char* name_of(Precision precision) {
  for (const auto& [known, name] : precision_names)
    if (precision == known) return name;
  throw Error("unknown precision " + std::to_string(static_cast<int>(precision)));
}

}  // namespace smearscope
