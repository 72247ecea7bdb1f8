// What stats and preview say about a corpus.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <pugixml.hpp>

#include "corpus_files.h"
#include "draw/palette.h"
#include "report/charts.h"
#include "report/html_report.h"
#include "report/json_report.h"
#include "report/samples.h"
#include "report/tables.h"

namespace smearscope::corpus {
namespace {

namespace fs = std::filesystem;
using smearscope::testing::smear_record;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int wbc = 0, rbc = 1, platelet = 2;

class ReportTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) / ("report_" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    corpus_.classes = {{"wbc", -1}, {"rbc", -1}, {"platelet", -1}};
  }
  void TearDown() override { fs::remove_all(folder_); }

  Image& add(const std::string& source, const std::vector<int>& categories,
             const std::string& part = "train") {
    const auto number = static_cast<unsigned>(corpus_.images.size());
    Image image = smear_record(folder_, "image" + std::to_string(number) + ".png", number, source);
    image.part = part;
    image.annotations.clear();
    double x = 2;
    for (const int category : categories) {
      image.annotations.push_back({{x, 4, x + 16, 4 + 16}, category, "label"});
      x += 18;
    }
    corpus_.images.push_back(image);
    return corpus_.images.back();
  }
  std::string page() { return html_report({"<Test> & co", "abc"}, corpus_, statistics_of(corpus_)); }

  fs::path folder_;
  Corpus corpus_;
};

TEST_F(ReportTest, TableOneCountsEachSourceAndAllTogether) {
  add("two", {wbc, rbc});
  add("one", {rbc, rbc, rbc}, "val");
  add("one", {});
  const Table table = sources_table(statistics_of(corpus_));
  EXPECT_THAT(table.rows, ElementsAre(ElementsAre("one", "2", "3", "1", "60.0 %"),
                                      ElementsAre("two", "1", "2", "2", "40.0 %"),
                                      ElementsAre("all", "3", "5", "2", "100.0 %")));
  const Table classes = classes_table(statistics_of(corpus_));
  EXPECT_THAT(classes.head, ElementsAre("class", "one", "two", "all", "in train", "in val"));
  EXPECT_THAT(classes.rows, ElementsAre(ElementsAre("wbc", "0", "1", "1", "1", "0"),
                                        ElementsAre("rbc", "3", "1", "4", "1", "3"),
                                        ElementsAre("boxes", "3", "2", "5", "2", "3")));
}

TEST_F(ReportTest, ClassIsCompleteWhereAbsentOrBoxedAndNotDeclaredPartial) {
  Image& first = add("s", {wbc, rbc});
  first.absent = {platelet};
  first.not_exhaustive = {rbc};
  add("s", {rbc}).not_exhaustive = {platelet};
  const Statistics statistics = statistics_of(corpus_);
  const auto& of = statistics.sources.front().per_class;
  EXPECT_THAT((std::vector<std::size_t>{of[wbc].exhaustive, of[wbc].absent, of[wbc].partial}),
              ElementsAre(1, 0, 0));
  EXPECT_THAT((std::vector<std::size_t>{of[rbc].exhaustive, of[rbc].absent, of[rbc].partial}),
              ElementsAre(1, 0, 1));
  EXPECT_THAT((std::vector<std::size_t>{of[platelet].exhaustive, of[platelet].absent, of[platelet].partial}),
              ElementsAre(0, 1, 1));
}

