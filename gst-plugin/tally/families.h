// A tally by families: white cells with their kinds, red cells with theirs, platelets.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cell_meta.h"

namespace smearscope {

struct Family {
  std::string name;
  int label = -1;                 // of the class of that name; -1: none was found under it
  guint64 count = 0;              // all cells of the family
  guint64 open = 0;               // of them, those whose kind is open: found under the family's own name
  bool weak = false;              // the class of that name is, see Cell
  std::vector<Tally::Row> kinds;  // in the tally's order
};

// In the order in which they come in the tally. A class of no family is one of its own, without kinds.
std::vector<Family> families_of(const Tally& tally);

// Cells of a family, of whatever kind.
guint64 cells_of(const std::string& family, const Tally& tally);

// Nucleated red cells, "erythroblast", are no white cells, and are reported per 100 of these, "wbc" (CLSI
// H20-A2; both names are the taxonomies'). Nothing for other families, and where no white cell was counted.
std::optional<double> per_100_white_cells(const Family& family, const Tally& tally);

// Platelets of the blood in 10^9/L: those among 1000 red cells, "platelet" and "rbc", times `factor`, which
// is the blood's red cells in 10^12/L or what a site found to fit its smears (ratio method). Nothing with a
// factor of 0, while fewer than 1000 red cells were counted, and before the first platelet: the model may
// know none.
std::optional<double> platelet_estimate(const Tally& tally, double factor);

}  // namespace smearscope
