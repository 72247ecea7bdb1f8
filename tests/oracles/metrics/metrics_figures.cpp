// Figures of many small data sets, for comparison with pycocotools and LVIS.
//
// usage: metrics_figures CASES.json > FIGURES.json
//
// A case is {"categories": COUNT, "images": [{"truth": [[x, y, width, height, category, area, crowd], ...],
// "found": [[x, y, width, height, category, score], ...], "open": [category, ...]}, ...]}, categories from 0.
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "metrics/evaluation.h"

namespace {

using nlohmann::json;
using namespace smearscope::metrics;

Box box_of(const json& row) {
  return {row[0], row[1], row[2], row[3]};
}

Data data_of(const json& one) {
  Data data;
  data.categories.resize(one["categories"]);
  for (const json& from : one["images"]) {
    Image image;
    for (const json& row : from["truth"]) image.truth.push_back({box_of(row), row[4], row[5], row[6] == 1});
    for (const json& row : from["found"]) image.found.push_back({box_of(row), row[4], row[5]});
    for (const json& category : from["open"]) image.open.push_back(category);
    data.images.push_back(image);
  }
  return data;
}

json list_of(const CocoFigures& figures) {
  json list = json::array();
  for (const CocoFigure& figure : coco_figures()) list.push_back(figures.*figure.value);
  return list;
}

json report(const Figures& figures) {
  json categories = json::array();
  for (const CategoryFigures& of_category : figures.categories) {
    categories.push_back({{"coco", list_of(of_category.coco)},
                          {"precision_50", of_category.at_50.precision},
                          {"score_50", of_category.at_50.score},
                          {"precision_75", of_category.at_75.precision},
                          {"score_75", of_category.at_75.score}});
  }
  return {{"coco", list_of(figures.coco)}, {"categories", categories}};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  std::ifstream in(argv[1]);
  json all = json::array();
  for (const json& one : json::parse(in)) {
    const Data data = data_of(one);
    all.push_back({{"as_complete", report(evaluate(data, Labels::as_complete, 0.5))},
                   {"as_told", report(evaluate(data, Labels::as_told, 0.5))}});
  }
  std::cout << all << "\n";
}
