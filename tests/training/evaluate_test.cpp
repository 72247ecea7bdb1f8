// Between corpora, models and the metrics: reading, matching, reporting.
#include "evaluate/coco_results.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "corpus/folder.h"
#include "corpus_files.h"
#include "evaluate/detect.h"
#include "evaluate/json_report.h"
#include "evaluate/tables.h"
#include "temporary_folder.h"

namespace smearscope::training {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::TemporaryFolder;
using testing::write_text;

// One image (id 7) with a cell (category 5) and a crowd (3); another (id 4) with gaps in its labels.
const char* const two_images = R"({
  "categories": [{"id": 5, "name": "wbc", "supercategory": "cell"}, {"id": 3, "name": "rbc", "supercategory": "cell"},
                 {"id": 9, "name": "lymphocyte", "supercategory": "wbc"}],
  "images": [{"id": 7, "file_name": "b.png", "width": 96, "height": 64, "neg_category_ids": [3, 9]},
             {"id": 4, "file_name": "a.png", "width": 96, "height": 64, "neg_category_ids": [9],
              "not_exhaustive_category_ids": [3], "ignore_regions": [[1, 2, 3, 4]]}],
  "annotations": [
    {"id": 1, "image_id": 7, "category_id": 5, "bbox": [0.1, 0.2, 10.3, 20.7], "area": 150.5, "iscrowd": 0},
    {"id": 2, "image_id": 7, "category_id": 3, "bbox": [20, 20, 30, 30], "area": 10, "iscrowd": 1},
    {"id": 3, "image_id": 4, "category_id": 3, "bbox": [5, 5, 8, 8]}]})";

class Evaluate : public ::testing::Test {
 protected:
  Evaluate() {
    for (const char* name : {"a.png", "b.png"})
      testing::write_smear(folder_.file(std::string("corpus/images/") + name), 1);
    write_part(two_images);
  }
  void write_part(const std::string& text) { write_text(folder_.file("corpus/annotations/val.json"), text); }
  CorpusPart part() const { return read_part(folder_.file("corpus"), "val"); }

  std::string error_of_part(const std::string& name) const {
    return error_of([&] { read_part(folder_.file("corpus"), name); });
  }
  std::string error_of_results(const std::string& text) const {
    write_text(folder_.file("results.json"), text);
    return error_of([&] {
      CorpusPart p = part();
      read_results(folder_.file("results.json"), p);
    });
  }
  template <typename Action>
  static std::string error_of(Action action) {
    try {
      action();
    } catch (const Error& problem) {
      EXPECT_EQ(std::string(problem.what()).find('\n'), std::string::npos) << problem.what();
      return problem.what();
    }
    return "no error";
  }
  static ModelInfo model_of(std::vector<std::string> classes) {
    ModelInfo info;
    info.classes = std::move(classes);
    return info;
  }

  TemporaryFolder folder_;
};

TEST_F(Evaluate, BoxesAreThoseOfTheFileInTheOrderOfIds) {
  const CorpusPart p = part();
  ASSERT_EQ(p.images.size(), 2U);
  EXPECT_EQ(p.images[0].id, 4);
  EXPECT_THAT(p.category_ids, ElementsAre(3, 5, 9));
  EXPECT_EQ(p.boxes(), 2U);
  const metrics::TruthBox& cell = p.data.images[1].truth.at(0);
  EXPECT_EQ(cell.box.x, 0.1);
  EXPECT_EQ(cell.box.width, 10.3);
  EXPECT_EQ(cell.area, 150.5);
  EXPECT_EQ(cell.category, 1);
  EXPECT_FALSE(cell.crowd);
  EXPECT_TRUE(p.data.images[1].truth.at(1).crowd);
  EXPECT_EQ(p.data.images[0].truth.at(0).area, 64);
}

TEST_F(Evaluate, GapsInTheLabelsAreThoseOfTheCorpus) {
  const CorpusPart p = part();
  EXPECT_THAT(p.data.images[0].open, ElementsAre(0, 1));  // rbc: not exhaustive; wbc: nothing is said of it
  EXPECT_THAT(p.data.images[1].open, ElementsAre());
  ASSERT_EQ(p.data.images[0].ignore_regions.size(), 1U);
  EXPECT_EQ(p.data.images[0].ignore_regions[0].width, 3);
  EXPECT_EQ(p.data.categories[2].parent, 1);
}

TEST_F(Evaluate, APartThatIsNotThereIsAnError) {
  EXPECT_THAT(error_of_part("train"), AllOf(HasSubstr("no images in part 'train'"), HasSubstr("it has val")));
  EXPECT_THAT(error_of_part("dev"), HasSubstr("'dev'"));
}

