// smearscope-model as a user meets it: what it prints, and its exit status.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "model_files.h"
#include "smearscope/model.h"
#include "temporary_folder.h"
#include "tiny_model.h"

namespace smearscope {
namespace {

class ModelProgram : public ::testing::Test {
 protected:
  struct Result {
    int status = -1;
    std::string output;  // standard output and error together
  };

  void SetUp() override {
    testing::write_random_model(folder_.file("m.safetensors"), testing::tiny_model_info(), 1);
    model_ = folder_.file("m.safetensors");
  }

  // Runs the program with `arguments` as a shell reads them.
  static Result run(const std::string& arguments) {
    const char* program = std::getenv("SMEARSCOPE_MODEL_PROGRAM");
    if (program == nullptr) throw std::runtime_error("SMEARSCOPE_MODEL_PROGRAM is not set");
    std::FILE* pipe = ::popen(("exec 2>&1; " + std::string(program) + " " + arguments).c_str(), "r");
    if (pipe == nullptr) throw std::runtime_error("cannot run the program");
    Result result;
    char buffer[4096];
    for (std::size_t got = 0; (got = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;)
      result.output.append(buffer, got);
    const int status = ::pclose(pipe);
    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return result;
  }

  static void expect(const Result& result, int status, const std::string& part) {
    EXPECT_EQ(result.status, status) << result.output;
    EXPECT_NE(result.output.find(part), std::string::npos) << result.output;
  }

  testing::TemporaryFolder folder_;
  std::string model_;
};

TEST_F(ModelProgram, InspectShowsDocumentAndTensors) {
  const Result result = run("inspect " + model_);
  for (const char* part : {"resnet18", "0 wbc, 1 rbc, 2 platelet", "shorter side 128 px", "not stated",
                           "roi_heads.box_head.fc6.weight", "32 x 784", "100352", "130 tensors (130 F32)"}) {
    expect(result, 0, part);
  }
}

TEST_F(ModelProgram, VerifySaysGoodInOneLine) {
  const Result result = run("verify " + model_);
  expect(result, 0, "good, resnet18, 3 classes, 130 tensors");
  EXPECT_EQ(result.output.find('\n'), result.output.size() - 1);
}

TEST_F(ModelProgram, VerifyRefusesDamageInOneLineWithStatusOne) {
  std::string bytes = testing::read_bytes(model_);
  bytes[bytes.size() - 100] ^= 4;
  testing::write_bytes(model_, bytes);
  const Result result = run("verify " + model_);
  expect(result, 1, "smearscope-model: " + model_ + ": the checksum is");
  EXPECT_EQ(result.output.find('\n'), result.output.size() - 1);
}

TEST_F(ModelProgram, ConvertHalvesTheFile) {
  expect(run("convert " + model_ + " " + folder_.file("half") + " --dtype bf16"), 0, "");
  expect(run("inspect " + folder_.file("half")), 0, "BF16");
  const std::size_t half = testing::read_bytes(folder_.file("half")).size();
  EXPECT_LT(static_cast<double>(half), 0.51 * static_cast<double>(testing::read_bytes(model_).size()));
}

TEST_F(ModelProgram, AnnotateChangesMetricsAndLicenceOnly) {
  expect(run("annotate " + model_ + " --metric val/AP50=0.875 --metric=val/AP=0.5 --licence 'CC BY 4.0'"), 0,
         "");
  const auto model = Model::load(model_);
  EXPECT_EQ(model->info().metrics, (std::map<std::string, double>{{"val/AP50", 0.875}, {"val/AP", 0.5}}));
  EXPECT_EQ(model->info().licence, "CC BY 4.0");
  expect(run("annotate " + model_ + " --score-threshold 0.625"), 0, "");
  EXPECT_EQ(Model::load(model_)->info().thresholds.score, 0.625);
  EXPECT_EQ(Model::load(model_)->info().thresholds.nms, model->info().thresholds.nms);
  expect(run("annotate " + model_ + " --parent platelet=wbc --parent rbc=platelet"), 0, "");
  EXPECT_EQ(Model::load(model_)->info().parents, (std::vector<int>{-1, 2, 0}));
  expect(run("inspect " + model_), 0, "0 wbc, 1 rbc (platelet), 2 platelet (wbc)");
  expect(run("annotate " + model_ + " --parent rbc="), 0, "");
  EXPECT_EQ(Model::load(model_)->info().parents, (std::vector<int>{-1, -1, 0}));
  expect(run("annotate " + model_ + " --weak rbc --weak platelet --weak rbc"), 0, "");
  EXPECT_EQ(Model::load(model_)->info().weak_classes, (std::vector<std::string>{"rbc", "platelet"}));
  expect(run("inspect " + model_), 0, "rbc, platelet: often missed or misnamed");
  expect(run("annotate " + model_ + " --weak '' --weak wbc"), 0, "");
  EXPECT_EQ(Model::load(model_)->info().weak_classes, (std::vector<std::string>{"wbc"}));
  expect(run("annotate " + model_ + " --red-cell-sides 40,106.5"), 0, "");
  EXPECT_EQ(Model::load(model_)->info().red_cell_sides, (std::array<double, 2>{40, 106.5}));
  expect(run("inspect " + model_), 0, "known from 40 to 106.5 px wide");
  EXPECT_EQ(model->info().name, "tiny");
  const testing::RandomTensors written(testing::tiny_model_info(), 1);
  for (const TensorView& tensor : written.views())
    EXPECT_EQ(to_f32(*model->find(tensor.name)), to_f32(tensor));
}

TEST_F(ModelProgram, AnnotateIntoACopyLeavesTheSource) {
  const std::string before = testing::read_bytes(model_);
  expect(run("annotate " + model_ + " --licence MIT --output " + folder_.file("copy")), 0, "");
  EXPECT_EQ(testing::read_bytes(model_), before);
  EXPECT_EQ(Model::load(folder_.file("copy"))->info().licence, "MIT");
}

TEST_F(ModelProgram, BadValuesChangeNothing) {
  const std::string before = testing::read_bytes(model_);
  for (const char* value : {"AP", "=1", "AP=", "AP=x", "AP=1x", "AP=1e999"}) {
    expect(run("annotate " + model_ + " --metric '" + value + "'"), 2, "--metric must be KEY=VALUE");
  }
  for (const char* value : {"", "x", "-0.1", "1.1", "nan", "0.5x"}) {
    expect(run("annotate " + model_ + " --score-threshold '" + value + "'"), 2,
           "--score-threshold must be a number from 0 to 1");
  }
  for (const char* value : {"", "40", "40,", ",106", "40;106", "40,106,200", "x,106"})
    expect(run("annotate " + model_ + " --red-cell-sides '" + value + "'"), 2,
           "--red-cell-sides must be two numbers");
  expect(run("annotate " + model_ + " --red-cell-sides 106,40"), 1, "the smaller first");
  expect(run("annotate " + model_ + " --weak wcb"), 2, "--weak: the model has no class 'wcb'");
  expect(run("annotate " + model_ + " --parent wbc"), 2, "--parent must be CLASS=PARENT");
  expect(run("annotate " + model_ + " --parent wcb=rbc"), 2, "the model has no class 'wcb'");
  expect(run("annotate " + model_ + " --parent wbc=wbc"), 1, "'wbc' has itself among its parents");
  expect(run("annotate " + model_ + " --metric AP=nan"), 1, "metrics.AP is nan");
  expect(run("annotate " + model_ + " --licence \"$(printf 'a\\033b')\""), 1,
         "licence holds a control character");
  EXPECT_EQ(testing::read_bytes(model_), before);
}

TEST_F(ModelProgram, UsageMistakesHaveStatusTwo) {
  expect(run(""), 2, "needs a command");
  expect(run("frobnicate"), 2, "unknown command 'frobnicate'");
  expect(run("inspect"), 2, "needs 1 file name, not 0");
  expect(run("inspect " + model_ + " --colour yes"), 2, "unknown option --colour");
  expect(run("convert " + model_ + " out"), 2, "convert needs --dtype");
  expect(run("convert " + model_ + " out --dtype int8"), 2,
         "--dtype must be f16, bf16, f32 or i8, not 'int8'");
  expect(run("convert " + model_ + " out --dtype"), 2, "--dtype needs a value");
}

TEST_F(ModelProgram, MissingFileHasStatusOne) {
  expect(run("verify " + folder_.file("none")), 1, "none: no such model file");
  expect(run("verify none"), 1, "no model 'none' in ");
}

TEST_F(ModelProgram, HelpAndVersion) {
  expect(run("--help"), 0, "usage: smearscope-model inspect FILE");
  expect(run("--version"), 0, "smearscope-model ");
}

TEST_F(ModelProgram, OutputThatCannotBeWrittenIsAnError) {
  const std::string message = folder_.file("message");
  EXPECT_EQ(run("inspect " + model_ + " 2>" + message + " >/dev/full").status, 1);
  EXPECT_EQ(testing::read_bytes(message), "smearscope-model: cannot write to the standard output\n");
}

}  // namespace
}  // namespace smearscope
