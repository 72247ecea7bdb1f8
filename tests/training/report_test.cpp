// smearscope-train's report on runs: from run folders to the page.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>

#include "corpus/folder.h"
#include "corpus/image_io.h"
#include "corpus_files.h"
#include "evaluate/coco_results.h"
#include "evaluate/json_report.h"
#include "evaluate/measure.h"
#include "report/kept_evaluation.h"
#include "report/run_page.h"
#include "report/run_tables.h"
#include "temporary_folder.h"
#include "tiny_model.h"

namespace smearscope::training {
namespace {

namespace fs = std::filesystem;
using MeasuredRun = Run;  // testing::Test has a Run of its own
using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::write_text;

std::string text_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Two runs of random models and a corpus of two sources, whose names would be markup if they weren't escaped.
class RunReport : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new testing::TemporaryFolder;
    ModelInfo info = testing::tiny_model_info();
    info.regimen = "name = 'tiny'\n[training]\nepochs = 2\nlearning_rate = 0.1\nmin_sides = [96, 128]\n";
    fs::create_directories(file("first"));
    testing::write_random_model(file("first/model.safetensors"), info, 1);
    info.regimen = "name = 'tiny'\n[training]\nepochs = 3\nlearning_rate = 0.1\nmin_sides = [96, 128]\n";
    fs::create_directories(file(strange));
    testing::write_random_model(file(std::string(strange) + "/model.safetensors"), info, 2);
    write_text(file("first/train-log.csv"), std::string(log_header) +
                                                "\n20,1,0.1,0,0,0,0,1.5,1,10,0,0,0,0,1.25\n" +
                                                "40,2,0.1,0,0,0,0,1.125,1,20,0,0,0,0,1.0625\n");
    corpus::Corpus corpus;
    corpus.classes = testing::cell_classes();
    for (const char* source : {"alpha", "<i>beta"}) {
      for (const char* part : {"train", "val"}) {
        const std::string name = std::to_string(corpus.images.size()) + ".png";
        corpus.images.push_back(testing::smear_record(file("source"), name, 3, source));
        corpus.images.back().part = part;
        corpus.images.back().source_file = "x<y>&.png";
        if (corpus.images.back().part == "val") add_some_found(corpus.images.back());
      }
    }
    corpus::write_corpus(file("corpus"), corpus);
  }
  static void TearDownTestSuite() { delete folder_; }
  // Labels that the first model finds, so that figures are neither 0 nor 1.
  static void add_some_found(corpus::Image& image) {
    const FindCells find = through_engine(
        std::make_shared<Detector>(Model::load(file("first/model.safetensors")), DetectorOptions()),
        {0.001, 0.5, 40});
    const Detections found = find(corpus::read_image(image.path));
    for (std::size_t i = 0; i < found.size(); i += 4) {
      const Box& box = found[i].box;
      image.annotations.push_back({{box.x_min, box.y_min, box.x_max, box.y_max}, found[i].label});
    }
  }
  static std::string file(const std::string& name) { return folder_->file(name); }

  static MeasureOptions options() {
    return {file("corpus"), corpus::digest_of(corpus::read_corpus(file("corpus"))), 0.5, 1,
            file("models-only")};
  }
  // Both runs, measured; low scores count, so that random models have something to show.
  static ReportData measured() {
    ReportData data;
    data.runs = read_runs({file("first"), file(strange)});
    data.corpus = file("corpus");
    MeasureOptions o = options();
    o.count_threshold = 0.35;
    data.corpus_digest = o.corpus_digest;
    data.train_boxes = {6, 4, 0};
    const CorpusPart part = read_part(file("corpus"), "val");
    for (MeasuredRun& run : data.runs) measure(run, part, o);
    return data;
  }
  static std::string page_of(const std::vector<ReportFile>& files) { return files.back().bytes; }

  static constexpr const char* log_header =
      "step,epoch,learning_rate,objectness,rpn_box,classification,box,total,images_per_second,seconds,"
      "val_objectness,val_rpn_box,val_classification,val_box,val_total";
  static constexpr const char* strange = "<b>&\"second\"";
  static testing::TemporaryFolder* folder_;
};

testing::TemporaryFolder* RunReport::folder_ = nullptr;

