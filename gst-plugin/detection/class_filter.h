// Which of a model's classes a user wants to keep.
#pragma once

#include <string>
#include <vector>

#include "smearscope/model.h"

namespace smearscope {

class ClassFilter {
 public:
  // `wanted`: class names separated by commas, blanks around them ignored; a class stands for its kinds, too;
  // empty keeps all. Throws Error on a name that the model does not know, listing those that it does.
  ClassFilter(const std::string& wanted, const ModelInfo& model);

  bool keeps_all() const { return keeps_all_; }
  bool keeps(int label) const { return kept_.at(static_cast<std::size_t>(label)); }

 private:
  bool keeps_all_;
  std::vector<bool> kept_;  // by label
};

// "wbc, rbc, platelet"
std::string joined(const std::vector<std::string>& names);

}  // namespace smearscope
