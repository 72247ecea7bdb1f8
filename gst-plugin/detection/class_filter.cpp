#include "detection/class_filter.h"

#include <algorithm>
#include <sstream>

#include "smearscope/error.h"

namespace smearscope {
namespace {

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t\n");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\n") - first + 1);
}

}  // namespace

ClassFilter::ClassFilter(const std::string& wanted, const std::vector<std::string>& known)
    : keeps_all_(trimmed(wanted).empty()), kept_(known.size(), keeps_all_) {
  if (keeps_all_) return;
  std::istringstream names(wanted);
  for (std::string item; std::getline(names, item, ',');) {
    const std::string name = trimmed(item);
    const auto found = std::find(known.begin(), known.end(), name);
    if (found == known.end()) {
      throw Error("classes: the model has no class \"" + name + "\"; it has " + joined(known));
    }
    kept_[static_cast<std::size_t>(found - known.begin())] = true;
  }
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace smearscope
