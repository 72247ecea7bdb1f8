#include "corpus/classes.h"

#include <algorithm>
#include <cctype>
#include <map>

#include "smearscope/error.h"

namespace smearscope::corpus {

const std::vector<std::string>& cell_classes() {
  static const std::vector<std::string> classes{"wbc", "rbc", "platelet"};
  return classes;
}

int class_index(const std::string& name, const std::string& where) {
  static const std::map<std::string, int> known{{"wbc", 0}, {"rbc", 1}, {"platelet", 2}, {"platelets", 2}};
  std::string lower = name;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto found = known.find(lower);
  if (found == known.end()) {
    throw Error(where + ": unknown class '" + name + "'; known are WBC, RBC and Platelets");
  }
  return found->second;
}

}  // namespace smearscope::corpus
