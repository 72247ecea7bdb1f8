// smearscope-bench: its statistics, what it prints, and how it complains.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "bench_report.h"
#include "model/json.h"
#include "temporary_folder.h"
#include "tiny_model.h"

namespace smearscope {
namespace {

struct Outcome {
  int status;
  std::string text;  // standard output and error
};

Outcome run(const std::string& arguments) {
  const char* program = std::getenv("SMEARSCOPE_BENCH_PROGRAM");
  if (program == nullptr) throw Error("SMEARSCOPE_BENCH_PROGRAM is not set; run by meson test");
  std::FILE* pipe = ::popen((std::string(program) + " " + arguments + " 2>&1").c_str(), "r");
  std::string text;
  for (int c = 0; (c = std::fgetc(pipe)) != EOF;) text += static_cast<char>(c);
  return {WEXITSTATUS(::pclose(pipe)), text};
}

const Json& member(const Json& object, const std::string& key) {
  for (const JsonMember& found : object.members)
    if (found.key == key) return found.value;
  throw Error("no member " + key);
}

TEST(BenchStatistics, MedianAndPercentile99) {
  EXPECT_EQ(bench::median({3, 1, 2}), 2);
  EXPECT_EQ(bench::median({4, 1, 3, 2}), 2.5);
  EXPECT_EQ(bench::percentile99({7}), 7);
  std::vector<double> values;
  for (int i = 100; i > 0; --i) values.push_back(i);
  EXPECT_EQ(bench::percentile99(values), 99);
  values.push_back(101);
  EXPECT_EQ(bench::percentile99(values), 100);
}

TEST(BenchProgram, PrintsEveryStageAndWritesJson) {
  const testing::TemporaryFolder folder;
  testing::write_random_model(folder.file("m.safetensors"), testing::tiny_model_info(), 1);
  const Outcome outcome =
      run("--model " + folder.file("m.safetensors") +
          " --size 100x80 --frames 3 --batch 2 --threads 1 --json " + folder.file("out.json"));
  ASSERT_EQ(outcome.status, 0) << outcome.text;
  for (const char* word : {"100x80", "batch 2", "preprocess", "backbone", "fpn", "rpn", "roi_pool",
                           "box_head", "postprocess", "CPU time", "frames/s"})
    EXPECT_NE(outcome.text.find(word), std::string::npos) << word;
  std::stringstream text;
  text << std::ifstream(folder.file("out.json")).rdbuf();
  const Json json = parse_json(text.str());
  EXPECT_EQ(member(json, "calls").number, 2);
  EXPECT_GT(member(json, "frames_per_second").number, 0);
  EXPECT_GT(member(member(member(json, "milliseconds_per_frame"), "backbone"), "median").number, 0);
}

// Cameras that are slow enough are all kept up with; a rate that no machine keeps up with is told as it is,
// and ends.
TEST(BenchProgram, CamerasTellWhatIsLate) {
  const testing::TemporaryFolder folder;
  const std::string model = folder.file("m.safetensors"), out = folder.file("out.json");
  testing::write_random_model(model, testing::tiny_model_info(), 1);
  const auto result = [&](const std::string& cameras) {
    const Outcome outcome =
        run("--model " + model + " --size 100x80 --threads 1 --json " + out + " " + cameras);
    EXPECT_EQ(outcome.status, 0) << outcome.text;
    EXPECT_NE(outcome.text.find("late"), std::string::npos) << outcome.text;
    std::stringstream text;
    text << std::ifstream(out).rdbuf();
    return parse_json(text.str());
  };
  const Json slow = result("--cameras 3 --rate 0.5 --seconds 2 --batch 2");
  EXPECT_EQ(member(slow, "device").string, "cpu");
  EXPECT_EQ(member(slow, "precision").string, "f32");
  EXPECT_EQ(member(slow, "frames").number, 3);
  EXPECT_EQ(member(slow, "late").number, 0);
  EXPECT_GT(member(member(slow, "delay_ms"), "median").number, 0);
  const Json fast = result("--cameras 4 --rate 1000 --seconds 0.5");
  EXPECT_EQ(member(fast, "frames").number, 2000);
  EXPECT_GT(member(fast, "late").number, 1000);
}

TEST(BenchProgram, ComplainsInOneLineAboutBadOptions) {
  for (const char* arguments :
       {"--size 640", "--size 0x5", "--frames many", "--batch 0", "--threads -1", "--no-such-option", "word",
        "--json", "--cameras 0", "--rate nan", "--seconds -1"}) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.status, 2) << arguments;
    EXPECT_EQ(outcome.text.find('\n'), outcome.text.size() - 1) << outcome.text;
  }
}

TEST(BenchProgram, RefusesWhatTheDetectorRefuses) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.file("m.safetensors");
  testing::write_random_model(path, testing::tiny_model_info(), 1);
  for (const std::string& arguments :
       {"--model " + path + " --device cuda:77", "--model " + path + " --precision int8",
        std::string("--model /no/such/file"), std::string("--device gpu")}) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.status, 1) << arguments;
    EXPECT_EQ(outcome.text.find('\n'), outcome.text.size() - 1) << outcome.text;
  }
  const Outcome unwritable = run("--model " + path + " --frames 1 --json /no/such/folder/x.json");
  EXPECT_EQ(unwritable.status, 1);
  EXPECT_NE(unwritable.text.find("/no/such/folder"), std::string::npos) << unwritable.text;
}

}  // namespace
}  // namespace smearscope
