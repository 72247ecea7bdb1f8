#include "tools/commands.h"

namespace smearscope::corpus {

const std::vector<Command>& commands() {
  static const std::vector<Command> all{
      {"standardise",
       "--source KIND --input DIR --output DIR [--taxonomy NAME|FILE] [--general-wbc keep|drop]\n"
       "    [--longest-side PIXELS | --pixel-size UM] [--threads N]",
       "reads a data set in its own layout and writes it as a corpus: images/, annotations/*.json (COCO) "
       "and\n"
       "provenance.csv. The taxonomy says which classes there are: cells (wbc, rbc, platelet; the default),\n"
       "paper (24 classes), or a file. --general-wbc drop leaves out white cells that the source doesn't "
       "tell\n"
       "apart further. --longest-side makes larger images smaller; --pixel-size brings all to so many\n"
       "micrometres per pixel, as estimated from their red cells. Other images are copied as they are.\n",
       {"source", "input", "output", "taxonomy", "general-wbc", "longest-side", "pixel-size", "threads"},
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
      {"stats",
       "DIR [--html FILE] [--json FILE]",
       "prints what a corpus holds: images, boxes, classes and share of each source, boxes of each class,\n"
       "scale, and what was repaired or left out. --html writes a page with charts and samples that needs\n"
       "nothing else, --json the numbers.\n",
       {"html", "json"},
       {},
       {},
       run_stats},
      {"preview",
       "DIR --output DIR [--count N] [--source NAME] [--class NAME]",
       "draws contact sheets (PNG) of N images (36) with their boxes and names, of all sources and classes "
       "or\n"
       "one. A dashed box is a stand-in of the usual size.\n",
       {"output", "count", "source", "class"},
       {},
       {},
       run_preview},
      {"fetch",
       "[KIND] [--output DIR] [--mirror URL|FILE] [--sha256 HEX]",
       "downloads a data set from its public home (without KIND: lists them), goes on where an earlier try\n"
       "ended, checks the digest and unpacks into DIR (default: ./KIND). --mirror names another place of "
       "the\n"
       "same archive, or a local copy.\n",
       {"output", "mirror", "sha256"},
       {},
       {},
       run_fetch},
  };
  return all;
}

}  // namespace smearscope::corpus
