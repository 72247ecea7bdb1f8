// smearscope-train report as a user meets it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "corpus/folder.h"
#include "corpus_files.h"
#include "temporary_folder.h"
#include "tiny_model.h"

namespace smearscope {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

class ReportProgram : public ::testing::Test {
 protected:
  struct Result {
    int status = -1;
    std::string output;  // standard output and error together
  };

  ReportProgram() {
    fs::create_directories(file("run"));
    testing::write_random_model(file("run/model.safetensors"), testing::tiny_model_info(), 1);
    corpus::Corpus corpus;
    corpus.classes = testing::cell_classes();
    corpus.images.push_back(testing::smear_record(file("source"), "a.png", 1));
    corpus.images.back().part = "val";
    corpus::write_corpus(file("corpus"), corpus);
  }
  std::string file(const std::string& name) const { return folder_.file(name); }
  std::string text_of(const std::string& name) const {
    std::ifstream in(file(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  // Runs the program in the test's folder with `arguments` as a shell reads them.
  Result run(const std::string& arguments) const {
    const char* program = std::getenv("SMEARSCOPE_TRAIN_PROGRAM");
    if (program == nullptr) throw std::runtime_error("SMEARSCOPE_TRAIN_PROGRAM is not set");
    const std::string command = "exec 2>&1; cd " + folder_.path() + "; " + program + " report " + arguments;
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
  testing::TemporaryFolder folder_;
};

TEST_F(ReportProgram, WritesThePageAndKeepsWhatItMeasured) {
  const Result first = run("run --corpus corpus --output deep/report --threads 1");
  ASSERT_EQ(first.status, 0) << first.output;
  EXPECT_THAT(first.output, HasSubstr("deep/report/report.html"));
  EXPECT_TRUE(fs::exists(file("run/evaluation-val.json")));
  EXPECT_TRUE(fs::exists(file("deep/report/classes.png")));
  const Result again = run("run --corpus corpus --output again --threads 1");
  EXPECT_THAT(again.output, HasSubstr("measured before"));
  EXPECT_EQ(text_of("again/report.html"), text_of("deep/report/report.html"));
}

// evaluate's own files, from LibTorch, are as good.
TEST_F(ReportProgram, TakesWhatEvaluateMeasured) {
  const char* program = std::getenv("SMEARSCOPE_TRAIN_PROGRAM");
  ASSERT_NE(program, nullptr);
  const std::string evaluate =
      "cd " + folder_.path() + " && " + program +
      " evaluate --corpus corpus --model run/model.safetensors --through libtorch --threads 1"
      " --json run/evaluation-val.json --results run/results-val.json > log 2>&1";
  ASSERT_EQ(std::system(evaluate.c_str()), 0) << text_of("log");
  const Result result = run("run --corpus corpus --output out --threads 1");
  ASSERT_EQ(result.status, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("measured before"));
  EXPECT_THAT(text_of("out/report.html"), HasSubstr("through LibTorch"));
}

TEST_F(ReportProgram, BadRequestsAreOneLineAndLeaveNothing) {
  fs::create_directories(file("empty"));
  testing::write_text(file("plain"), "text");
  testing::write_text(file("bad-log/train-log.csv"), "step\n1\n");
  fs::copy(file("run/model.safetensors"), file("bad-log/model.safetensors"));
  ModelInfo info = testing::tiny_model_info();
  info.classes = {"car"};
  testing::write_random_model(file("car.safetensors"), info, 1);
  const std::vector<std::pair<std::string, std::string>> requests{
      {"--corpus corpus --output out", "name the runs first"},
      {"run --output out", "--corpus"},
      {"run --corpus corpus", "--output"},
      {"run --corpus nowhere --output out", "nowhere"},
      {"run --corpus corpus --part test --output out", "part 'test'"},
      {"empty --corpus corpus --output out", "empty: has no model.safetensors"},
      {"bad-log --corpus corpus --output out", "bad-log/train-log.csv: line 1"},
      {"./plain --corpus corpus --output out", "plain"},
      {"run run --corpus corpus --output out", "is there twice"},
      {"run --corpus corpus --output plain", "plain: cannot be made a folder"},
      {"run --corpus corpus --output out --count-threshold 2", "--count-threshold"},
      {"run --corpus corpus --output out --frobnicate 1", "--frobnicate"}};
  for (const auto& [arguments, named] : requests) {
    const Result result = run(arguments);
    EXPECT_EQ(result.status, 1) << arguments;
    EXPECT_THAT(result.output, HasSubstr(named)) << arguments;
    EXPECT_EQ(std::count(result.output.begin(), result.output.end(), '\n'), 1) << result.output;
    EXPECT_FALSE(fs::exists(file("out"))) << arguments;
  }
  const Result other = run("./car.safetensors --corpus corpus --output out");
  EXPECT_EQ(other.status, 1);
  EXPECT_THAT(other.output, HasSubstr("matched by name"));
}

TEST_F(ReportProgram, AFailedReportLeavesTheOldPageWhole) {
  ASSERT_EQ(run("run --corpus corpus --output out --threads 1").status, 0);
  const std::string page = text_of("out/report.html");
  ASSERT_FALSE(page.empty());
  fs::remove(file("out/counts.png"));
  fs::create_directories(file("out/counts.png"));  // cannot be replaced
  const Result result = run("run --corpus corpus --output out --threads 1 --count-threshold 0.2");
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.output, HasSubstr("out/counts.png"));
  EXPECT_EQ(text_of("out/report.html"), page);
  for (const auto& entry : fs::directory_iterator(file("out")))
    EXPECT_THAT(entry.path().extension().string(), ::testing::AnyOf(".png", ".html")) << entry.path();
}

TEST_F(ReportProgram, HelpNamesEveryOption) {
  const Result result = run("--help");
  EXPECT_EQ(result.status, 0);
  for (const char* option : {"RUN", "--corpus", "--output", "--part", "--count-threshold", "--threads"})
    EXPECT_THAT(result.output, HasSubstr(option));
}

}  // namespace
}  // namespace smearscope
