#include "detection/live_detector.h"

#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <future>

#include "smearscope/error.h"
#include "test_picture.h"

namespace smearscope {
namespace {

using namespace std::chrono_literals;
using testing::frame_of;
using testing::textured_slide;
using testing::view_at;

constexpr int width = 64, height = 48;

// A frame whose pixels tell its number.
cv::Mat numbered(int number) {
  return cv::Mat(height, width, CV_8UC1, cv::Scalar(number));
}

int number_of(const Frame& frame) {
  return frame.planes[0].data[0];
}

const Cell cell{{10, 10, 20, 20}, 0.9, 1, "rbc", 0};

// Lets each detection begin, and holds it until it is told to end.
class Gate {
 public:
  void pass() {
    std::unique_lock<std::mutex> lock(mutex_);
    ++entered_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return allowed_ > 0; });
    --allowed_;
  }
  void wait_until_entered(int times) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return entered_ >= times; });
  }
  void let_pass(int times = 1) {
    const std::lock_guard<std::mutex> lock(mutex_);
    allowed_ += times;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int entered_ = 0, allowed_ = 0;
};

void wait_for_detections(const LiveDetector& live, std::uint64_t count) {
  while (live.counts().detected < count) std::this_thread::sleep_for(1ms);
}

// Frames pass while a detection hangs: were one to wait for it, this test would never end.
TEST(LiveDetector, FramesNeverWaitForDetection) {
  Gate gate;
  LiveDetector live([&](const Frame&) {
    gate.pass();
    return Findings{};
  });
  for (int i = 0; i < 200; ++i) EXPECT_TRUE(live.process(frame_of(numbered(i))).cells.empty());
  gate.let_pass(2);
}

// A slow detector gets the newest frame each time, and the frames in between are counted as skipped.
TEST(LiveDetector, NewestFrameIsDetectedAndOthersAreCounted) {
  Gate gate;
  std::vector<int> seen;
  LiveDetector live([&](const Frame& frame) {
    seen.push_back(number_of(frame));
    gate.pass();
    return Findings{};
  });
  live.process(frame_of(numbered(1)));
  gate.wait_until_entered(1);
  for (int i = 2; i <= 10; ++i) live.process(frame_of(numbered(i)));
  EXPECT_EQ(live.counts().skipped, 8U);
  gate.let_pass(2);
  wait_for_detections(live, 2);
  EXPECT_EQ(seen, (std::vector<int>{1, 10}));
}

// Every frame ends as detected or as skipped, but for those still in hand.
TEST(LiveDetector, NoFrameIsLostFromTheCounts) {
  LiveDetector live([](const Frame&) {
    std::this_thread::sleep_for(1ms);
    return Findings{};
  });
  for (int i = 0; i < 300; ++i) {
    live.process(frame_of(numbered(i % 256)));
    const LiveDetector::Counts counts = live.counts();
    const auto ended = static_cast<int>(counts.detected + counts.skipped);
    ASSERT_LE(ended, i + 1);
    ASSERT_GE(ended, i + 1 - 2);
  }
}

// The age of a cell is the number of frames since the one on which it was found.
TEST(LiveDetector, AgeCountsFramesSinceDetection) {
  Gate gate;
  LiveDetector live([&](const Frame&) {
    gate.pass();
    return Findings{{cell}, "tiny", 0};
  });
  live.process(frame_of(numbered(1)));
  gate.wait_until_entered(1);
  live.process(frame_of(numbered(1)));
  gate.let_pass();
  wait_for_detections(live, 1);
  for (unsigned age = 2; age < 6; ++age) {
    const Findings found = live.process(frame_of(numbered(1)));
    EXPECT_EQ(found.cells.at(0).age, age);
    EXPECT_EQ(found.origin.age, age);
  }
  gate.let_pass(2);
}

// What is shown bears the name of the model that found it, until a result of another comes; nothing before
// the first.
TEST(LiveDetector, FindingsNameTheirModel) {
  Gate gate;
  std::atomic<int> calls{0};
  LiveDetector live([&](const Frame&) {
    gate.pass();
    return Findings{{}, ++calls == 1 ? "old" : "new", 0};
  });
  EXPECT_EQ(live.process(frame_of(numbered(1))).origin.model_digest, "");
  gate.let_pass();
  wait_for_detections(live, 1);
  EXPECT_EQ(live.process(frame_of(numbered(1))).origin.model_digest, "old");
  gate.wait_until_entered(2);
  EXPECT_EQ(live.process(frame_of(numbered(1))).origin.model_digest, "old");
  gate.let_pass();
  wait_for_detections(live, 2);
  const Findings found = live.process(frame_of(numbered(1)));
  EXPECT_EQ(found.origin.model_digest, "new");
  EXPECT_EQ(found.origin.age, 2U);
  live.reset();
  EXPECT_EQ(live.process(frame_of(numbered(1))).origin.model_digest, "");
  gate.let_pass(3);
}