TEST_F(Evaluate, APartWithoutBoxesIsAnError) {
  json document = json::parse(two_images);
  document["annotations"].erase(2);
  document["annotations"].erase(0);  // the crowd stays
  write_part(document.dump());
  EXPECT_THAT(error_of_part("val"), AllOf(HasSubstr("val.json"), HasSubstr("no boxes")));
}

TEST_F(Evaluate, ACrowdOrAreaThatIsNoneIsAnError) {
  for (const auto& [name, value] : {std::pair{"bbox", json(3)}, std::pair{"bbox", json({1, 2, 3, nullptr})},
                                    std::pair{"area", json("large")}, std::pair{"area", json(-1)},
                                    std::pair{"image_id", json(99)}, std::pair{"category_id", json(99)}}) {
    json document = json::parse(two_images);
    document["annotations"][1][name] = value;
    write_part(document.dump());
    EXPECT_THAT(error_of_part("val"), AllOf(HasSubstr("val.json"), HasSubstr("annotation 2")))
        << name << value;
  }
}

TEST_F(Evaluate, ResultsThatAreNoneAreNamedWithTheirNumber) {
  const json good{{"image_id", 7}, {"category_id", 5}, {"bbox", {1, 2, 3, 4}}, {"score", 0.5}};
  EXPECT_EQ(error_of_results(json({good, good}).dump()), "no error");
  EXPECT_EQ(error_of_results("[]"), "no error");
  const std::vector<std::pair<std::string, json>> changes{
      {"image_id", 8},         {"image_id", 7.5},       {"image_id", nullptr}, {"category_id", 1},
      {"category_id", "wbc"},  {"bbox", {1, 2, 3}},     {"bbox", "1 2 3 4"},   {"bbox", {1, 2, nullptr, 4}},
      {"bbox", {1, 2, -1, 4}}, {"score", nullptr},      {"score", 1.01},       {"score", -0.1},
      {"file_name", "a.png"},  {"category_name", "rbc"}};
  for (const auto& [name, value] : changes) {
    json bad = good;
    bad[name] = value;
    EXPECT_THAT(error_of_results(json({good, bad}).dump()), AllOf(HasSubstr("results.json: result 2: ")))
        << name << value;
  }
  for (const char* name : {"image_id", "category_id", "bbox", "score"}) {
    json bad = good;
    bad.erase(name);
    EXPECT_THAT(error_of_results(json::array({bad}).dump()), HasSubstr("result 1: \"" + std::string(name)))
        << name;
  }
  EXPECT_THAT(error_of_results("[3]"), HasSubstr("result 1: is not an object"));
  EXPECT_THAT(error_of_results("[[]]"), HasSubstr("result 1: is not an object"));
}

TEST_F(Evaluate, AFileThatIsNoListOfResultsIsAnError) {
  for (const char* text :
       {"", "{}", "3", "null", "[{\"score\": NaN}]", "[{\"score\": 1e999}]", "[{}", "\x89PNG"})
    EXPECT_THAT(error_of_results(text), HasSubstr("results.json: ")) << text;
  EXPECT_THAT(error_of([&] {
                CorpusPart p = part();
                read_results(folder_.file("nowhere.json"), p);
              }),
              HasSubstr("nowhere.json"));
}

TEST_F(Evaluate, WrittenResultsReadBackAsTheSameNumbers) {
  CorpusPart p = part(), again = part();
  p.data.images[0].found = {{{0.1F, 1.0 / 3, 2, 3}, 2, 0.9968637F}, {{1, 2, 3, 4}, 0, 0}};
  write_text(folder_.file("results.json"), results_json(p));
  read_results(folder_.file("results.json"), again);
  ASSERT_EQ(again.data.images[0].found.size(), 2U);
  EXPECT_EQ(again.data.images[0].found[0].box.x, p.data.images[0].found[0].box.x);
  EXPECT_EQ(again.data.images[0].found[0].score, p.data.images[0].found[0].score);
  EXPECT_EQ(again.data.images[0].found[0].category, 2);
}

TEST_F(Evaluate, ClassesAreMatchedByName) {
  CorpusPart p = part();
  const ClassMatch match = match_classes(model_of({"platelet", "wbc"}), p);
  EXPECT_THAT(match.category_of_label, ElementsAre(-1, 1));
  EXPECT_THAT(match.unknown_to_corpus, ElementsAre("platelet"));
  EXPECT_THAT(match.unknown_to_model, ElementsAre("rbc"));  // of lymphocyte there is no box
  EXPECT_FALSE(p.data.categories[0].evaluated);
  EXPECT_TRUE(p.data.categories[1].evaluated);
}

TEST_F(Evaluate, AModelWithoutCommonClassesIsAnError) {
  CorpusPart p = part();
  EXPECT_THAT(error_of([&] { match_classes(model_of({"car"}), p); }),
              HasSubstr("no boxes of the model's classes"));
  EXPECT_THAT(error_of([&] { match_classes(model_of({"lymphocyte"}), p); }), HasSubstr("no boxes"));
}

