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

ClassFilter::ClassFilter(const std::string& wanted, const ModelInfo& model)
    : keeps_all_(trimmed(wanted).empty()), kept_(model.classes.size(), keeps_all_) {
  if (keeps_all_) return;
  const std::vector<std::string>& known = model.classes;
  std::istringstream names(wanted);
  for (std::string item; std::getline(names, item, ',');) {
    const std::string name = trimmed(item);
    const auto found = std::find(known.begin(), known.end(), name);
    if (found == known.end()) {
      throw Error("classes: the model has no class \"" + name + "\"; it has " + joined(known));
    }
    const auto label = static_cast<int>(found - known.begin());
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      const auto other = static_cast<int>(i);
      if (other == label || is_kind_of(model, other, label)) kept_[i] = true;
    }
  }
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace smearscope
