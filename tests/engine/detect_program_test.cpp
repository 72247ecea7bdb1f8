// smearscope-detect as a user meets it: what it prints and writes, and its exit status.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <sstream>

#include "model_files.h"
#include "temporary_folder.h"
#include "tiny_model.h"

namespace smearscope {
namespace {

using nlohmann::json;

class DetectProgram : public ::testing::Test {
 protected:
  struct Result {
    int status = -1;
    std::string output;  // standard output and error together
  };

  // One model for all tests: writing it takes longer than most of them.
  static void SetUpTestSuite() {
    models_ = new testing::TemporaryFolder;
    testing::write_random_model(models_->file("m.safetensors"), testing::tiny_model_info(), 1);
  }
  static void TearDownTestSuite() { delete models_; }

  void SetUp() override {
    std::filesystem::create_directories(folder_.file("in"));
    write("in/1.png", picture(160, 120));
    write("in/2.jpg", picture(121, 87));
  }

  static cv::Mat picture(int width, int height) {
    cv::Mat pixels(height, width, CV_8UC3, cv::Scalar(200, 190, 225));
    cv::RNG random(5);
    for (int i = 0; i < 12; ++i) {
      cv::circle(pixels, {random.uniform(0, width), random.uniform(0, height)}, 12, cv::Scalar(140, 130, 210),
                 -1);
    }
    return pixels;
  }

  void write(const std::string& name, const cv::Mat& pixels) { cv::imwrite(folder_.file(name), pixels); }

  // Runs the program in the test's folder with `arguments` as a shell reads them; `before` are shell
  // commands.
  Result run(const std::string& arguments, const std::string& before = "") {
    const char* program = std::getenv("SMEARSCOPE_DETECT_PROGRAM");
    if (program == nullptr) throw std::runtime_error("SMEARSCOPE_DETECT_PROGRAM is not set");
    const std::string command = "exec 2>&1; cd " + folder_.path() + "; " + before + " " + program +
                                " --model " + models_->file("m.safetensors") + " --threads 1 " + arguments;
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

  static void expect(const Result& result, int status, const std::string& part) {
    EXPECT_EQ(result.status, status) << result.output;
    EXPECT_NE(result.output.find(part), std::string::npos) << result.output;
  }

  std::string read(const std::string& name) { return testing::read_bytes(folder_.file(name)); }
  bool exists(const std::string& name) { return std::filesystem::exists(folder_.file(name)); }

  // Names in the test's folder, apart from the input.
  std::vector<std::string> outputs() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
      if (entry.path().filename() != "in") names.push_back(entry.path().filename().string());
    }
    return names;
  }

