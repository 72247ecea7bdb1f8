// smeartestsrc's corpus: complete or not there at all, labelled as asked.
#include <gst/gst.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <set>
#include <string>

#include "smear/corpus_writer.h"
#include "temporary_folder.h"

namespace smearscope::smear {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::TemporaryFolder;

struct Outcome {
  bool finished = false;  // EOS without an error
  std::string error;      // what the first error message told the user
};

// Runs a pipeline to its end or first error.
Outcome run(const std::string& description) {
  GError* problem = nullptr;
  GstElement* pipeline = gst_parse_launch(description.c_str(), &problem);
  if (!pipeline) throw std::runtime_error(problem->message);
  g_clear_error(&problem);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  GstBus* bus = gst_element_get_bus(pipeline);
  GstMessage* message = gst_bus_timed_pop_filtered(
      bus, 60 * GST_SECOND, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
  Outcome outcome;
  if (message && GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
    GError* error = nullptr;
    gst_message_parse_error(message, &error, nullptr);
    outcome.error = error->message;
    g_clear_error(&error);
  } else {
    outcome.finished = message != nullptr;
  }
  if (message) gst_message_unref(message);
  gst_object_unref(bus);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
  return outcome;
}

std::string source(const std::string& folder, const std::string& more = "") {
  return "smeartestsrc wbc-density=1500 platelet-density=3000 corpus-location=" + folder + " " + more +
         " ! video/x-raw,format=RGB,width=320,height=240 ! fakesink";
}

json annotations_of(const std::string& folder, const std::string& part = "train") {
  std::ifstream file(folder + "/annotations/" + part + ".json");
  return json::parse(file);
}

std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename().string());
  return names;
}

// The corpus is there when the stream ends: ids from 1, each image on disk in its size, each box inside its
// image.
TEST(SmearCorpus, IsCompleteAtTheEnd) {
  TemporaryFolder folder;
  const std::string corpus = folder.file("corpus");
  const Outcome outcome = run(source(corpus, "num-buffers=4"));
  ASSERT_TRUE(outcome.finished) << outcome.error;
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>{"corpus"});
  const json coco = annotations_of(corpus);
  ASSERT_EQ(coco["categories"].size(), 3U);
  EXPECT_EQ(coco["categories"][0]["name"], "wbc");
  EXPECT_EQ(coco["categories"][1]["name"], "rbc");
  EXPECT_EQ(coco["categories"][2]["name"], "platelet");
  ASSERT_EQ(coco["images"].size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    const json& image = coco["images"][i];
    EXPECT_EQ(image["id"], i + 1);
    const cv::Mat picture = cv::imread(corpus + "/images/" + image["file_name"].get<std::string>());
    EXPECT_EQ(picture.cols, image["width"].get<int>());
    EXPECT_EQ(picture.rows, image["height"].get<int>());
  }
  ASSERT_GT(coco["annotations"].size(), 10U);
  for (std::size_t i = 0; i < coco["annotations"].size(); ++i) {
    const json& cell = coco["annotations"][i];
    EXPECT_EQ(cell["id"], i + 1);
    const auto box = cell["bbox"].get<std::vector<double>>();
    EXPECT_TRUE(box[0] >= 0 && box[1] >= 0 && box[2] > 0 && box[3] > 0);
    EXPECT_LE(box[0] + box[2], 320.002);
    EXPECT_LE(box[1] + box[3], 240.002);
    EXPECT_GE(cell["visible"].get<double>(), 0.15);
    EXPECT_EQ(cell["iscrowd"], 0);
  }
}

// Images are the frames: PNG without loss.
TEST(SmearCorpus, ImagesAreTheFrames) {
  TemporaryFolder folder;
  const std::string corpus = folder.file("corpus"), raw = folder.file("frame.raw");
  const Outcome outcome = run("smeartestsrc num-buffers=1 corpus-location=" + corpus +
                              " ! video/x-raw,format=RGB,width=64,height=48 ! filesink location=" + raw);
  ASSERT_TRUE(outcome.finished) << outcome.error;
  std::ifstream file(raw, std::ios::binary);
  const std::string frame{std::istreambuf_iterator<char>(file), {}};
  const cv::Mat picture = cv::imread(corpus + "/images/000001.png");
  ASSERT_EQ(frame.size(), picture.total() * 3);
  for (std::size_t i = 0; i < frame.size(); i += 3) {
    ASSERT_EQ(static_cast<unsigned char>(frame[i]), picture.data[i + 2]);
    ASSERT_EQ(static_cast<unsigned char>(frame[i + 2]), picture.data[i]);
  }
}