TEST_F(Evaluate, WhatIsFoundGoesToItsImageAndCategory) {
  CorpusPart p = part();
  const ClassMatch match = match_classes(model_of({"platelet", "wbc"}), p);
  int calls = 0;
  find_cells(
      [&](const cv::Mat& rgb) {
        EXPECT_EQ(rgb.cols, 96);
        ++calls;
        return Detections{{{1, 2, 4, 8}, 0.75F, calls == 1 ? 1 : 0}};
      },
      match, p);
  EXPECT_EQ(calls, 2);
  ASSERT_EQ(p.data.images[0].found.size(), 1U);
  EXPECT_EQ(p.data.images[0].found[0].category, 1);
  EXPECT_EQ(p.data.images[0].found[0].box.height, 6);
  EXPECT_TRUE(p.data.images[1].found.empty());  // the corpus has no platelets
}

TEST_F(Evaluate, AnImageOfAnotherSizeIsAnError) {
  testing::write_smear(folder_.file("corpus/images/b.png"), 1, 48, 32);
  CorpusPart p = part();
  const ClassMatch match = match_classes(model_of({"wbc"}), p);
  EXPECT_THAT(error_of([&] { find_cells([](const cv::Mat&) { return Detections(); }, match, p); }),
              AllOf(HasSubstr("b.png"), HasSubstr("48x32"), HasSubstr("96x64")));
}

Measured measure(const CorpusPart& p) {
  Measured m;
  m.corpus = "corpus";
  m.part = &p;
  m.detections = "results.json";
  m.count_threshold = 0.5;
  m.as_complete = metrics::evaluate(p.data, metrics::Labels::as_complete, 0.5);
  m.as_told = metrics::evaluate(p.data, metrics::Labels::as_told, 0.5);
  return m;
}

TEST_F(Evaluate, TheReportHasBothSetsOfFiguresAndNullWhereThereIsNone) {
  CorpusPart p = part();
  p.data.images[0].found = {{{50, 30, 8, 8}, 0, 0.9}, {{5, 5, 8, 8}, 0, 0.8}};
  const json report = json::parse(json_report(measure(p)));
  EXPECT_EQ(report["format"], "smearscope-evaluation");
  EXPECT_EQ(report["version"], 1);
  EXPECT_EQ(report["corpus"]["images"][0]["file_name"], "a.png");
  EXPECT_EQ(report["classes"][2]["parent"], "wbc");
  EXPECT_EQ(report["classes"][0]["category_id"], 3);
  EXPECT_TRUE(report["model"].is_null());
  const json &complete = report["coco"], &told = report["federated"];
  EXPECT_NEAR(complete["classes"][0]["coco"]["AP50"].get<double>(), 0.5, 1e-12);
  EXPECT_NEAR(told["classes"][0]["coco"]["AP50"].get<double>(), 1, 1e-12);
  EXPECT_TRUE(complete["classes"][2]["coco"]["AP50"].is_null());
  EXPECT_TRUE(complete["classes"][2]["curves"].is_null());
  EXPECT_TRUE(complete["classes"][1]["best_threshold"].is_null());
  EXPECT_EQ(complete["classes"][0]["curves"]["IoU50"]["precision"].size(), 101U);
  EXPECT_THAT(complete["classes"][0]["counts"]["found_by_image"], ElementsAre(2, 0));
  EXPECT_THAT(told["classes"][0]["counts"]["found_by_image"], ElementsAre(nullptr, 0));
  EXPECT_EQ(complete["confusion"][3], json({1, 0, 0, 0}));
  EXPECT_EQ(complete["calibration"]["all"]["bins"].size(), 15U);
  EXPECT_TRUE(complete["calibration"]["all"]["bins"][0]["precision"].is_null());
}

TEST_F(Evaluate, TablesSortClassesByBoxesAndShowFederatedFiguresWhereTheyDiffer) {
  CorpusPart p = part();
  p.data.images[0].truth.push_back(p.data.images[0].truth.front());
  p.data.images[1].found = {{{0.1, 0.2, 10.3, 20.7}, 1, 0.9}};
  const Measured same = measure(p);
  EXPECT_THAT(summary_table(same), AllOf(HasSubstr("mAP@.50"), Not(HasSubstr("federated"))));
  EXPECT_LT(classes_table(same).find("rbc"), classes_table(same).find("wbc"));
  EXPECT_THAT(classes_table(same), Not(HasSubstr("lymphocyte")));
  EXPECT_THAT(mistakes_table(same), HasSubstr("(missed)"));
  p.data.images[0].found = {{{50, 30, 8, 8}, 0, 0.9}, {{5, 5, 8, 8}, 0, 0.8}};
  EXPECT_THAT(summary_table(measure(p)), HasSubstr("federated"));
}

}  // namespace
}  // namespace smearscope::training