  static inline testing::TemporaryFolder* models_ = nullptr;
  testing::TemporaryFolder folder_;
};

// A model's weak classes are named, and marked in pictures.
TEST_F(DetectProgram, TellsWeakClasses) {
  const std::string all = "--score-threshold 0.01 --agnostic-nms-threshold 1 --annotated ";
  expect(run(all + "sure in"), 0, "by tiny, f32 on cpu\n");
  ModelInfo info = testing::tiny_model_info();
  info.weak_classes = info.classes;
  testing::write_random_model(models_->file("weak.safetensors"), info, 1);
  expect(run(all + "weak in --model " + models_->file("weak.safetensors")), 0,
         "by tiny, f32 on cpu; often missed or misnamed: wbc, rbc, platelet\n");
  EXPECT_NE(read("sure/1.png"), read("weak/1.png"));
}

// The three outputs tell the same: as many cells, the same boxes, in pixels of the image.
TEST_F(DetectProgram, OutputsAgree) {
  const Result result = run("--score-threshold 0.01 --coco-results r.json --csv r.csv --annotated drawn in");
  expect(result, 0, "class");
  const json results = json::parse(read("r.json"));
  ASSERT_GT(results.size(), 0U);
  std::istringstream csv(read("r.csv"));
  std::string row;
  std::getline(csv, row);
  EXPECT_EQ(row, "image_id,file_name,category_id,category_name,score,x_min,y_min,x_max,y_max");
  for (const json& found : results) {
    const bool first = found["image_id"] == 1;
    const float width = first ? 160 : 121, height = first ? 120 : 87;
    EXPECT_EQ(found["file_name"], first ? "1.png" : "2.jpg");
    const float x = found["bbox"][0], y = found["bbox"][1], w = found["bbox"][2], h = found["bbox"][3];
    EXPECT_GE(x, 0);
    EXPECT_GE(y, 0);
    EXPECT_LE(x + w, width + 0.01);
    EXPECT_LE(y + h, height + 0.01);
    EXPECT_GT(found["score"], 0.01);
    const std::vector<std::string> names{"wbc", "rbc", "platelet"};
    EXPECT_EQ(found["category_name"], names.at(found["category_id"].get<std::size_t>() - 1));
    ASSERT_TRUE(std::getline(csv, row));
    std::ostringstream start;
    start << found["image_id"] << ',' << found["file_name"].get<std::string>() << ',' << found["category_id"]
          << ',' << found["category_name"].get<std::string>() << ',';
    EXPECT_EQ(row.rfind(start.str(), 0), 0U) << row;
  }
  EXPECT_FALSE(std::getline(csv, row));
  expect(result, 0, std::to_string(results.size()) + "         2\n");
  const cv::Mat drawn = cv::imread(folder_.file("drawn/1.png"), cv::IMREAD_UNCHANGED);
  ASSERT_EQ(drawn.size(), cv::Size(160, 120));
  EXPECT_GT(cv::norm(drawn, picture(160, 120), cv::NORM_INF), 50);
  EXPECT_TRUE(exists("drawn/2.png"));
}

// Wanted classes only, under ids of an existing COCO file, and only the images that it lists.
TEST_F(DetectProgram, CocoFileAndClassesRule) {
  testing::write_bytes(folder_.file("c.json"), R"({"images": [{"id": 42, "file_name": "2.jpg"}],
      "categories": [{"id": 7, "name": "rbc"}, {"id": 8, "name": "wbc"}]})");
  expect(run("--coco-images c.json --coco-results r.json in"), 1, "has no category 'platelet'");
  EXPECT_FALSE(exists("r.json"));
  expect(run("--score-threshold 0.001 --classes rbc --coco-images c.json --coco-results r.json in"), 0,
         "rbc");
  const json results = json::parse(read("r.json"));
  for (const json& found : results) {
    EXPECT_EQ(found["image_id"], 42);
    EXPECT_EQ(found["category_id"], 7);
    EXPECT_EQ(found["category_name"], "rbc");
  }
}

// Leaving classes out does not make cells of the others fewer.
TEST_F(DetectProgram, UnwantedClassesDoNotCrowdOut) {
  run("--score-threshold 0.001 --max-detections 10000 --coco-results all.json in/1.png");
  std::map<std::string, std::size_t> counts;
  for (const json& found : json::parse(read("all.json"))) ++counts[found["category_name"]];
  for (const auto& [name, count] : counts) {
    run("--score-threshold 0.001 --max-detections 20 --coco-results one.json --classes " + name +
        " in/1.png");
    EXPECT_EQ(json::parse(read("one.json")).size(), std::min<std::size_t>(20, count)) << name;
  }
}

// Of two boxes of different classes that overlap by more than the threshold the surer one is left, unless the
// user asks for all.
TEST_F(DetectProgram, CellHasOneName) {
  const auto found = [this](const std::string& threshold) {
    run("--score-threshold 0.001 --max-detections 10000 " + threshold + " --coco-results r.json in/1.png");
    return json::parse(read("r.json"));
  };
  const json all = found("--agnostic-nms-threshold 1"), named = found("");
  EXPECT_EQ(found("--agnostic-nms-threshold 0.5"), named);
  ASSERT_LT(named.size(), all.size());
  const auto box = [](const json& cell) {
    return cv::Rect2d(cell["bbox"][0], cell["bbox"][1], cell["bbox"][2], cell["bbox"][3]);
  };
  for (std::size_t i = 0; i < named.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const double both = (box(named[i]) & box(named[j])).area();
      EXPECT_LE(both / (box(named[i]).area() + box(named[j]).area() - both), 0.5001);
    }
  }
}