// How much must be seen of a cell for a label is what corpus-visible-min says; the part names the file.
TEST(SmearCorpus, VisibleMinimumAndPart) {
  TemporaryFolder folder;
  ASSERT_TRUE(run(source(folder.file("all"), "num-buffers=2 corpus-visible-min=0")).finished);
  ASSERT_TRUE(run(source(folder.file("whole"),
                         "num-buffers=2 corpus-visible-min=1 corpus-part=val corpus-format=jpeg"))
                  .finished);
  const json all = annotations_of(folder.file("all")), whole = annotations_of(folder.file("whole"), "val");
  std::size_t expected = 0;
  for (const json& cell : all["annotations"]) expected += cell["visible"] == 1.0;
  EXPECT_LT(expected, all["annotations"].size());
  EXPECT_EQ(whole["annotations"].size(), expected);
  EXPECT_EQ(whole["images"][0]["file_name"], "000001.jpg");
}

// Stopping early keeps what was seen so far.
TEST(SmearCorpus, StoppedStreamIsComplete) {
  TemporaryFolder folder;
  const std::string corpus = folder.file("corpus");
  GstElement* pipeline = gst_parse_launch(source(corpus).c_str(), nullptr);
  gst_element_set_state(pipeline, GST_STATE_PAUSED);
  ASSERT_EQ(gst_element_get_state(pipeline, nullptr, nullptr, 30 * GST_SECOND), GST_STATE_CHANGE_SUCCESS);
  EXPECT_FALSE(fs::exists(corpus)) << "not before the end";
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
  EXPECT_GE(annotations_of(corpus)["images"].size(), 1U);
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>{"corpus"});
}

// A folder with something in it is left as it is.
TEST(SmearCorpus, ExistingFolderIsRefused) {
  TemporaryFolder folder;
  fs::create_directory(folder.file("corpus"));
  std::ofstream(folder.file("corpus") + "/mine.txt") << "precious";
  const Outcome outcome = run(source(folder.file("corpus"), "num-buffers=1"));
  EXPECT_FALSE(outcome.finished);
  EXPECT_NE(outcome.error.find("already exists"), std::string::npos) << outcome.error;
  EXPECT_EQ(names_in(folder.file("corpus")), std::set<std::string>{"mine.txt"});
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>{"corpus"});
}

// Where no folder can be made, the element says so before the first frame.
TEST(SmearCorpus, UnwritablePlaceIsAnError) {
  TemporaryFolder folder;
  std::ofstream(folder.file("file")) << "not a folder";
  const Outcome outcome = run(source(folder.file("file") + "/corpus", "num-buffers=1"));
  EXPECT_FALSE(outcome.finished);
  EXPECT_NE(outcome.error.find("can't create folder"), std::string::npos) << outcome.error;
  EXPECT_EQ(outcome.error.find('\n'), std::string::npos);
}

// Files may not grow beyond `bytes` while this lives: what a full disk does to a writer, without one.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

// When the disk is full, images or annotations, the element says which file and why, and nothing stays
// behind.
TEST(SmearCorpus, FullDiskLeavesNothingBehind) {
  for (rlim_t bytes : {4096, 300000}) {  // the first image does not fit; annotations do not fit after a while
    TemporaryFolder folder;
    Outcome outcome;
    {
      const FullDisk full(bytes);
      outcome =
          run("smeartestsrc num-buffers=400 rbc-density=30000 corpus-format=jpeg pixel-size=0.5 "
              "corpus-visible-min=0 corpus-location=" +
              folder.file("corpus") + " ! video/x-raw,width=240,height=160 ! fakesink");
    }
    EXPECT_FALSE(outcome.finished);
    EXPECT_NE(outcome.error.find("can't write"), std::string::npos) << outcome.error;
    EXPECT_NE(outcome.error.find(bytes == 4096 ? "000001.jpg" : "train.json"), std::string::npos)
        << outcome.error;
    EXPECT_TRUE(names_in(folder.path()).empty());
  }
}

// The last moment too: when the folder that was promised is taken meanwhile, it is not overwritten.
TEST(SmearCorpus, PlaceTakenMeanwhileIsAnError) {
  TemporaryFolder folder;
  CorpusSettings settings;
  settings.folder = folder.file("corpus");
  {
    CorpusWriter writer(settings);
    const std::vector<std::uint8_t> rgb(4 * 4 * 3, 200);
    writer.add(rgb.data(), 4, 4, 12, {}, {0, 0, 0, 0}, 0.1, 1);
    fs::create_directory(settings.folder);
    std::ofstream(settings.folder / "mine.txt") << "precious";
    EXPECT_THROW(writer.finish(), std::runtime_error);
  }
  EXPECT_EQ(names_in(settings.folder), std::set<std::string>{"mine.txt"});
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>{"corpus"});
}

// Up and down without a frame: no corpus, no error.
TEST(SmearCorpus, WithoutFramesThereIsNone) {
  TemporaryFolder folder;
  CorpusSettings settings;
  settings.folder = folder.file("corpus") + "/";
  {
    CorpusWriter writer(settings);
    EXPECT_NO_THROW(writer.finish());
  }
  EXPECT_TRUE(names_in(folder.path()).empty());
}

}  // namespace
}  // namespace smearscope::smear
