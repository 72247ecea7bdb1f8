// The tables, charts, logs and failures that a report on runs shows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <pugixml.hpp>

#include "corpus_files.h"
#include "report/failures.h"
#include "report/paper_figures.h"
#include "report/plots.h"
#include "report/run_charts.h"
#include "report/run_tables.h"
#include "report_data_test.h"
#include "temporary_folder.h"

namespace smearscope::training {
namespace {

using testing::add_run;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::part_of_images;
using testing::truth_at;

constexpr const char* log_head =
    "step,epoch,learning_rate,objectness,rpn_box,classification,box,total,images_per_second,seconds,"
    "val_objectness,val_rpn_box,val_classification,val_box,val_total\n";

class TrainLogFile : public ::testing::Test {
 protected:
  std::vector<LogRow> read(const std::string& text) const {
    testing::write_text(folder_.file("train-log.csv"), text);
    return read_train_log(folder_.file("train-log.csv"));
  }
  std::string error_of(const std::string& text) const {
    try {
      read(text);
    } catch (const Error& problem) {
      return problem.what();
    }
    return "no error";
  }
  testing::TemporaryFolder folder_;
};

TEST_F(TrainLogFile, LossesOfAnEpochAreMeansOverItsSteps) {
  const auto log = read(std::string(log_head) +
                        "20,1,0.1,0,0,0,0,3,1,10,,,,,\n30,1,0.1,0,0,0,0,6,1,15,0,0,0,0,5\n"
                        "50,2,0.1,0,0,0,0,2,1,25,,,,,\n");
  ASSERT_EQ(log.size(), 3U);
  EXPECT_EQ(log[1].step, 30U);
  EXPECT_EQ(log[2].seconds, 25);
  const auto epochs = epoch_losses(log);
  ASSERT_EQ(epochs.size(), 2U);
  EXPECT_DOUBLE_EQ(epochs[0].training, 4);  // (20 * 3 + 10 * 6) / 30
  EXPECT_EQ(epochs[0].validation, 5);
  EXPECT_DOUBLE_EQ(epochs[1].training, 2);
  EXPECT_FALSE(epochs[1].validation);
}

TEST_F(TrainLogFile, AHalfWrittenLastLineIsLeftOut) {
  EXPECT_EQ(read(std::string(log_head) + "20,1,0.1,0,0,0,0,3,1,10,,,,,\n40,1,0.1,0,0").size(), 1U);
  EXPECT_EQ(read(log_head).size(), 0U);
}

TEST_F(TrainLogFile, WhatIsNoLogIsNamedWithItsLine) {
  const std::string row = "20,1,0.1,0,0,0,0,3,1,10,,,,,\n";
  EXPECT_THAT(error_of("step,loss\n1,2\n"),
              AllOf(HasSubstr("train-log.csv: line 1"), HasSubstr("step,epoch")));
  EXPECT_THAT(error_of(""), HasSubstr("train-log.csv: line 1"));
  EXPECT_THAT(error_of(log_head + row + "x,1,0.1,0,0,0,0,3,1,10,,,,,\n"), HasSubstr("line 3: step: 'x'"));
  EXPECT_THAT(error_of(log_head + row + row), HasSubstr("line 3: step: does not grow"));
  EXPECT_THAT(error_of(std::string(log_head) + "20,1,0.1,0,0,0,0,nan,1,10,,,,,\n"),
              HasSubstr("line 2: total"));
  EXPECT_THAT(error_of(std::string(log_head) + "20,1\n"), HasSubstr("line 2"));
}

// The means of the copied per-class scores are the paper's mAPs, to all its digits: no score was miscopied,
// and they are AP, not AP50.
TEST(PaperFigures, MeansOfItsClassesAreItsMaps) {
  paper::Pair sum;
  for (const paper::ClassScore& score : paper::class_scores)
    sum = {sum.r1 + score.ap.r1, sum.r2 + score.ap.r2};
  const auto map = paper::figure(&metrics::CocoFigures::ap);
  ASSERT_TRUE(map);
  EXPECT_NEAR(sum.r1 / 25, map->r1, 5e-5);
  EXPECT_NEAR(sum.r2 / 25, map->r2, 5e-5);
}

// One image, categories rbc, macrocyte (a kind of rbc), platelet and basophil, of which training saw few.
class ReportFigures : public ::testing::Test {
 protected:
  ReportFigures() { data_.train_boxes = {1000, 100, 100, 2}; }
  CorpusPart part(std::vector<metrics::TruthBox> truth, std::vector<metrics::FoundBox> found) const {
    metrics::Image image;
    image.truth = std::move(truth);
    image.found = std::move(found);
    return part_of_images(
        {{"rbc", -1, true}, {"macrocyte", 0, true}, {"platelet", -1, true}, {"basophil", -1, true}}, {image});
  }
  std::vector<Failure> failures(std::vector<metrics::TruthBox> truth, std::vector<metrics::FoundBox> found) {
    data_.runs.clear();
    add_run(data_, "run", part(std::move(truth), std::move(found)));
    return failures_of(data_, 0);
  }
  static std::vector<FailureKind> kinds(const std::vector<Failure>& failures) {
    std::vector<FailureKind> all;
    for (const Failure& failure : failures) all.push_back(failure.kind);
    return all;
  }
  ReportData data_;
};

enum { rbc, macrocyte, platelet, basophil };

TEST_F(ReportFigures, MissedCellsAreRareOrInAClusterOrAlone) {
  const auto found = failures({truth_at(0, 0, 20, basophil), truth_at(50, 0, 20, rbc),
                               truth_at(65, 0, 20, rbc), truth_at(100, 100, 20, rbc)},
                              {{{50, 0, 20, 20}, rbc, 0.9}, {{100, 100, 20, 20}, rbc, 0.4}});
  EXPECT_THAT(kinds(found),
              ElementsAre(FailureKind::missed_rare, FailureKind::missed_in_cluster, FailureKind::missed));
  EXPECT_EQ(description_of(found[0], data_), "basophil, missed");
}

TEST_F(ReportFigures, OneBoxAroundTwoCellsIsOneFailure) {
  const auto found =
      failures({truth_at(0, 0, 20, rbc), truth_at(18, 0, 20, rbc)}, {{{0, 0, 38, 20}, rbc, 0.9}});
  ASSERT_THAT(kinds(found), ElementsAre(FailureKind::merged));
  EXPECT_EQ(found[0].truth.size(), 2U);
  EXPECT_EQ(description_of(found[0], data_), "rbc + rbc → rbc 90%");
}

TEST_F(ReportFigures, APlateletOnARedCellIsNoMerger) {
  EXPECT_THAT(
      kinds(failures({truth_at(0, 0, 40, rbc), truth_at(10, 10, 8, platelet)}, {{{0, 0, 40, 40}, rbc, 0.9}})),
      ElementsAre(FailureKind::missed_in_cluster));
}

TEST_F(ReportFigures, AKindOfWhatIsLabelledIsNoWrongClass) {
  EXPECT_THAT(kinds(failures({truth_at(0, 0, 20, rbc)}, {{{0, 0, 20, 20}, macrocyte, 0.9}})), ElementsAre());
  EXPECT_THAT(kinds(failures({truth_at(0, 0, 20, macrocyte)}, {{{0, 0, 20, 20}, rbc, 0.9}})),
              ElementsAre(FailureKind::wrong_class));
}

TEST_F(ReportFigures, ASecondBoxIsFoundTwiceAndOneOnNothingAFalseAlarm) {
  EXPECT_THAT(kinds(failures({truth_at(0, 0, 20, rbc)}, {{{0, 0, 20, 20}, rbc, 0.9},
                                                         {{0, 0, 20, 19}, platelet, 0.8},
                                                         {{100, 0, 20, 20}, rbc, 0.7}})),
              ElementsAre(FailureKind::found_twice, FailureKind::false_alarm));
}

TEST_F(ReportFigures, ExamplesShowEachCombinationOfClassesBeforeAnyAgain) {
  const auto all = failures({}, {{{0, 0, 9, 9}, rbc, 0.7},
                                 {{20, 0, 9, 9}, rbc, 0.9},
                                 {{40, 0, 9, 9}, rbc, 0.8},
                                 {{60, 0, 9, 9}, platelet, 0.6}});
  const auto examples = examples_of(FailureKind::false_alarm, all, data_, 3);
  ASSERT_EQ(examples.size(), 3U);
  EXPECT_EQ(description_of(*examples[0], data_), "nothing → rbc 90%");
  EXPECT_EQ(description_of(*examples[1], data_), "nothing → platelet 60%");
  EXPECT_EQ(description_of(*examples[2], data_), "nothing → rbc 80%");
  EXPECT_EQ(examples_of(FailureKind::false_alarm, all, data_, 9).size(), 4U);
  EXPECT_EQ(count_by_kind(all)[static_cast<std::size_t>(FailureKind::false_alarm)], 4U);
}

TEST_F(ReportFigures, RunsStandBesideEachOtherWithTheChangeAndThePaper) {
  const std::vector<metrics::TruthBox> truth{truth_at(0, 0, 20, rbc), truth_at(50, 0, 20, basophil)};
  add_run(data_, "one", part(truth, {{{0, 0, 20, 20}, rbc, 0.9}}));
  add_run(data_, "two", part(truth, {{{0, 0, 20, 20}, rbc, 0.9}, {{50, 0, 20, 20}, basophil, 0.9}}));
  const Table table = class_table(data_, metrics::Labels::as_told, &metrics::CocoFigures::ap);
  EXPECT_THAT(table.head, ElementsAre("class", "boxes to train", "boxes in val", "one", "two", "change",
                                      "paper R1", "paper R2"));
  ASSERT_EQ(table.rows.size(), 3U);
  EXPECT_THAT(table.rows[0],
              ElementsAre("rbc", "1,000", "1", "1.0000", "1.0000", "+0.0000", "0.5213", "0.5462"));
  EXPECT_THAT(table.rows[1],
              ElementsAre("basophil", "2", "1", "0.0000", "1.0000", "+1.0000", "0.0000", "0.0000"));
  EXPECT_THAT(table.rows[2], ElementsAre("mean of 2 in all columns", "", "", "0.5000", "1.0000", "+0.5000",
                                         "0.2606", "0.2731"));
  EXPECT_FALSE(is_papers_task(data_));
  const Table figures = figures_table(data_, metrics::Labels::as_complete);
  EXPECT_THAT(figures.rows[0], ElementsAre("mAP (IoU .50:.95)", "0.5000", "1.0000", "+0.5000"));
  EXPECT_THAT(figures.rows.back(), ElementsAre("classes in the mean", "2", "2", ""));
}

TEST_F(ReportFigures, AClassThatAModelDoesNotKnowHasNoFigure) {
  CorpusPart known =
      part({truth_at(0, 0, 20, rbc), truth_at(50, 0, 20, basophil)}, {{{0, 0, 20, 20}, rbc, 0.9}});
  CorpusPart unknown = known;
  unknown.data.categories[basophil].evaluated = false;
  add_run(data_, "one", unknown);
  add_run(data_, "two", known);
  const Table table = class_table(data_, metrics::Labels::as_told, &metrics::CocoFigures::ap50);
  EXPECT_THAT(table.rows[1], ElementsAre("basophil", "2", "1", "–", "0.0000", "–"));
  EXPECT_EQ(table.rows[2][0], "mean of 1 in all columns");
  EXPECT_THAT(figures_table(data_, metrics::Labels::as_told).rows[0],
              ElementsAre("mAP (IoU .50:.95)", "1.0000", "0.5000", "–"));
  EXPECT_THAT(kinds(failures_of(data_, 0)), ElementsAre());
}

TEST_F(ReportFigures, RareAndFailingClassesAreListed) {
  add_run(data_, "one",
          part({truth_at(0, 0, 20, rbc), truth_at(50, 0, 20, basophil), truth_at(90, 0, 20, platelet)},
               {{{0, 0, 20, 20}, rbc, 0.9}}));
  const Table table = rare_table(data_);
  ASSERT_EQ(table.rows.size(), 2U);
  EXPECT_THAT(table.rows[0], ElementsAre("platelet", "100", "1", "0.0000", "–", "–"));
  EXPECT_THAT(table.rows[1], ElementsAre("basophil", "2", "1", "0.0000", "1,221", "0.0000"));
}

TEST_F(ReportFigures, SettingsAreSortedIntoDifferingAndShared) {
  add_run(data_, "one", part({truth_at(0, 0, 20, rbc)}, {}));
  add_run(data_, "two", part({truth_at(0, 0, 20, rbc)}, {}));
  data_.runs[0].settings = {{"backbone", "resnet18"}, {"training.epochs", "2"}};
  data_.runs[1].settings = {{"backbone", "resnet18"}, {"training.epochs", "3"}, {"seed", "7"}};
  EXPECT_THAT(differing_settings(data_).rows,
              ElementsAre(ElementsAre("training.epochs", "2", "3"), ElementsAre("seed", "–", "7")));
  EXPECT_THAT(shared_settings(data_).rows, ElementsAre(ElementsAre("backbone", "resnet18")));
}

TEST_F(ReportFigures, LossesStandByEpoch) {
  add_run(data_, "one", part({truth_at(0, 0, 20, rbc)}, {}));
  data_.runs[0].log = {{10, 1, 3, 1, 2.5}, {20, 2, 2, 2, {}}, {30, 3, 1, 3, 1.5}};
  EXPECT_THAT(loss_table(data_).rows,
              ElementsAre(ElementsAre("1", "3.00000", "2.50000"), ElementsAre("3", "1.00000", "1.50000")));
  const std::string chart = svg(loss_chart(data_));
  EXPECT_THAT(chart,
              AllOf(HasSubstr("one, training"), HasSubstr("one, validation"), HasSubstr("stroke-dasharray")));
}

TEST_F(ReportFigures, TheConfusionMatrixShowsWhatWasCounted) {
  add_run(data_, "one",
          part({truth_at(0, 0, 20, rbc), truth_at(50, 0, 20, basophil)},
               {{{0, 0, 20, 20}, platelet, 0.9}, {{90, 0, 9, 9}, rbc, 0.9}}));
  const std::string chart = svg(confusion_chart(data_, 0));
  pugi::xml_document document;
  ASSERT_TRUE(document.load_string(chart.c_str()));
  EXPECT_THAT(chart, AllOf(HasSubstr(">platelet<"), HasSubstr(">missed<"), HasSubstr(">nothing there<")));
  EXPECT_EQ(chart.find("macrocyte"), std::string::npos);  // neither labelled nor found
  EXPECT_EQ(document.select_nodes("//text[.='1']").size(), 3U);
}

TEST(Ticks, AreRoundNumbersInsideTheAxis) {
  EXPECT_THAT(ticks({0, 1, ""}, 4), ElementsAre(0, 0.25, 0.5, 0.75, 1));
  EXPECT_THAT(ticks({-100, 100, ""}, 4), ElementsAre(-100, -50, 0, 50, 100));
  const auto steps = ticks({0, 2280, ""}, 8);
  EXPECT_THAT(steps, ElementsAre(0, 500, 1000, 1500, 2000));
}

TEST(LineChart, LinesEndAtTheEdgeOfThePlot) {
  const Drawing drawing =
      line_chart("t", {0, 2, ""}, {0, 1, ""}, {{"c", {{0, 0}, {1, 2}, {2, 0}}, run_color(0)}});
  int pieces = 0;
  double top = 1e9, bottom = 0;
  for (const Shape& shape : drawing.shapes) {
    const Path* path = std::get_if<Path>(&shape);
    if (path == nullptr || !(path->color == run_color(0)) || path->width > 2)
      continue;  // thicker: the legend's
    ++pieces;
    for (const Point& p : path->points) top = std::min(top, p.y), bottom = std::max(bottom, p.y);
    EXPECT_EQ(path->points.size(), 2U);
  }
  EXPECT_EQ(pieces, 2);  // up to the edge at x = 0.5, and down from it at 1.5
  EXPECT_NEAR(bottom - top, 300, 1e-9);
}

TEST(DotChart, ValuesBeyondTheAxisAreArrowsAndMissingOnesAreNot) {
  const double nan = std::nan("");
  const Drawing drawing =
      dot_chart("t", {"a", "b", "c"}, {-1, 1, ""}, {{"s", run_color(0), false, {0.5, 9, nan}}});
  int discs = 0, arrows = 0;
  for (const Shape& shape : drawing.shapes) {
    discs += std::holds_alternative<Disc>(shape);
    const Path* path = std::get_if<Path>(&shape);
    arrows += path != nullptr && path->filled;
  }
  EXPECT_EQ(discs, 2);  // that of the legend and that of "a"
  EXPECT_EQ(arrows, 1);
}

// The same shapes as text and as pixels: size and colour are those of the drawing.
TEST(DrawingFile, IsTheSameAsSvgAndAsPng) {
  Drawing drawing{40, 30, "a < b", {}};
  drawing.rectangle({0, 0}, 40, 30, Color{1, 2, 3});
  drawing.shapes.emplace_back(Label{{5, 12}, "<&>", Anchor::start, 6, draw::white});
  pugi::xml_document document;
  ASSERT_TRUE(document.load_string(svg(drawing).c_str()));
  EXPECT_STREQ(document.child("svg").attribute("aria-label").value(), "a < b");
  EXPECT_STREQ(document.child("svg").child_value("text"), "<&>");
  EXPECT_STREQ(document.child("svg").child("polygon").attribute("fill").value(), "#010203");
  const std::string bytes = png(drawing, 2);
  const cv::Mat pixels = cv::imdecode(std::vector<char>(bytes.begin(), bytes.end()), cv::IMREAD_COLOR);
  EXPECT_EQ(pixels.cols, 80);
  EXPECT_EQ(pixels.rows, 60);
  EXPECT_EQ(pixels.at<cv::Vec3b>(55, 75), cv::Vec3b(3, 2, 1));
  cv::Mat grey;
  cv::cvtColor(pixels, grey, cv::COLOR_BGR2GRAY);
  EXPECT_GT(cv::countNonZero(grey > 200), 10);  // the text
}

}  // namespace
}  // namespace smearscope::training