TEST_F(RunReport, RunsAreReadWithTheirSettingsAndLog) {
  const std::vector<MeasuredRun> runs = read_runs({file("first"), file(strange)});
  EXPECT_EQ(runs[0].name, "first");
  EXPECT_EQ(runs[1].name, strange);
  EXPECT_EQ(runs[0].log.size(), 2U);
  EXPECT_TRUE(runs[1].log.empty());
  const auto value = [&](const std::string& key) {
    for (const Setting& setting : runs[0].settings)
      if (setting.key == key) return setting.value;
    return std::string("none");
  };
  EXPECT_EQ(value("training.epochs"), "2");
  EXPECT_EQ(value("training.learning_rate"), "0.1");
  EXPECT_EQ(value("training.min_sides"), "[96, 128]");
  EXPECT_EQ(value("log ends at"), "epoch 2, step 40");
  EXPECT_EQ(value("backbone"), "resnet18");
}

TEST_F(RunReport, FilesThatAreMissingOrBrokenAreNamed) {
  const auto error_of = [](const std::vector<std::string>& paths) -> std::string {
    try {
      read_runs(paths);
    } catch (const Error& problem) {
      return problem.what();
    }
    return "no error";
  };
  fs::create_directories(file("empty"));
  write_text(file("broken/model.safetensors"), "no model");
  EXPECT_THAT(error_of({file("empty")}),
              AllOf(HasSubstr("empty: has no model.safetensors"), Not(HasSubstr("\n"))));
  EXPECT_THAT(error_of({file("broken")}), HasSubstr("broken/model.safetensors"));
  EXPECT_THAT(error_of({file("nowhere/m.safetensors")}), HasSubstr("nowhere/m.safetensors"));
  EXPECT_THAT(error_of({file("first"), file("first")}), HasSubstr("is there twice"));
}

TEST_F(RunReport, RunsOfTheSameNameAreCalledByTheirPaths) {
  fs::create_directories(file("copies"));
  fs::copy(file("first"), file("copies/first"));
  const std::vector<MeasuredRun> runs = read_runs({file("first"), file("copies/first")});
  EXPECT_EQ(runs[0].name, file("first"));
  EXPECT_EQ(runs[1].name, file("copies/first"));
}

TEST_F(RunReport, ThePageIsWellFormedAndNeedsNothingElse) {
  const std::vector<ReportFile> files = report_files(measured());
  const std::string page = page_of(files);
  EXPECT_EQ(files.back().name, "report.html");
  pugi::xml_document document;
  const pugi::xml_parse_result parsed = document.load_string(page.c_str(), pugi::parse_full);
  ASSERT_TRUE(parsed) << parsed.description() << " at "
                      << page.substr(static_cast<std::size_t>(parsed.offset), 80);
  EXPECT_GT(document.select_nodes("//img").size(), 8U);
  for (const pugi::xpath_node& image : document.select_nodes("//img"))
    EXPECT_THAT(image.node().attribute("src").value(), ::testing::StartsWith("data:image/jpeg;base64,"));
  EXPECT_TRUE(document.select_nodes("//script | //link | //iframe").empty());
  for (const char* outside : {"http:", "https:", "url(", "@import"})
    EXPECT_EQ(page.find(outside), std::string::npos) << outside;
}

TEST_F(RunReport, ForeignTextIsEscaped) {
  const std::string page = page_of(report_files(measured()));
  for (const char* markup : {"<b>&\"", "<i>beta", "x<y>"})
    EXPECT_EQ(page.find(markup), std::string::npos) << markup;
  for (const char* text : {"&lt;b&gt;&amp;&quot;second&quot;", "&lt;i&gt;beta", "x&lt;y&gt;&amp;.png"})
    EXPECT_THAT(page, HasSubstr(text));
}

// What `evaluate` writes for the model is what the page says.
TEST_F(RunReport, FiguresAreThoseThatWereMeasured) {
  const ReportData data = measured();
  const std::string page = page_of(report_files(data));
  const auto kept = nlohmann::json::parse(text_of(file("first/evaluation-val.json")));
  for (const char* key : {"AP", "AP50", "AR100"}) {
    char text[32];
    std::snprintf(text, sizeof text, "<td>%.4f</td>", kept["coco"]["coco"][key].get<double>());
    EXPECT_THAT(page, HasSubstr(text)) << key;
  }
  EXPECT_GT(kept["coco"]["coco"]["AP"].get<double>(), 0.01);
  EXPECT_THAT(page, AllOf(HasSubstr("<td>1.50000</td><td>1.25000</td>"), HasSubstr("<td>1.06250</td>")));
}

