// Readers: a data set's own folder layout and labels -> records. One file each; the recipe is in README.md.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "corpus/image_io.h"
#include "corpus/stored_corpus.h"
#include "smearscope/error.h"

namespace smearscope::corpus {

// A data set, opened: its images in the order of their source files, and how to label one of them.
struct DataSet {
  // With source, source_file, file (a name for the corpus, unique in the set), path, and, where the set says,
  // part and group. Not yet annotations, width or height.
  StoredList<Image> images;
  // The set's own classes, where it has a list of them; else empty, and labels alone say what there is.
  std::vector<Class> classes;
  // Its images say themselves (absent, not_exhaustive: indices into `classes`) how complete their labels are;
  // otherwise the taxonomy knows.
  bool gives_completeness = false;
  // Only some of the cells have labels: no class is exhaustive, whatever the taxonomy says.
  bool is_partial = false;
  // Files of the set that are no image with labels: an image without label, a label without image.
  StoredList<LeftOut> left_out;
  // Adds the annotations of `image`, with their `label` (the source's own) and, where the set has `classes`,
  // with the index into them as category (the taxonomy makes the corpus's category of the one or the other);
  // says in `changes` what was dropped or repaired. width and height are set by then; `file` has the
  // pixels for those who need them. Throws Error, naming the file, if the labels or the pixels can't be read:
  // the image is then left out and reported. Called once an image, from several threads at once.
  std::function<void(Image& image, ImageFile& file)> label;
};

struct Reader {
  const char* name;         // --source
  const char* description;  // one line for --help
  // Throws Error, saying what it expected where, if `folder` doesn't have the data set's layout.
  DataSet (*open)(const std::filesystem::path& folder);
};

DataSet open_bccd(const std::filesystem::path& folder);
DataSet open_chula(const std::filesystem::path& folder);
DataSet open_pbc(const std::filesystem::path& folder);
DataSet open_sickle(const std::filesystem::path& folder);
DataSet open_txl(const std::filesystem::path& folder);
DataSet open_gallery(const std::filesystem::path& folder);
DataSet open_coco(const std::filesystem::path& folder);
DataSet open_voc(const std::filesystem::path& folder);
DataSet open_yolo(const std::filesystem::path& folder);

const std::vector<Reader>& readers();
const Reader& find_reader(const std::string& name);  // throws Error with the known names

// Reads image `index` of the set: the record with its labels, sizes and digest. `file` is the open image.
Image read_labelled(const DataSet& set, std::size_t index, ImageFile& file);

// All of them, on `threads` threads (0: all processors), without pixels; what can't be read is added to the
// left_out of the result. Categories are not mapped (taxonomy.h).
Corpus read_all(const DataSet& set, unsigned threads = 0);

// For readers: adds the annotation with its box clipped to the image, or notes in `changes` why not: no area,
// or there already (same box, same label). `where` (file and line or object) begins the notes.
void add_annotation(Image& image, const Annotation& annotation, const std::string& where);

// For readers: the part of a box that is inside the image; none if that has no area.
std::optional<Box> part_inside(const Box& box, const Image& image);

// For readers: notes a label that can't be understood. The image stays, with labels that aren't exhaustive.
void note_unreadable_label(Image& image, const std::string& where, const std::string& problem);

// For readers: a decimal number, the whole text, finite. Is it one?
bool parse_number(const std::string& text, double& value);

}  // namespace smearscope::corpus
