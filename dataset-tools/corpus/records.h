// What a corpus says: images, the cells in them, what is known about what is not labelled, and where all of
// it came from.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace smearscope::corpus {

// Pixels of the image, continuous coordinates: the whole image is 0, 0, width, height.
struct Box {
  double x_min = 0, y_min = 0, x_max = 0, y_max = 0;

  double width() const { return x_max - x_min; }
  double height() const { return y_max - y_min; }
  double area() const { return width() * height(); }
};

// Area that two boxes have in common over the area that they cover together, 0..1.
double intersection_over_union(const Box& a, const Box& b);
// Do two boxes mean one cell? IoU of at least 0.9: two cells that overlap don't come that close.
bool are_of_one_cell(const Box& a, const Box& b);

// Who drew the box: a person, or a model, and a person confirmed it; the program, around the segmented cell;
// or the program, where no cell could be segmented: a box of the usual size (a stand-in).
enum class BoxOrigin { labelled, segmented, fallback };

const char* name_of(BoxOrigin origin);  // as in files: "labelled", "segmented", "fallback"

struct Annotation {
  Box box;            // inside the image, with area
  int category = -1;  // index into Corpus::classes (the category id in COCO is one more); -1: not mapped yet
  std::string label = "";  // the source's own, often finer name: "SNE", "3"
  BoxOrigin origin = BoxOrigin::labelled;
};

// One thing that was done to an image or its labels, and why.
struct Change {
  std::string rule;    // what was done: one of `rules`
  std::string detail;  // to what (file, line, label) and why, for a person
};

// The names of changes that the tools make; provenance.csv and the reports count by them.
namespace rules {
inline constexpr const char* label_unreadable =
    "label unreadable";                                    // left out; the image's labels have a gap
inline constexpr const char* box_clipped = "box clipped";  // it reached outside the image
inline constexpr const char* box_without_area = "box without area";  // left out
inline constexpr const char* label_doubled = "label doubled";        // left out: same box, same label
inline constexpr const char* labels_contradict =
    "labels contradict";  // left out: two classes for one cell; now an ignore region
inline constexpr const char* box_fallback = "box of usual size";  // no cell could be segmented
inline constexpr const char* label_unknown = "label unknown";     // not in the taxonomy; now an ignore region
inline constexpr const char* class_dropped = "class dropped";     // by the taxonomy; now an ignore region
inline constexpr const char* image_scaled = "image scaled";
inline constexpr const char* class_refined = "class refined";      // by a copy's labels, or by a table
inline constexpr const char* class_corrected = "class corrected";  // by a person who looked at the cell
inline constexpr const char* image_repeated = "image repeated";    // left out: same bytes as another
inline constexpr const char* image_resembles = "image resembles";  // left out: near-duplicate of another
inline constexpr const char* file_unreadable = "file unreadable";  // left out
inline constexpr const char* file_unpaired =
    "file unpaired";  // left out: image without label, or the reverse
}  // namespace rules

// Completeness of labels, as in LVIS (Gupta et al., 2019): a class is labelled exhaustively in an image if it
// is in `absent`, or has annotations and is not in `not_exhaustive`. Of any other class nothing is known:
// there may be cells of it without a label.
struct Image {
  std::int64_t id =
      0;             // in the COCO file it was read from; 0: none. Written ids are places in Corpus::images
  std::string file;  // name in the corpus's images/ folder
  int width = 0, height = 0;  // pixels
  std::string source;         // data set it comes from: "bccd", "txl", ...
  std::string source_file;    // its file in that data set, relative to the data set's folder
  std::string sha256;         // of that file, 64 hex digits; "" if not known
  std::string part;           // "train", "val", "test", or "" where the corpus is not split
  std::string group;          // images of one group (a slide, a patient) stay in one part; "" for none
  double pixel_size_um = 0;   // µm per pixel, told, or estimated from the red cells; 0: unknown
  std::vector<Annotation> annotations;
  std::vector<int> absent;          // classes with no cell here (LVIS neg_category_ids), ascending
  std::vector<int> not_exhaustive;  // classes of which cells may be unlabelled (not_exhaustive_category_ids)
  std::vector<Box> ignore_regions;  // cells in here may be unlabelled, whatever their class
  bool regions_complete = false;    // no unlabelled cell is outside of these regions
  std::vector<Change> changes;      // in the order they were made
  std::filesystem::path path;       // where its bytes are now; not written to the corpus
};

struct Class {
  std::string name;
  int parent = -1;  // index of the class that this one is a kind of; -1: none
};

inline bool operator==(const Class& a, const Class& b) {
  return a.name == b.name && a.parent == b.parent;
}
inline bool operator!=(const Class& a, const Class& b) {
  return !(a == b);
}

// Is `category` the class `ancestor`, or a kind of it?
bool is_kind_of(const std::vector<Class>& classes, int category, int ancestor);
// Can one cell be both? So if one is a kind of the other.
bool are_compatible(const std::vector<Class>& classes, int category, int other);

// A file of a source that is not in the corpus, and why.
struct LeftOut {
  std::string source, source_file;
  std::string sha256;  // "" if not known
  Change change;
};

struct Corpus {
  std::vector<Class> classes;  // parents before or after their children, as the taxonomy lists them
  std::vector<Image> images;
  std::vector<LeftOut> left_out;
};

std::vector<std::string> class_names(const Corpus& corpus);

// How many images are of `part`.
std::size_t count_of_part(const Corpus& corpus, const std::string& part);

}  // namespace smearscope::corpus