// Where rbc is a kind of wbc, --classes wbc keeps red cells, and a cell goes by the general name alone if no
// kind is above the threshold.
TEST_F(DetectProgram, AClassStandsForItsKinds) {
  ModelInfo info = testing::tiny_model_info();
  info.parents = {-1, 0, -1};
  testing::write_random_model(folder_.file("kinds.safetensors"), info, 1);
  const auto names = [this](const std::string& options) {
    run("--model kinds.safetensors --max-detections 10000 --kind-threshold 0 " + options +
        " --coco-results r.json in/1.png");
    std::map<int, int> count;
    for (const json& cell : json::parse(read("r.json"))) ++count[cell["category_id"]];
    return count;
  };
  auto low = names("--score-threshold 0.001"), white = names("--score-threshold 0.001 --classes wbc");
  EXPECT_GT(low[2], 0);
  EXPECT_EQ(white[2], low[2]);
  EXPECT_EQ(white.count(3), 0U);
  EXPECT_LT(low[1], low[2] / 4) << "nearly every cell has a kind above the threshold";
  const json plain =
      (names("--score-threshold 0.001 --agnostic-nms-threshold 1"), json::parse(read("r.json")));
  double surest = 0;  // of rbc
  for (const json& cell : plain) {
    if (cell["category_id"] == 2) surest = std::max(surest, cell["score"].get<double>());
  }
  // A file that knows white cells alone takes a kind of them for one.
  testing::write_bytes(
      folder_.file("c.json"),
      R"({"images": [{"id": 1, "file_name": "1.png"}], "categories": [{"id": 8, "name": "wbc"}]})");
  auto listed = names("--score-threshold 0.001 --classes wbc --coco-images c.json");
  EXPECT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[8], white[1] + white[2]);
  const auto high = names("--score-threshold " + std::to_string(surest + 1e-4));
  EXPECT_GT(high.at(1), 0);
  EXPECT_EQ(high.count(2), 0U);
}

TEST_F(DetectProgram, UnusualImagesAreRead) {
  std::filesystem::create_directories(folder_.file("odd"));
  write("odd/1x1.png", cv::Mat(1, 1, CV_8UC3, cv::Scalar(1, 2, 3)));
  write("odd/wide.png", cv::Mat(40, 16384, CV_8UC3, cv::Scalar(200, 190, 225)));
  write("odd/tall.png", cv::Mat(5000, 3, CV_8UC1, cv::Scalar(200)));
  write("odd/grey.png", cv::Mat(50, 60, CV_8UC1, cv::Scalar(128)));
  write("odd/deep.png", cv::Mat(50, 60, CV_16UC3, cv::Scalar(30000, 40000, 50000)));
  write("odd/alpha.png", cv::Mat(50, 60, CV_8UC4, cv::Scalar(10, 20, 30, 128)));
  expect(run("--annotated drawn odd"), 0, "total");
  expect(run("--precision f32 odd"), 0, "by tiny, f32 on cpu\n");
  for (const char* name : {"1x1", "wide", "tall", "grey", "deep", "alpha"}) {
    const cv::Mat drawn =
        cv::imread(folder_.file(std::string("drawn/") + name + ".png"), cv::IMREAD_UNCHANGED);
    const cv::Mat given = cv::imread(folder_.file(std::string("odd/") + name + ".png"), cv::IMREAD_UNCHANGED);
    EXPECT_EQ(drawn.size(), given.size()) << name;
    EXPECT_EQ(drawn.type(), CV_8UC3) << name;
  }
}

// Each bad file costs one line; the good ones are done, and the exit status says that something is missing.
TEST_F(DetectProgram, BadFilesAreReportedAndSkipped) {
  testing::write_bytes(folder_.file("in/text.png"), "no picture");
  testing::write_bytes(folder_.file("in/empty.jpg"), "");
  const std::string jpeg = read("in/2.jpg");
  testing::write_bytes(folder_.file("in/cut.jpg"), jpeg.substr(0, jpeg.size() / 2));
  const Result result = run("--coco-results r.json in");
  for (const char* part : {"in/text.png: not an image", "in/empty.jpg: the file is empty",
                           "in/cut.jpg: the JPEG file", "3 of 5 images were skipped", "total"}) {
    expect(result, 1, part);
  }
  for (const json& found : json::parse(read("r.json"))) {
    EXPECT_TRUE(found["file_name"] == "1.png" || found["file_name"] == "2.jpg");
  }
}