TEST_F(ReportTest, QuantileLiesBetweenNeighbours) {
  EXPECT_DOUBLE_EQ(quantile({}, 0.5), 0);
  EXPECT_DOUBLE_EQ(quantile({3}, 0.9), 3);
  EXPECT_DOUBLE_EQ(quantile({1, 2, 3, 4}, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(quantile({1, 2, 3, 4}, 1), 4);
}

TEST_F(ReportTest, ColumnsAreAlignedByCharactersNotBytes) {
  EXPECT_EQ(plain_text({{"a", "b"}, {{"µm", "1"}, {"x", "22"}}, false}), "a    b\n------\nµm   1\nx   22\n");
}

TEST_F(ReportTest, ChangesAndFilesLeftOutAreCountedByRuleAndSource) {
  add("one", {rbc}).changes = {{"box clipped", "a"}, {"box clipped", "b"}};
  corpus_.left_out.push_back({"two", "x.jpg", "", {"image repeated", "of y.jpg"}});
  EXPECT_THAT(changes_table(statistics_of(corpus_)).rows,
              ElementsAre(ElementsAre("file left out: image repeated", "0", "1", "1"),
                          ElementsAre("box clipped", "2", "0", "2")));
}

TEST_F(ReportTest, PageIsWellFormedAndNeedsNoNetworkOrScript) {
  add("one", {wbc, rbc, platelet}).pixel_size_um = 0.1;
  add("two", {rbc}, "val").changes = {{"box clipped", "a"}};
  corpus_.left_out.push_back({"two", "x.jpg", "", {"image repeated", "of y.jpg"}});
  const std::string text = page();
  pugi::xml_document document;
  const auto parsed = document.load_string(text.c_str());
  EXPECT_TRUE(parsed) << parsed.description() << " at " << text.substr(parsed.offset, 80);
  EXPECT_THAT(text, Not(HasSubstr("http")));
  EXPECT_THAT(text, Not(HasSubstr("<script")));
  EXPECT_THAT(text, Not(HasSubstr("@import")));
  EXPECT_EQ(document.select_nodes("//img").size(), 2U);
  for (const auto& image : document.select_nodes("//img")) {
    EXPECT_EQ(std::string(image.node().attribute("src").value()).rfind("data:image/jpeg;base64,/9j/", 0), 0U);
  }
}

TEST_F(ReportTest, NamesFromFilesCannotBecomeMarkup) {
  Image& image = add("<b>bold</b>", {wbc});
  image.source_file = "\"><script>alert(1)</script>";
  image.changes = {{"<i>rule", "x"}};
  corpus_.classes[wbc].name = "a&b<c>";
  corpus_.left_out.push_back({"<b>bold</b>", "<img src=x onerror=y>", "", {"r", "<u>"}});
  const std::string text = page();
  for (const char* bad : {"<script", "<b>bold", "<i>", "<u>", "<img src=x", "a&b<c>", "<Test>"}) {
    EXPECT_THAT(text, Not(HasSubstr(bad)));
  }
  EXPECT_THAT(text, HasSubstr("&lt;Test&gt; &amp; co"));
}

TEST_F(ReportTest, HistogramBarsHoldEveryValue) {
  const std::vector<float> values{-5, 0, 1, 9.99F, 10, 500};
  const std::string svg = histogram("t", {{0, &values}}, 0, 10, 5, "px");
  std::size_t sum = 0, bars = 0;
  for (std::size_t at = svg.find("px: "); at != svg.npos; at = svg.find("px: ", at + 1)) {
    sum += std::stoul(svg.substr(at + 4));
    ++bars;
  }
  EXPECT_EQ(sum, values.size());
  EXPECT_EQ(bars, 2U);  // the first and the last
  EXPECT_THAT(svg, HasSubstr("n = 6"));
}

TEST_F(ReportTest, JsonHoldsTheSameNumbers) {
  add("one", {wbc, rbc});
  add("two", {rbc}, "val").annotations[0].origin = BoxOrigin::fallback;
  corpus_.images[0].source_file = "bad\xFFname";
  const auto document = nlohmann::json::parse(json_report(statistics_of(corpus_)));
  EXPECT_EQ(document["total"]["boxes"], 3);
  EXPECT_EQ(document["sources"][1]["boxes_by_origin"]["fallback"], 1);
  EXPECT_EQ(document["sources"][0]["classes"]["rbc"]["box_side_px"][1], 16.0);
  EXPECT_EQ(document["parts"][1]["class_boxes"]["rbc"], 1);
}

TEST_F(ReportTest, SamplesCoverTheClassesFirst) {
  for (int i = 0; i < 20; ++i) add("one", {rbc});
  add("one", {platelet});
  add("one", {wbc});
  add("two", {wbc});
  const auto samples = sample_images(corpus_, {"one", -1}, 4);
  ASSERT_EQ(samples.size(), 4U);
  std::set<int> classes;
  for (const std::size_t i : samples) classes.insert(corpus_.images[i].annotations[0].category);
  EXPECT_THAT(classes, ElementsAre(wbc, rbc, platelet));
  EXPECT_EQ(samples, sample_images(corpus_, {"one", -1}, 4));
  EXPECT_EQ(sample_images(corpus_, {"", platelet}, 10).size(), 1U);
  EXPECT_EQ(sample_images(corpus_, {"two", platelet}, 10).size(), 0U);
  EXPECT_EQ(sample_images(corpus_, {}, 1000).size(), corpus_.images.size());
}

std::size_t pixels_of(const cv::Mat& picture, draw::Color color) {
  cv::Mat same;
  const cv::Scalar bgr(color.blue, color.green, color.red);
  cv::inRange(picture, bgr, bgr, same);
  return static_cast<std::size_t>(cv::countNonZero(same));
}

TEST_F(ReportTest, DrawnSampleShowsTheBoxesOfTheChosenClass) {
  const Image& image = add("one", {wbc, rbc});
  const cv::Mat all = drawn_sample(image, corpus_.classes, {}, 192, 192, 1);
  EXPECT_EQ(all.size(), cv::Size(192, 128));
  EXPECT_GT(pixels_of(all, draw::class_color(wbc, "")), 60U);
  EXPECT_GT(pixels_of(all, draw::class_color(rbc, "")), 60U);
  const cv::Mat one = drawn_sample(image, corpus_.classes, {"", rbc}, 192, 192, 1);
  EXPECT_EQ(pixels_of(one, draw::class_color(wbc, "")), 0U);
  EXPECT_GT(pixels_of(one, draw::class_color(rbc, "")), 60U);
}

TEST_F(ReportTest, ContactSheetHasRoomForWhatItShowsOnly) {
  for (int i = 0; i < images_per_sheet + 1; ++i) add("one", {rbc});
  const cv::Mat full = contact_sheet(corpus_.images, 0, corpus_.classes, {});
  const cv::Mat last = contact_sheet(corpus_.images, images_per_sheet, corpus_.classes, {});
  EXPECT_EQ(full.cols, last.cols);
  EXPECT_NEAR(full.rows, 3 * last.rows, 40);
  EXPECT_GT(pixels_of(last, draw::class_color(rbc, "")), 60U);
}

TEST_F(ReportTest, ImageOfAnotherSizeThanRecordedIsAnError) {
  add("one", {rbc}).width = 1000;
  EXPECT_THROW(page(), Error);
}

}  // namespace
}  // namespace smearscope::corpus