// Boxes stay on their cells while the stage moves, are cut at the frame's edge, and go when the cell has
// left.
TEST(LiveDetector, BoxesFollowTheStage) {
  const cv::Mat slide = textured_slide(1200, 600, 1, 4);
  Gate gate;
  LiveDetector live([&](const Frame&) {
    gate.pass();
    return Findings{
        {{{100, 50, 140, 90}, 0.9, 1, "rbc", 0}, {{400, 300, 450, 340}, 0.8, 0, "wbc", 0}}, "tiny", 0};
  });
  const auto see = [&](double x, double y) {
    return live.process(frame_of(view_at(slide, x, y, 640, 480))).cells;
  };
  see(0, 0);
  gate.wait_until_entered(1);
  see(20, 10);  // while the first frame is being detected
  gate.let_pass();
  wait_for_detections(live, 1);

  std::vector<Cell> cells = see(40, 20);
  ASSERT_EQ(cells.size(), 2U);
  EXPECT_NEAR(cells[0].box.x_min, 60, 1.5);
  EXPECT_NEAR(cells[0].box.y_max, 70, 1.5);
  EXPECT_NEAR(cells[1].box.x_min, 360, 1.5);

  see(80, 40);
  cells = see(120, 60);
  ASSERT_EQ(cells.size(), 2U);
  EXPECT_EQ(cells[0].box.x_min, 0);
  EXPECT_NEAR(cells[0].box.x_max, 20, 2);

  cells = see(150, 60);
  ASSERT_EQ(cells.size(), 1U);
  EXPECT_EQ(cells[0].class_name, "wbc");
  EXPECT_NEAR(cells[0].box.x_min, 250, 2.5);
  EXPECT_NEAR(cells[0].box.y_min, 240, 2.5);
  gate.let_pass(2);
}

// After a seek or a change of size, what was found before belongs to another picture, even if it comes later.
TEST(LiveDetector, ResetForgetsOldResultsAndThoseUnderWay) {
  Gate gate;
  LiveDetector live([&](const Frame&) {
    gate.pass();
    return Findings{{cell}, "tiny", 0};
  });
  live.process(frame_of(numbered(1)));
  gate.wait_until_entered(1);
  live.process(frame_of(numbered(2)));
  live.reset();
  EXPECT_EQ(live.counts().skipped, 1U);
  gate.let_pass();
  wait_for_detections(live, 1);
  EXPECT_TRUE(live.process(frame_of(numbered(3))).cells.empty());
  gate.let_pass();
  wait_for_detections(live, 2);
  EXPECT_EQ(live.process(frame_of(numbered(4))).cells.size(), 1U);
  live.reset();
  EXPECT_TRUE(live.process(frame_of(numbered(5))).cells.empty());
  gate.let_pass(3);
}

// A failure beside the stream comes out with the next frame, once, in the streaming thread.
TEST(LiveDetector, FailureReachesTheStream) {
  std::atomic<int> calls{0};
  LiveDetector live([&](const Frame&) -> Findings {
    if (++calls == 1) throw Error("the device is gone");
    return {{cell}, "tiny", 0};
  });
  live.process(frame_of(numbered(1)));
  bool thrown = false;
  for (int i = 0; i < 5000 && !thrown; ++i) {
    try {
      if (calls > 1) break;
      std::this_thread::sleep_for(1ms);
      live.process(frame_of(numbered(2)));
    } catch (const Error& error) {
      thrown = true;
      EXPECT_STREQ(error.what(), "the device is gone");
    }
  }
  live.process(frame_of(numbered(3)));
  wait_for_detections(live, 1);
  EXPECT_FALSE(live.process(frame_of(numbered(3))).cells.empty());
}

// Stopping waits for the detection that runs, and starts no other.
TEST(LiveDetector, DestructionStartsNoFurtherDetection) {
  std::atomic<int> calls{0};
  Gate gate;
  std::thread later;
  {
    LiveDetector live([&](const Frame&) {
      ++calls;
      gate.pass();
      return Findings{};
    });
    live.process(frame_of(numbered(1)));
    gate.wait_until_entered(1);
    live.process(frame_of(numbered(2)));
    later = std::thread([&] {
      std::this_thread::sleep_for(20ms);
      gate.let_pass();
    });
  }
  later.join();
  EXPECT_EQ(calls, 1);
}

// Detection may take every core; the threads that it uses must give way to those that move frames.
TEST(LiveDetector, WorkerRunsAtLowerPriority) {
  std::promise<int> niceness;
  LiveDetector live([&, told = false](const Frame&) mutable {
    if (!told) niceness.set_value(getpriority(PRIO_PROCESS, 0));
    told = true;
    return Findings{};
  });
  live.process(frame_of(numbered(1)));
  EXPECT_EQ(niceness.get_future().get(), std::min(19, getpriority(PRIO_PROCESS, 0) + 5));
}

// A minute of 30 frames/s in front of a slow detector: the heap does not grow, for nothing queues up.
TEST(LiveDetector, MemoryStaysFlat) {
  LiveDetector live([](const Frame&) {
    std::this_thread::sleep_for(2ms);
    return Findings{std::vector<Cell>(100, cell), "tiny", 0};
  });
  const cv::Mat slide = textured_slide(1000, 800, 1);
  const auto play = [&](int frames) {
    for (int i = 0; i < frames; ++i) live.process(frame_of(slide(cv::Rect(i % 300, i % 200, 320, 240))));
  };
  const auto heap = [] {
    const struct mallinfo2 info = mallinfo2();
    return static_cast<long>(info.uordblks + info.hblkhd);
  };
  play(100);
  const long before = heap();
  play(1800);
  EXPECT_LT(std::abs(heap() - before), 256 * 1024);
}

}  // namespace
}  // namespace smearscope