TEST_F(RunReport, ChartsAndPicturesAreFilesToo) {
  std::vector<std::string> names;
  for (const ReportFile& each : report_files(measured())) {
    names.push_back(each.name);
    if (each.name == "report.html") continue;
    const cv::Mat picture =
        cv::imdecode(std::vector<char>(each.bytes.begin(), each.bytes.end()), cv::IMREAD_COLOR);
    EXPECT_FALSE(picture.empty()) << each.name;
  }
  for (const char* name : {"classes.png", "loss.png", "precision-recall.png", "precision-recall-classes.png",
                           "confusion-1-first.png", "confusion-2-_b___second_.png", "counts.png",
                           "calibration.png", "predictions.png", "failures-1-first.png"})
    EXPECT_THAT(names, ::testing::Contains(name));
}

// Detections with scores that no model gave show where they come from.
class KeptEvaluation : public RunReport {
 protected:
  KeptEvaluation() {
    fs::remove(file("first/evaluation-val.json"));
    fs::remove(file("first/results-val.json"));
    part_ = read_part(file("corpus"), "val");
  }
  MeasuredRun measure_first(const MeasureOptions& o = options()) {
    std::vector<MeasuredRun> runs = read_runs({file("first")});
    measure(runs[0], part_, o);
    return runs[0];
  }
  static std::size_t count(const MeasuredRun& run) {
    std::size_t sum = 0;
    for (const metrics::Image& image : run.part->data.images) sum += image.found.size();
    return sum;
  }
  static bool has_score(const MeasuredRun& run, double score) {
    for (const metrics::Image& image : run.part->data.images) {
      for (const metrics::FoundBox& box : image.found)
        if (box.score == score) return true;
    }
    return false;
  }
  // The kept results, with the first score changed to 0.125.
  static std::string marked_results() {
    auto results = nlohmann::json::parse(text_of(file("first/results-val.json")));
    results[0]["score"] = 0.125;
    return results.dump();
  }
  CorpusPart part_;
};

TEST_F(KeptEvaluation, IsTakenWhereModelAndCorpusAreTheSame) {
  const MeasuredRun fresh = measure_first();
  ASSERT_GT(count(fresh), 0U);
  EXPECT_FALSE(has_score(fresh, 0.125));
  write_text(file("first/results-val.json"), marked_results());
  const MeasuredRun again = measure_first();
  EXPECT_TRUE(has_score(again, 0.125));
  EXPECT_EQ(count(again), count(fresh));
  EXPECT_EQ(again.measured.through, "engine");

  // Files from before there was a choice say nothing of the precision, which was f32.
  auto document = nlohmann::json::parse(text_of(file("first/evaluation-val.json")));
  EXPECT_EQ(document["settings"].erase("precision"), 1U);
  write_text(file("first/evaluation-val.json"), document.dump());
  const MeasuredRun old = measure_first();
  EXPECT_TRUE(has_score(old, 0.125));
  EXPECT_EQ(old.measured.precision, "f32");
}

TEST_F(KeptEvaluation, IsMadeAnewForAnotherModelOrCorpusOrWhereItIsBroken) {
  const MeasuredRun fresh = measure_first();
  const std::string evaluation = text_of(file("first/evaluation-val.json")), results = marked_results();
  const auto with = [&](const char* where, const char* key, const nlohmann::json& value) {
    auto document = nlohmann::json::parse(evaluation);
    document[where][key] = value;
    return document.dump();
  };
  const std::vector<std::pair<std::string, std::string>> broken{
      {with("model", "sha256", "other"), results},
      {with("corpus", "sha256", "other"), results},
      {with("corpus", "part", "test"), results},
      {with("settings", "score_threshold", 0.05), results},
      {with("settings", "max_detections", 7), results},
      {"{}", results},
      {evaluation.substr(0, 300), results},
      {evaluation, results.substr(0, results.size() / 2)},
      {evaluation, "[]"}};
  for (const auto& [kept, kept_results] : broken) {
    write_text(file("first/evaluation-val.json"), kept);
    write_text(file("first/results-val.json"), kept_results);
    const MeasuredRun again = measure_first();
    EXPECT_FALSE(has_score(again, 0.125)) << kept.substr(0, 80);
    EXPECT_EQ(count(again), count(fresh));
    EXPECT_EQ(text_of(file("first/evaluation-val.json")), evaluation);
  }
}

TEST_F(KeptEvaluation, OfAModelFileIsInTheOutputFolder) {
  std::vector<MeasuredRun> runs = read_runs({file("first/model.safetensors")});
  EXPECT_EQ(runs[0].name, "model");
  fs::create_directories(file("models-only"));
  measure(runs[0], part_, options());
  const std::string mark = runs[0].model->digest().substr(0, 12);
  EXPECT_TRUE(fs::exists(file("models-only/evaluation-" + mark + "-val.json")));
  EXPECT_FALSE(fs::exists(file("first/evaluation-val.json")));
}

}  // namespace
}  // namespace smearscope::training