// Nothing is detected and nothing written where the request itself is wrong.
TEST_F(DetectProgram, WrongRequestsGiveOneLine) {
  std::filesystem::create_directories(folder_.file("in/none"));
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"--classes neutrophil in", "no class 'neutrophil'; it has wbc, rbc, platelet"},
      {"--model none.safetensors in", "none.safetensors"},
      {"--model in/1.png in", "in/1.png"},
      {"in/none", "no images in this folder"},
      {"nowhere", "nowhere"},
      {"--score-threshold 2 in", "--score-threshold"},
      {"--annotated in in", "would overwrite an input"},
      {"--csv none/r.csv in", "none/r.csv"},
      {"--annotated in/1.png/x in", "in/1.png/x"},
  };
  for (const auto& [arguments, part] : wrong) {
    const Result result = run("--coco-results r.json " + arguments);
    EXPECT_GT(result.status, 0) << arguments;
    EXPECT_NE(result.output.find(part), std::string::npos) << result.output;
    EXPECT_EQ(result.output.find('\n'), result.output.size() - 1) << result.output;
    EXPECT_TRUE(outputs().empty()) << arguments;
  }
}

TEST_F(DetectProgram, ExplicitCudaIsRefusedWithoutIt) {
  const Result result = run("--device cuda:7 --coco-results r.json in");
  EXPECT_EQ(result.status, 1);
  EXPECT_NE(result.output.find("cuda"), std::string::npos) << result.output;
  EXPECT_EQ(result.output.find('\n'), result.output.size() - 1) << result.output;
  EXPECT_TRUE(outputs().empty());
}

// A disk that fills up (here: a limit on the size of files) ends the run with one line, and leaves the old
// file.
TEST_F(DetectProgram, FullDiskLeavesNothingHalfWritten) {
  testing::write_bytes(folder_.file("r.json"), "old");
  const Result limited = run("--score-threshold 0 --coco-results r.json in", "ulimit -f 1;");
  EXPECT_EQ(limited.status, 1);
  EXPECT_NE(limited.output.find("r.json: cannot be written: File too large"), std::string::npos)
      << limited.output;
  EXPECT_EQ(limited.output.find('\n'), limited.output.size() - 1) << limited.output;
  EXPECT_EQ(read("r.json"), "old");
  EXPECT_EQ(outputs(), std::vector<std::string>{"r.json"});

  expect(run("--coco-results /dev/full in"), 1, "/dev/full: cannot be written: No space left on device");
  expect(run("in > /dev/full"), 1, "");
  const Result picture = run("--annotated drawn in", "ulimit -f 1;");
  expect(picture, 1, "drawn/1.png: cannot be written: File too large");
  EXPECT_TRUE(std::filesystem::is_empty(folder_.file("drawn")));
}

// A stop by the user leaves nothing behind either.
TEST_F(DetectProgram, InterruptLeavesNothing) {
  for (int i = 0; i < 200; ++i)
    std::filesystem::copy_file(folder_.file("in/1.png"), folder_.file("in/c" + std::to_string(i) + ".png"));
  const Result result = run(
      "--coco-results r.json in & "
      "until ls r.json.* > /dev/null 2>&1; do sleep 0.1; kill -0 $! || break; done; kill -TERM $!; wait $!");
  EXPECT_EQ(result.status, 1);
  EXPECT_NE(result.output.find("interrupted"), std::string::npos) << result.output;
  EXPECT_TRUE(outputs().empty());
}

TEST_F(DetectProgram, HelpNamesEveryOption) {
  const Result result = run("--help");
  for (const char* option : {"--model", "--score-threshold", "--nms-threshold", "--agnostic-nms-threshold",
                             "--kind-threshold", "--max-detections", "--classes", "--device", "--precision",
                             "--threads", "--coco-results", "--coco-images", "--annotated", "--csv"}) {
    expect(result, 0, option);
  }
}

}  // namespace
}  // namespace smearscope
