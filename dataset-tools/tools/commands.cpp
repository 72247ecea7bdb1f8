#include "tools/commands.h"

namespace smearscope::corpus {

const std::vector<Command>& commands() {
  static const std::vector<Command> all{
      {"standardise",
       "--source KIND --input DIR --output DIR [--taxonomy NAME|FILE] [--general-wbc keep|drop] [--threads "
       "N]",
       "reads a data set in its own layout and writes it as a corpus: images/ (the files themselves,\n"
       "unchanged), annotations/*.json (COCO) and provenance.csv. The taxonomy says which classes there "
       "are:\n"
       "cells (wbc, rbc, platelet; the default), paper (24 classes), or a file. --general-wbc drop leaves "
       "out\n"
       "white cells that the source doesn't tell apart further.\n",
       {"source", "input", "output", "taxonomy", "general-wbc", "threads"},
       {},
       {},
       run_standardise},
      {"merge",
       "DIR... --output DIR",
       "joins corpora; a training image that copies any validation image, byte for byte,\n"
       "resized, turned or recoloured, is left out.\n",
       {"output"},
       {},
       {},
       run_merge},
  };
  return all;
}

}  // namespace smearscope::corpus
