// smearscope-train evaluate and quantise as a user meets them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "corpus/folder.h"
#include "corpus/image_io.h"
#include "corpus_files.h"
#include "smearscope/detector.h"
#include "temporary_folder.h"
#include "tiny_model.h"

namespace smearscope {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

class EvaluateProgram : public ::testing::Test {
 protected:
  struct Result {
    int status = -1;
    std::string output;  // standard output and error together
  };

  // Random weights find random boxes; every fourth of them is a cell of the corpus, so that figures are
  // neither 0 nor 1.
  static void SetUpTestSuite() {
    folder_ = new testing::TemporaryFolder;
    ModelInfo info = testing::tiny_model_info();
    testing::write_random_model(file("m.safetensors"), info, 1);
    info.classes = {"car"};
    testing::write_random_model(file("car.safetensors"), info, 1);
    info.classes = {"platelet", "rbc", "car"};
    testing::write_random_model(file("other.safetensors"), info, 1);
    corpus::Corpus corpus;
    corpus.classes = testing::cell_classes();
    for (const char* name : {"a.png", "b.png"}) {
      corpus.images.push_back(testing::smear_record(file("source"), name, 1));
      corpus.images.back().part = "val";
      corpus.images.back().annotations = every_fourth_found(corpus.images.back());
    }
    corpus::write_corpus(file("corpus"), corpus);
  }
  static void TearDownTestSuite() { delete folder_; }

  static std::vector<corpus::Annotation> every_fourth_found(const corpus::Image& image) {
    const cv::Mat rgb = corpus::read_image(image.path);
    Frame frame;
    frame.width = rgb.cols;
    frame.height = rgb.rows;
    frame.planes[0] = {rgb.data, static_cast<std::ptrdiff_t>(rgb.step)};
    Detector detector(Model::load(file("m.safetensors")), DetectorOptions());
    const Detections found = detector.detect({frame}, Thresholds{0.001, 0.5, 40}).front();
    std::vector<corpus::Annotation> annotations{{{1, 1, 9, 9}, 0}};  // a wbc that nobody finds
    for (std::size_t i = 0; i < found.size(); i += 4) {
      const Box& box = found[i].box;
      annotations.push_back({{box.x_min, box.y_min, box.x_max, box.y_max}, found[i].label});
    }
    return annotations;
  }

  static std::string file(const std::string& name) { return folder_->file(name); }

