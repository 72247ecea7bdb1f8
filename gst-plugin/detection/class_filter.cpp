#include "detection/class_filter.h"

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
  std::vector<std::string> names;
  std::istringstream items(wanted);
  for (std::string item; std::getline(items, item, ',');) names.push_back(trimmed(item));
  try {
    kept_ = with_kinds(model, names);
  } catch (const Error& error) {
    throw Error(std::string("classes: ") + error.what());
  }
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace smearscope
