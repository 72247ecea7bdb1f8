// A corpus in other tools' formats. What a format can't say is lost: only COCO and CSV say where images came
// from, only COCO how complete labels are.
#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "corpus/folder.h"
#include "corpus/stored_corpus.h"
#include "smearscope/error.h"

namespace smearscope::corpus {

// annotations/instances_PART.json (the corpus's own JSON, docs/corpus-format.md) and images/.
void export_coco(const StoredCorpus& corpus, const NewFolder& folder);

// Pascal VOC: JPEGImages/NAME.jpg, Annotations/NAME.xml, ImageSets/Main/PART.txt. Boxes are as in the corpus
// (continuous, the image's corner is 0, 0), with decimals only where there are any.
void export_voc(const StoredCorpus& corpus, const NewFolder& folder);

// Ultralytics YOLO: images/PART/NAME.jpg, labels/PART/NAME.txt ("class x_centre y_centre width height",
// shares of the image), data.yaml.
void export_yolo(const StoredCorpus& corpus, const NewFolder& folder);

// images.csv, boxes.csv, classes.csv and images/.
void export_csv(const StoredCorpus& corpus, const NewFolder& folder);

struct ExportFormat {
  const char* name;
  // Writes labels, with their folders, into `folder`. Throws Error if something can't be written or two
  // images would get one name.
  void (*write_labels)(const StoredCorpus& corpus, const NewFolder& folder);
  // Where the image goes in the folder.
  std::string (*image_name)(const Image& image);
};

const std::vector<ExportFormat>& export_formats();

// Writes a new folder with labels and images in the format of that name ("coco", "voc", "yolo", "csv").
// Throws Error if there is no such format, or as NewFolder and ExportFormat::write_labels do.
void export_corpus(const StoredCorpus& corpus, const std::string& format, const std::filesystem::path& folder,
                   Transfer transfer);

// For formats: a file with that text, or with what `write` writes. Throw Error if it can't be written.
void write_text_file(const std::filesystem::path& file, const std::string& text);
void write_text_file(const std::filesystem::path& file, const std::function<void(std::ostream&)>& write);
// "train", "val", "test"; "all" for images of no part.
std::string part_name(const Image& image);
// The name without its extension.
std::string stem_of(const Image& image);
// Throws Error if two images have the same.
void check_stems(const StoredCorpus& corpus);
// With up to two decimals, as few as it takes: "12", "12.5".
std::string shortest(double pixels);

}  // namespace smearscope::corpus