  // Runs the program in the suite's folder with `arguments` as a shell reads them.
  static Result run(const std::string& arguments, const std::string& verb = "evaluate") {
    const char* program = std::getenv("SMEARSCOPE_TRAIN_PROGRAM");
    if (program == nullptr) throw std::runtime_error("SMEARSCOPE_TRAIN_PROGRAM is not set");
    const std::string command =
        "exec 2>&1; cd " + folder_->path() + "; " + program + " " + verb + " " + arguments;
    std::FILE* pipe = ::popen(command.c_str(), "r");
    if (pipe == nullptr) throw std::runtime_error("cannot run the program");
    Result result;
    char buffer[4096];
    for (std::size_t got = 0; (got = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;)
      result.output.append(buffer, got);
    const int status = ::pclose(pipe);
    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return result;
  }

  // Each request (arguments, what the message names) fails with one line. `more` follows all arguments.
  static void expect_one_line(const std::vector<std::pair<std::string, std::string>>& requests,
                              const std::string& verb, const std::string& more) {
    for (const auto& [arguments, named] : requests) {
      const Result result = run(arguments + more, verb);
      EXPECT_EQ(result.status, 1) << arguments;
      EXPECT_THAT(result.output, HasSubstr(named)) << arguments;
      EXPECT_EQ(std::count(result.output.begin(), result.output.end(), '\n'), 1) << result.output;
    }
  }

  static json report(const std::string& name) {
    std::ifstream in(file(name));
    return json::parse(in);
  }

  static testing::TemporaryFolder* folder_;
};

testing::TemporaryFolder* EvaluateProgram::folder_ = nullptr;

TEST_F(EvaluateProgram, TheEngineAndLibTorchAreMeasuredAlike) {
  for (const char* through : {"engine", "libtorch"}) {
    const std::string name = through;
    const Result result = run("--corpus corpus --model ./m.safetensors --threads 1 --through " + name +
                              " --json " + name + ".json");
    ASSERT_EQ(result.status, 0) << result.output;
    EXPECT_THAT(result.output,
                AllOf(HasSubstr("2 images, 22 boxes"), HasSubstr("mAP (IoU .50:.95)"), HasSubstr("wbc")));
  }
  const json engine = report("engine.json"), libtorch = report("libtorch.json");
  EXPECT_EQ(engine["settings"]["through"], "engine");
  EXPECT_EQ(engine["settings"]["precision"], "f32");
  EXPECT_GT(engine["coco"]["coco"]["AP"].get<double>(), 0.01);
  EXPECT_EQ(engine["model"]["name"], "tiny");
  EXPECT_EQ(engine["settings"]["score_threshold"], 0.001);
  for (const char* key : {"AP", "AP50", "AR1", "AR100"}) {
    EXPECT_NEAR(engine["coco"]["coco"][key].get<double>(), libtorch["coco"]["coco"][key].get<double>(), 5e-4)
        << key;
  }
}

TEST_F(EvaluateProgram, WrittenResultsGiveTheSameFiguresWithoutTheModel) {
  ASSERT_EQ(run("--corpus corpus --model ./m.safetensors --results r.json --json run.json").status, 0);
  const Result result = run("--corpus corpus --detections r.json --json read.json");
  ASSERT_EQ(result.status, 0) << result.output;
  for (const char* set : {"coco", "federated"}) EXPECT_EQ(report("run.json")[set], report("read.json")[set]);
  EXPECT_GT(report("run.json")["coco"]["coco"]["AR100"].get<double>(), 0);
}

TEST_F(EvaluateProgram, MaxDetectionsLimitsEachImage) {
  ASSERT_EQ(run("--corpus corpus --model ./m.safetensors --max-detections 3 --results few.json").status, 0);
  EXPECT_EQ(report("few.json").size(), 6U);
}

TEST_F(EvaluateProgram, ClassesWithoutCounterpartAreNamedAndLeftOut) {
  const Result result = run("--corpus corpus --model ./other.safetensors --json other.json");
  ASSERT_EQ(result.status, 0) << result.output;
  EXPECT_THAT(result.output,
              AllOf(HasSubstr("left out of all figures: car"), HasSubstr("left out of all figures: wbc")));
  const json classes = report("other.json")["classes"];
  EXPECT_EQ(classes[0]["evaluated"], false);
  EXPECT_EQ(report("other.json")["coco"]["classes"].size(), 2U);
  EXPECT_EQ(report("other.json")["model"]["classes_unknown_to_corpus"], json({"car"}));
}

TEST_F(EvaluateProgram, AQuantisedModelIsMeasuredInInt8) {
  const Result made = run(
      "--corpus corpus --part val --model ./m.safetensors --output q.safetensors --threads 1", "quantise");
  ASSERT_EQ(made.status, 0) << made.output;
  EXPECT_THAT(made.output, AllOf(HasSubstr("q.safetensors: written"), HasSubstr("measured on 2 images")));
  const auto model = Model::load(file("q.safetensors"));
  EXPECT_EQ(model->info().activation_ranges.size(), 31U);
  EXPECT_EQ(model->info().classes, Model::load(file("m.safetensors"))->info().classes);

  // The same weights in both: those of the file, which are int8.
  const Result exact = run("--corpus corpus --model ./q.safetensors --precision f32 --json q32.json"),
               quick = run("--corpus corpus --model ./q.safetensors --json q8.json");
  ASSERT_EQ(exact.status, 0) << exact.output;
  ASSERT_EQ(quick.status, 0) << quick.output;
  const json settings = report("q8.json")["settings"];
  if (settings["precision"] == "f32") GTEST_SKIP() << "this processor lacks the instructions for int8";
  EXPECT_EQ(settings["precision"], "int8");
  EXPECT_THAT(quick.output, HasSubstr("through the engine in int8"));
  EXPECT_NE(report("q8.json")["coco"], report("q32.json")["coco"]);
  EXPECT_NEAR(report("q8.json")["coco"]["coco"]["AR100"].get<double>(),
              report("q32.json")["coco"]["coco"]["AR100"].get<double>(), 0.2);
}

TEST_F(EvaluateProgram, QuantisingDrawsTheSameImagesBySeed) {
  corpus::Corpus unlike;
  unlike.classes = testing::cell_classes();
  for (const int seed : {1, 2}) {
    unlike.images.push_back(
        testing::smear_record(file("source"), "unlike" + std::to_string(seed) + ".png", seed));
    unlike.images.back().part = "val";
  }
  corpus::write_corpus(file("unlike"), unlike);
  const std::string words = "--corpus unlike --part val --model ./m.safetensors --images 1 --output ";
  for (const char* name : {"one", "again"})
    ASSERT_EQ(run(words + name + ".safetensors --seed 5", "quantise").status, 0);
  const auto digest = [&](const std::string& name) {
    return Model::load(file(name + ".safetensors"))->digest();
  };
  EXPECT_EQ(digest("one"), digest("again"));
  int others = 0;
  for (const char* seed : {"1", "2", "3", "4", "6", "7"}) {
    ASSERT_EQ(run(words + "other.safetensors --seed " + seed, "quantise").status, 0);
    others += digest("other") != digest("one");
  }
  EXPECT_GT(others, 0) << "each seed draws the same of two images";
}

TEST_F(EvaluateProgram, QuantisingInVainIsOneLineAndLeavesNothing) {
  testing::write_text(file("broken.safetensors"), "no model");
  const std::vector<std::pair<std::string, std::string>> requests{
      {"", "--corpus"},
      {"--corpus corpus --model ./m.safetensors", "--output"},
      {"--corpus corpus --model ./m.safetensors --output left.safetensors", "part 'train'"},
      {"--corpus nowhere --model ./m.safetensors --output left.safetensors", "nowhere"},
      {"--corpus corpus --part val --model ./broken.safetensors --output left.safetensors",
       "broken.safetensors"},
      {"--corpus corpus --part val --model ./m.safetensors --output nowhere/left.safetensors", "nowhere"},
      {"--corpus corpus --part val --model ./m.safetensors --output left.safetensors --images 0",
       "--images"}};
  expect_one_line(requests, "quantise", "");
  EXPECT_FALSE(std::filesystem::exists(file("left.safetensors")));
}

TEST_F(EvaluateProgram, BadRequestsAreOneLineAndLeaveNothing) {
  testing::write_text(file("bad.json"), "[{\"image_id\": 99}]");
  const std::vector<std::pair<std::string, std::string>> requests{
      {"", "--corpus"},
      {"--corpus corpus", "--model or --detections"},
      {"--corpus corpus --model ./m.safetensors --detections bad.json", "--model or --detections"},
      {"--corpus nowhere --model ./m.safetensors", "nowhere"},
      {"--corpus corpus --part test --model ./m.safetensors", "part 'test'"},
      {"--corpus corpus --model ./nowhere.safetensors", "nowhere.safetensors"},
      {"--corpus corpus --model ./car.safetensors", "matched by name"},
      {"--corpus corpus --detections bad.json", "result 1"},
      {"--corpus corpus --model ./m.safetensors --through cuda", "cuda"},
      {"--corpus corpus --model ./m.safetensors --precision f64", "f64"},
      {"--corpus corpus --model ./m.safetensors --precision f16", "f16"},
      {"--corpus corpus --model ./m.safetensors --precision int8", "quantise"},
      {"--corpus corpus --model ./m.safetensors --through libtorch --precision bf16", "--precision"},
      {"--corpus corpus --detections bad.json --precision int8", "--precision"},
      {"--corpus corpus --detections bad.json --device cpu", "--device"},
      {"--corpus corpus --model ./m.safetensors --score-threshold 2", "--score-threshold"},
      {"--corpus corpus --model ./m.safetensors --max-detections 0", "--max-detections"},
      {"--corpus corpus --model ./m.safetensors --results nowhere/r.json", "nowhere/r.json"},
      {"--corpus corpus --model ./m.safetensors --results corpus", "corpus"},
      {"--corpus corpus --model ./m.safetensors --frobnicate 1", "--frobnicate"}};
  expect_one_line(requests, "evaluate", " --json left.json");
  EXPECT_FALSE(std::filesystem::exists(file("left.json")));
}

TEST_F(EvaluateProgram, HelpNamesEveryOption) {
  const Result result = run("--help");
  EXPECT_EQ(result.status, 0);
  for (const char* option :
       {"--corpus", "--model", "--detections", "--part", "--through", "--device", "--precision",
        "--score-threshold", "--count-threshold", "--max-detections", "--threads", "--json", "--results"})
    EXPECT_THAT(result.output, HasSubstr(option));
}

}  // namespace
}  // namespace smearscope
