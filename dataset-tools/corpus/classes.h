// The classes that the corpus tools write, and the names that data sets give them.
#pragma once

#include <string>
#include <vector>

namespace smearscope::corpus {

// wbc, rbc, platelet: white cell, red cell, platelet. COCO category ids are 1, 2, 3.
const std::vector<std::string>& cell_classes();

// 0-based index in cell_classes of a data set's name for a class, in any case ("WBC", "Platelets", ...).
// Throws Error if the name is unknown; `where` begins its message.
int class_index(const std::string& name, const std::string& where);

}  // namespace smearscope::corpus
