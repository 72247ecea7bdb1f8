// A new model for a stream that runs: what is taken over, what is refused, and what is said about it.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <thread>

#include "cell_meta.h"
#include "model_messages.h"

namespace smearscope {
namespace {

using namespace std::chrono_literals;
using testing::BufferPointer;
using testing::Harness;
using testing::ModelMessage;
using testing::noise_frame;
using testing::raw_caps;
using testing::SwapModels;
using testing::text_property;

const std::string caps = raw_caps("RGB", 64, 48);
const SwapModels& models() {
  return SwapModels::get();
}

// An element that has the first model, a bus, and frames at will.
class Stream {
 public:
  explicit Stream(const std::string& properties = "mode=every", const std::string& element = "celldetect",
                  const std::string& model = models().file("first"))
      : harness_(element + " score-threshold=0 model=" + model + " " + properties), bus_(gst_bus_new()) {
    gst_element_set_bus(harness_.element(), bus_);
    harness_.caps(caps);
  }
  ~Stream() {
    gst_element_set_bus(harness_.element(), nullptr);
    gst_object_unref(bus_);
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  void set(const char* property, const std::string& value) {
    g_object_set(harness_.element(), property, value.c_str(), nullptr);
  }
  BufferPointer frame() { return harness_.push_and_pull(noise_frame(caps, number_++)); }
  std::string digest_of_frame() {
    const BufferPointer buffer = frame();
    const std::optional<DetectionOrigin> origin = read_origin(buffer.get());
    return origin ? origin->model_digest : "";
  }
  ModelMessage message(GstClockTime wait = 120 * GST_SECOND) {
    return testing::next_model_message(bus_, wait);
  }
  // Frames flow, about 30 a second, until something is said about a model.
  ModelMessage play_until_message() {
    for (int i = 0; i < 4000; ++i) {
      frame();
      const ModelMessage said = message(30 * GST_MSECOND);
      if (said.kind != ModelMessage::none) return said;
    }
    return {};
  }
  std::string text(const char* property) { return text_property(harness_.element(), property); }
  Harness& harness() { return harness_; }

 private:
  Harness harness_;
  GstBus* bus_;
  int number_ = 0;
};

std::vector<double> confidences(GstBuffer* buffer) {
  std::vector<double> all;
  for (const Cell& cell : read_cells(buffer)) all.push_back(cell.confidence);
  return all;
}

// The next frame after the message has the new model's cells: the same as in a stream that began with it.
TEST(CellDetectSwap, NextFrameIsTheNewModels) {
  Stream stream;
  EXPECT_EQ(stream.digest_of_frame(), models().digest("first"));
  stream.set("model", models().file("other-classes"));
  const ModelMessage said = stream.play_until_message();
  ASSERT_EQ(said.kind, ModelMessage::loaded) << said.text;
  EXPECT_EQ(said.path, models().file("other-classes"));
  EXPECT_EQ(said.digest, models().digest("other-classes"));
  EXPECT_EQ(said.name, "tiny");
  EXPECT_EQ(said.device, "cpu");
  EXPECT_EQ(said.precision, "f32");  // automatic, of a model that tells no activation ranges
  EXPECT_EQ(said.classes, (std::vector<std::string>{"neutrophil", "basophil", "rbc", "platelet"}));
  EXPECT_EQ(said.parents, (std::vector<std::string>{"", "", "platelet", ""}));
  EXPECT_EQ(said.weak, std::vector<std::string>{"basophil"});
  EXPECT_EQ(stream.text("model-digest"), said.digest);
  EXPECT_EQ(stream.text("class-names"), "neutrophil, basophil, rbc, platelet");

  Stream fresh("mode=every", "celldetect", models().file("other-classes"));
  const BufferPointer frame = stream.harness().push_and_pull(noise_frame(caps, 7));
  EXPECT_EQ(read_origin(frame.get())->model_digest, said.digest);
  EXPECT_EQ(confidences(frame.get()), confidences(fresh.harness().push_and_pull(noise_frame(caps, 7)).get()));
}

// The start says which model it is, as every later change does.
TEST(CellDetectSwap, StartTellsTheModel) {
  GstElement* pipeline = gst_parse_launch(
      ("videotestsrc ! " + caps + " ! celldetect model=" + models().file("first") + " ! fakesink").c_str(),
      nullptr);
  gst_element_set_state(pipeline, GST_STATE_PAUSED);
  GstBus* bus = gst_element_get_bus(pipeline);
  EXPECT_EQ(testing::next_model_message(bus).digest, models().digest("first"));
  gst_object_unref(bus);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
}

// Live frames pass while a model loads; were one to wait for the load, hardly any would.
TEST(CellDetectSwap, FramesDoNotWaitForALoad) {
  Stream stream("mode=latest");
  stream.frame();
  stream.set("model", models().file("second"));
  int passed = 0;
  ModelMessage said;
  while (said.kind == ModelMessage::none && passed < 10000) {
    stream.frame();
    ++passed;
    said = stream.message(5 * GST_MSECOND);
  }
  EXPECT_EQ(said.kind, ModelMessage::loaded);
  EXPECT_GT(passed, 10);
}

// Live: what the old model found stays in place, with its age, until the new one has found its own.
TEST(CellDetectSwap, OldCellsStayUntilNewOnesCome) {
  Stream stream("mode=latest");
  while (stream.digest_of_frame().empty()) std::this_thread::sleep_for(1ms);
  stream.set("model", models().file("second"));
  const std::string before = models().digest("first"), after = models().digest("second");
  std::string digest = before;
  unsigned age = 1000;
  for (int i = 0; i < 10000 && digest == before; ++i) {
    const BufferPointer frame = stream.frame();
    const std::optional<DetectionOrigin> origin = read_origin(frame.get());
    ASSERT_TRUE(origin.has_value());
    digest = origin->model_digest;
    EXPECT_LE(origin->age, age + 1);
    EXPECT_GE(origin->age, 1U);
    age = origin->age;
    for (const Cell& cell : read_cells(frame.get())) EXPECT_EQ(cell.age, age);
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_EQ(digest, after);
}

// What is no model, or can't be had, is refused with a reason, and all stays as it was.
TEST(CellDetectSwap, BadFileIsRefusedAndTheOldModelStays) {
  Stream stream;
  const std::string digest = stream.digest_of_frame();
  for (const auto& [path, code, why] :
       {std::tuple(models().file("cut-short"), GST_RESOURCE_ERROR_READ, "cut short"),
        std::tuple(models().file("text"), GST_RESOURCE_ERROR_READ, "not a model file"),
        std::tuple(models().file("damaged"), GST_RESOURCE_ERROR_READ, "checksum"),
        std::tuple(std::string("/nowhere/cells.safetensors"), GST_RESOURCE_ERROR_NOT_FOUND,
                   "no such model file"),
        std::tuple(std::string("/proc/self"), GST_RESOURCE_ERROR_READ, "is a folder")}) {
    SCOPED_TRACE(path);
    stream.set("model", path);
    const ModelMessage said = stream.play_until_message();
    EXPECT_EQ(said.kind, ModelMessage::refused);
    EXPECT_EQ(said.domain, GST_RESOURCE_ERROR);
    EXPECT_EQ(said.code, code);
    EXPECT_NE(said.text.find(path), std::string::npos) << said.text;
    EXPECT_NE(said.text.find(why), std::string::npos) << said.text;
    EXPECT_EQ(said.text.find('\n'), std::string::npos) << said.text;
    EXPECT_EQ(stream.digest_of_frame(), digest);
    EXPECT_EQ(stream.text("model-digest"), digest);
    EXPECT_EQ(stream.text("model"), models().file("first"));
  }
}

// A model without one of the wanted classes would silently find less.
TEST(CellDetectSwap, ModelThatLacksAWantedClassIsRefused) {
  Stream stream("mode=every classes=wbc,platelet");
  stream.set("model", models().file("other-classes"));
  const ModelMessage said = stream.play_until_message();
  EXPECT_EQ(said.kind, ModelMessage::refused);
  EXPECT_EQ(said.domain, GST_LIBRARY_ERROR);
  EXPECT_NE(said.text.find("no class 'wbc'; it has neutrophil, basophil, rbc, platelet"), std::string::npos)
      << said.text;
  EXPECT_EQ(stream.digest_of_frame(), models().digest("first"));
  EXPECT_EQ(stream.text("classes"), "wbc,platelet");

  stream.set("classes", "platelet");
  stream.set("model", models().file("other-classes"));
  EXPECT_EQ(stream.play_until_message().kind, ModelMessage::loaded);
  const BufferPointer frame = stream.frame();
  for (const Cell& cell : read_cells(frame.get())) EXPECT_EQ(cell.class_name, "platelet");
  EXPECT_FALSE(read_cells(frame.get()).empty());
}

// A model and classes that only it has are set one after the other, and take effect together; with a bad
// model neither does.
TEST(CellDetectSwap, ClassesOfTheNewModelWaitForIt) {
  Stream stream("mode=every classes=wbc");
  stream.set("model", models().file("cut-short"));
  stream.set("classes", "basophil");
  EXPECT_EQ(stream.play_until_message().kind, ModelMessage::refused);
  EXPECT_TRUE(stream.frame());
  EXPECT_EQ(stream.text("classes"), "wbc");

  stream.set("model", models().file("other-classes"));
  stream.set("classes", "basophil");
  EXPECT_EQ(stream.play_until_message().kind, ModelMessage::loaded);
  const BufferPointer frame = stream.frame();
  EXPECT_FALSE(read_cells(frame.get()).empty());
  for (const Cell& cell : read_cells(frame.get())) EXPECT_EQ(cell.class_name, "basophil");
}

// Of several wishes the last one counts; what was on its way for an older one is dropped.
TEST(CellDetectSwap, LastOfSeveralWins) {
  Stream stream;
  stream.frame();
  for (const char* name : {"second", "cut-short", "other-classes", "text", "second"})
    stream.set("model", models().file(name));
  const ModelMessage said = stream.play_until_message();
  EXPECT_EQ(said.kind, ModelMessage::loaded);
  EXPECT_EQ(said.digest, models().digest("second"));
  EXPECT_EQ(stream.message(GST_SECOND).kind, ModelMessage::none);
  EXPECT_EQ(stream.digest_of_frame(), said.digest);
}

// The same file again is fine, and gives the same cells.
TEST(CellDetectSwap, SameFileAgain) {
  Stream stream;
  const std::vector<double> before = confidences(stream.harness().push_and_pull(noise_frame(caps, 1)).get());
  stream.set("model", models().file("first"));
  const ModelMessage said = stream.play_until_message();
  EXPECT_EQ(said.kind, ModelMessage::loaded);
  EXPECT_EQ(said.digest, models().digest("first"));
  EXPECT_EQ(confidences(stream.harness().push_and_pull(noise_frame(caps, 1)).get()), before);
}

// With model-watch a file that takes the model's place is taken over; one that is bad, is refused once; one
// that is still being written, is waited for.
TEST(CellDetectSwap, WatchTakesOverWhatTakesTheModelsPlace) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.file("live.safetensors");
  testing::replace_file(models().file("first"), path);
  Stream stream("mode=latest model-watch=true", "celldetect", path);
  EXPECT_EQ(stream.message(1500 * GST_MSECOND).kind, ModelMessage::none) << "nothing changed";

  testing::replace_file(models().file("second"), path);
  EXPECT_EQ(stream.play_until_message().digest, models().digest("second"));

  testing::replace_file(models().file("cut-short"), path);
  const ModelMessage said = stream.play_until_message();
  EXPECT_EQ(said.kind, ModelMessage::refused);
  EXPECT_NE(said.text.find(path), std::string::npos) << said.text;
  EXPECT_EQ(stream.text("model-digest"), models().digest("second"));
  EXPECT_EQ(stream.message(1500 * GST_MSECOND).kind, ModelMessage::none) << "refused again, unchanged";

  const std::string bytes = testing::read_bytes(models().file("other-classes"));
  std::ofstream slow(path, std::ios::binary);
  for (std::size_t i = 0; i < 6; ++i) {
    const std::size_t part = bytes.size() / 6 + 1;
    slow << bytes.substr(i * part, part) << std::flush;
    EXPECT_EQ(stream.message(400 * GST_MSECOND).kind, ModelMessage::none) << "half a file";
  }
  slow.close();
  EXPECT_EQ(stream.play_until_message().digest, models().digest("other-classes"));
}

// Watching may begin later, and then what changed before is seen too; and it may end.
TEST(CellDetectSwap, WatchIsSwitchedWhilePlaying) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.file("live.safetensors");
  testing::replace_file(models().file("first"), path);
  Stream stream("mode=latest", "celldetect", path);
  testing::replace_file(models().file("second"), path);
  EXPECT_EQ(stream.message(2 * GST_SECOND).kind, ModelMessage::none);
  g_object_set(stream.harness().element(), "model-watch", TRUE, nullptr);
  EXPECT_EQ(stream.play_until_message().digest, models().digest("second"));
  g_object_set(stream.harness().element(), "model-watch", FALSE, nullptr);
  testing::replace_file(models().file("first"), path);
  EXPECT_EQ(stream.message(2 * GST_SECOND).kind, ModelMessage::none);
}

// Elements that share an engine and a watched file both go over to the new one, each with its own cells.
TEST(CellDetectSwap, ElementsThatShareAnEngineSwapOneByOne) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.file("live.safetensors");
  testing::replace_file(models().file("first"), path);
  Stream every("mode=every model-watch=true", "celldetect", path);
  Stream latest("mode=latest model-watch=true", "celldetect", path);
  Stream alone("mode=every", "celldetect", path);
  testing::replace_file(models().file("second"), path);
  EXPECT_EQ(every.play_until_message().digest, models().digest("second"));
  EXPECT_EQ(latest.play_until_message().digest, models().digest("second"));
  EXPECT_EQ(every.digest_of_frame(), models().digest("second"));
  EXPECT_EQ(alone.digest_of_frame(), models().digest("first")) << "not asked to watch";
}

// The bin passes both properties on while it plays.
TEST(CellDetectSwap, SmearscopeSwapsToo) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.file("live.safetensors");
  testing::replace_file(models().file("second"), path);
  Stream stream("mode=every", "smearscope");
  EXPECT_EQ(stream.digest_of_frame(), models().digest("first"));
  stream.set("model", path);
  EXPECT_EQ(stream.play_until_message().digest, models().digest("second"));
  g_object_set(stream.harness().element(), "model-watch", TRUE, nullptr);
  testing::replace_file(models().file("other-classes"), path);
  EXPECT_EQ(stream.play_until_message().digest, models().digest("other-classes"));
  EXPECT_EQ(stream.digest_of_frame(), models().digest("other-classes"));
}

}  // namespace
}  // namespace smearscope
