// Data sets of every kind, to be broken, and what is said of them then.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "corpus_files.h"
#include "readers/reader.h"
#include "temporary_folder.h"

namespace smearscope::testing {

namespace fs = std::filesystem;
using corpus::Change;
using corpus::Corpus;
using corpus::Image;
using corpus::LeftOut;

inline constexpr const char* one_object =
    "<annotation><object><name>RBC</name><bndbox><xmin>10</xmin><ymin>10</ymin><xmax>30</xmax>"
    "<ymax>40</ymax></bndbox></object></annotation>";

inline constexpr const char* coco_json =
    R"({"categories": [{"id": 1, "name": "rbc"}],
        "images": [{"id": 1, "file_name": "one.jpg", "width": 96, "height": 64}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 10, 20, 30]}]})";

// A data set of each kind with one image and one cell, made in `folder`, and where its files are.
struct Layout {
  const char* source;
  const char *image, *labels;                              // "": the image's name is its label
  std::vector<std::pair<const char*, const char*>> texts;  // what else is needed
  const char* label_text;
  const char* expected;  // begins what an error about another layout says
};

inline const std::vector<Layout>& layouts() {
  static const std::vector<Layout> all{
      {"bccd",
       "JPEGImages/one.jpg",
       "Annotations/one.xml",
       {{"ImageSets/Main/train.txt", "one\n"}, {"ImageSets/Main/val.txt", ""}},
       one_object,
       "no BCCD: expected "},
      {"voc", "JPEGImages/one.jpg", "Annotations/one.xml", {}, one_object, "no Pascal VOC: expected "},
      {"txl",
       "images/train/one.jpg",
       "labels/train/one.txt",
       {{"images/val/.keep", ""}, {"labels/val/.keep", ""}},
       "1 0.5 0.5 0.2 0.2\n",
       "no TXL-PBC: expected "},
      {"yolo",
       "images/train/one.jpg",
       "labels/train/one.txt",
       {{"data.yaml", "names: [wbc, rbc]\n"}},
       "1 0.5 0.5 0.2 0.2\n",
       "no YOLO: expected "},
      {"chula", "Dataset/one.jpg", "Label/one.txt", {}, "20 20 0\n", "no Chula RBC-12: expected "},
      {"pbc", "platelet/PLATELET_1.jpg", "", {}, "", "no PBC: expected "},
      {"gallery",
       "frames/one.jpg",
       "cells.csv",
       {{"confirmed/rbc/000001.png", ""}},
       "cell,frame,class,confidence,x_min,y_min,x_max,y_max,pixel_size_um\n1,one.jpg,rbc,0.9,10,10,30,40,0\n",
       "no gallery: expected "},
      {"coco", "images/one.jpg", "annotations/train.json", {}, coco_json, "not a corpus: annotations/"},
  };
  return all;
}

// Has each image labels of its own, in a file of its name?
inline bool has_label_files(const Layout& layout) {
  const std::string source = layout.source;
  return *layout.labels && source != "coco" && source != "gallery";
}

class HostileInput : public ::testing::Test {
 protected:
  fs::path in(const std::string& name = "") const { return fs::path(folder_.file("set")) / name; }

  void make(const Layout& layout) {
    fs::remove_all(in());
    write_smear(in(layout.image), 1);
    if (*layout.labels) write_text(in(layout.labels), layout.label_text);
    for (const auto& [name, text] : layout.texts) write_text(in(name), text);
  }
  static const Layout& layout(const std::string& source) {
    return *std::find_if(layouts().begin(), layouts().end(),
                         [&](const Layout& each) { return each.source == source; });
  }
  Corpus read(const std::string& source) { return corpus::read_all(corpus::find_reader(source).open(in())); }

  // Everything that was said about the set: a line for each change and each file left out, or the error.
  std::string told(const std::string& source) {
    std::ostringstream out;
    try {
      const Corpus set = read(source);
      for (const Image& image : set.images) {
        for (const Change& change : image.changes)
          out << image.source_file << ": " << change.rule << ": " << change.detail << "\n";
      }
      for (const LeftOut& left : set.left_out)
        out << left.source_file << ": " << left.change.rule << ": " << left.change.detail << "\n";
    } catch (const Error& problem) {
      out << "error: " << problem.what() << "\n";
    }
    return out.str();
  }
  static long lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

  TemporaryFolder folder_;
};

}  // namespace smearscope::testing
