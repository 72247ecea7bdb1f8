// Writes the seeds of labels_fuzz, tables_fuzz or coco_fuzz into a new or existing folder:
// make_label_seeds labels|tables|coco FOLDER
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using Seeds = std::vector<std::pair<const char*, std::string>>;

const Seeds& label_seeds() {
  static const Seeds all{
      {"voc",
       "V<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY e "
       "\"x\">]><annotation><size><width>640</width><height>480"
       "</height></size><object><name> RBC &amp; &#x41;</name><bndbox><xmin>1.5</xmin><ymin>-2</ymin><xmax>30"
       "</xmax><ymax>4e1</ymax></bndbox></object><object><name>a</name></object></annotation>"},
      {"voc-cdata",
       "V<annotation><object><name><![CDATA[<x>]]></name><bndbox><xmin>1</xmin><ymin>1</ymin>"
       "<xmax>640</xmax><ymax>480</ymax></bndbox></object><!-- a --></annotation>"},
      {"yolo", "Y0 0.5 0.5 0.25 0.5\r\n2 0.1 0.1 0.9 0.1 0.5 0.9\n\n1 0.5 0.5 1 1\nx\n2 nan inf 1e9 0\n"},
      {"chula", "C60 50 0\r\n160.5 50 12\n60 50 0\n60 50 3\n640 1 2\n1 1 13\n"},
      {"yaml-lines",
       "Dpath: ../x # y\ntrain:\n  - a\n  - 'b'\nval: \"c\\\"\"\nnc: 2\nnames:\n  0: wbc\n  1: it's\n"},
      {"yaml-brackets", "Dtrain: images/train\r\nnames: [a b, 'it''s',\n  \"c\"]\n"},
      {"yaml-map", "Dnames: {0: a, 1: 'b', 7: c}\ntest: ''\n"},
      {"yaml-list", "Dnames:\n- a\n- '#1'  # b\n"},
      {"classes", "Lwbc\r\nred cell\n\nplatelet\n"},
  };
  return all;
}

const Seeds& table_seeds() {
  static const Seeds all{
      {"groups", "Gfile,group\na.jpg,1\n\"x/b.jpg\",\"slide \"\"2\"\"\"\n"},
      {"provenance",
       "Psource,source_file,sha256,file,rule,detail\ns,x/b.jpg,00ff,b.jpg,image,\ns,x/b.jpg,00ff,b.jpg,"
       "box clipped,\"a\nb\"\ns,c.jpg,,,file unreadable,why\n"},
      {"subtypes", "S\xEF\xBB\xBF,Image,Category\r\n,0,NEUTROPHIL\r\n,1,\"NEUTROPHIL, BASOPHIL\"\n,2,\n"},
      {"gallery",
       "Ccell,frame,class,confidence,x_min,y_min,x_max,y_max,pixel_size_um\n17,000003.png,lymphocyte,0.981,"
       "412.5,3.2,509.1,91.8,0.0731\n3,000003.png,\"a, "
       "\"\"b\"\"\",1,-1,0,1e3,9,0\r\n17,1.png,,0,0,0,0,0,0\nx\n"},
      {"taxonomy",
       "T[[class]]\nname = \"wbc\"\naliases = [\"w\"]\ngeneral = true\n[[class]]\nname = \"neutrophil\"\n"
       "parent = \"wbc\"\n[source.a]\nlabels = { N = \"neutrophil\", X = \"\" }\nexhaustive = [\"wbc\"]\n"
       "not_exhaustive = [\"neutrophil\"]\n"},
      {"build",
       "Btaxonomy = \"cells\"\ngeneral_wbc = \"drop\"\n[scale]\nlongest_side = 640\n[[source]]\nkind = "
       "\"bccd\"\ninput = \"a\"\nsubtypes = \"b.csv\"\n[split]\nval = 0.1\nseed = 3\nkeep_parts = true\n"},
      {"jpeg", std::string("H\xFF\xD8\xFF\xE0\0\4ab\xFF\xFF\xC0\0\x11\x08\0\x40\0\x60\3", 20)},
      {"png", std::string("H\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR\0\0\0\x40\0\0\0\x60", 25)},
      {"bmp", std::string("HBM\0\0\0\0\0\0\0\0\0\0\0\0\x28\0\0\0\x40\0\0\0\xA0\xFF\xFF\xFF", 27)},
      {"tiff", std::string("HII*\0\x08\0\0\0\2\0\0\1\3\0\1\0\0\0\x40\0\0\0\1\1\4\0\1\0\0\0\x60\0\0\0", 35)},
      {"webp", std::string("HRIFF\0\0\0\0WEBPVP8X\x0A\0\0\0\0\0\0\0\x3F\0\0\x5F\0\0", 31)},
  };
  return all;
}

const Seeds& coco_seeds() {
  static const Seeds all{
      {"small",
       R"({"categories": [{"id": 3, "name": "rbc", "supercategory": "cell"}, {"id": 1, "name": "x", "supercategory": "rbc"}],
"images": [{"id": 7, "file_name": "a/b.jpg", "width": 64, "height": 48, "source": "s", "source_file": "f", "group": "g",
 "pixel_size_um": 0.07, "neg_category_ids": [1], "not_exhaustive_category_ids": [3],
 "ignore_regions": [[1, 2, 3, 4]], "ignore_regions_complete": true}],
"annotations": [{"id": 1, "image_id": 7, "category_id": 3, "bbox": [0, 0.5, 64, 47.5], "iscrowd": 0, "label": "l",
 "box_origin": "segmented"}, {"id": 2, "image_id": 7, "category_id": 1, "bbox": [1, 1, 1, 1], "iscrowd": 1}]})"},
      {"annotations-first",
       R"({"annotations": [{"id": 1, "image_id": 2, "category_id": 3, "bbox": [1e1, 1, 2, 3]}],
"info": {"a": [1, {"b": null}]}, "images": [{"id": 2, "file_name": "c.jpg", "width": 20, "height": 20}],
"categories": [{"id": 3, "name": "\u00e4"}]})"},
      {"outside",
       R"({"categories": [], "images": [{"id": 1, "file_name": "../c.jpg", "width": 2, "height": 2}],
"annotations": []})"},
  };
  return all;
}

const Seeds& seeds_of(const std::string& target) {
  if (target == "labels") return label_seeds();
  if (target == "tables") return table_seeds();
  if (target == "coco") return coco_seeds();
  throw std::runtime_error("unknown target " + target);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: make_label_seeds labels|tables|coco FOLDER\n", stderr);
    return 2;
  }
  try {
    const std::filesystem::path folder = argv[2];
    std::filesystem::create_directories(folder);
    for (const auto& [name, bytes] : seeds_of(argv[1])) {
      std::ofstream file(folder / name, std::ios::binary);
      file << bytes;
      if (!file.flush()) throw std::runtime_error("cannot write " + (folder / name).string());
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "make_label_seeds: %s\n", error.what());
    return 1;
  }
}
