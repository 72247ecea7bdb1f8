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
       "DIR... --output DIR [--only SOURCE] [--copy] [--threads N]",
       "joins corpora of one taxonomy. A picture that is there twice (the same bytes, or compressed again,\n"
       "resized, turned, recoloured, cropped) is kept once: that of val and test before that of train, then\n"
       "that of the earlier DIR; finer classes of the others are taken over. A train image of a field that "
       "val\n"
       "or test shows is left out. --only takes images of one source and holds them to the others. Images "
       "are\n"
       "renamed to their ids. Files are hard links where the file system can; --copy makes copies.\n",
       {"output", "only", "threads"},
       {"copy"},
       {},
       run_merge},
      {"split",
       "DIR --output DIR [--val SHARE] [--test SHARE] [--seed N] [--groups FILE] [--keep-parts] [--copy]\n"
       "    [--threads N]",
       "parts a corpus into train, val (0.1) and test (0) with about the same share of each class and "
       "source.\n"
       "Images that show the same picture or field, or are of one declared group, get one part. --groups:\n"
       "a table (CSV, columns file,group) of slides or patients. --keep-parts: images that have a part keep "
       "it.\n",
       {"output", "val", "test", "seed", "groups", "threads"},
       {"keep-parts", "copy"},
       {},
       run_split},
      {"build",
       "--config FILE --output DIR [--data DIR] [--threads N]",
       "makes a corpus as the config (TOML) says: standardises each source, merges, splits. Steps are kept "
       "in\n"
       "OUTPUT.steps/, and what is up to date is not made again. --data: the folder of the data sets.\n",
       {"config", "output", "data", "threads"},
       {},
       {},
       run_build},
      {"check",
       "DIR [--threads N]",
       "holds a corpus to what it says: files, sizes, digests, boxes drawn twice or with classes that "
       "exclude\n"
       "each other, pictures that are there twice or in several parts. Exit status 1 if there are errors.\n",
       {"threads"},
       {},
       {},
       run_check},
      {"export",
       "DIR --format coco|voc|yolo|csv --output DIR [--link]",
       "writes a corpus for other tools. Images are copied; --link makes hard links.\n",
       {"format", "output"},
       {"link"},
       {},
       run_export},
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
