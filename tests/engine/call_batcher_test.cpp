#include "network/call_batcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

namespace smearscope {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;

// Runs batches that begin when the test lets them, and remembers how many jobs each had.
class CallBatches : public ::testing::Test {
 protected:
  void start(int most_jobs, milliseconds wait = milliseconds(0)) {
    batcher_ =
        std::make_unique<CallBatcher>([this](const auto& jobs, const auto&) { run(jobs); }, most_jobs, wait);
  }
  void run(const std::vector<DetectionJob>& jobs) {
    std::unique_lock<std::mutex> lock(mutex_);
    sizes_.push_back(jobs.size());
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
    if (fails_) throw Error("out of order");
  }
  std::future<void> call(std::size_t jobs, double score = 0.5, bool sum_kinds = false) {
    Thresholds thresholds;
    thresholds.sum_kinds = sum_kinds;
    thresholds.score = score;
    auto done = std::async(std::launch::async, [this, jobs, thresholds] {
      batcher_->call(std::vector<DetectionJob>(jobs), thresholds);
    });
    std::this_thread::sleep_for(milliseconds(20));  // so that calls come in this order
    return done;
  }
  void wait_for_batches(std::size_t count) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return sizes_.size() >= count; });
  }
  void open() {
    const std::lock_guard<std::mutex> lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

  std::unique_ptr<CallBatcher> batcher_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::size_t> sizes_;
  bool open_ = false, fails_ = false;
};

TEST_F(CallBatches, WhatComesWhileOneRunsGoesIntoTheNext) {
  start(3);
  std::vector<std::future<void>> calls;
  calls.push_back(call(1));
  wait_for_batches(1);
  for (int i = 0; i < 5; ++i) calls.push_back(call(1));
  open();
  for (auto& done : calls) done.get();
  EXPECT_THAT(sizes_, ElementsAre(1, 3, 2));
}

TEST_F(CallBatches, OneAtATimeWhereABatchIsOne) {
  start(1);
  std::vector<std::future<void>> calls;
  for (int i = 0; i < 4; ++i) calls.push_back(call(1));
  open();
  for (auto& done : calls) done.get();
  EXPECT_THAT(sizes_, ElementsAre(1, 1, 1, 1));
}

TEST_F(CallBatches, OtherThresholdsAreAnotherBatch) {
  start(8);
  std::vector<std::future<void>> calls;
  calls.push_back(call(1));
  wait_for_batches(1);
  for (const double score : {0.1, 0.2, 0.1}) calls.push_back(call(1, score));
  calls.push_back(call(1, 0.2, true));
  open();
  for (auto& done : calls) done.get();
  EXPECT_THAT(sizes_, ElementsAre(1, 2, 1, 1));
}

TEST_F(CallBatches, ACallIsNeverTornAndALargeOneGoesAlone) {
  start(4);
  std::vector<std::future<void>> calls;
  calls.push_back(call(1));
  wait_for_batches(1);
  for (const std::size_t jobs : {3, 2, 9}) calls.push_back(call(jobs));
  open();
  for (auto& done : calls) done.get();
  EXPECT_THAT(sizes_, ElementsAre(1, 3, 2, 9));
}

TEST_F(CallBatches, ABatchWaitsUntilItIsFull) {
  start(3, std::chrono::minutes(1));
  std::vector<std::future<void>> calls;
  open();
  for (int i = 0; i < 3; ++i) calls.push_back(call(1));
  for (auto& done : calls) done.get();
  EXPECT_THAT(sizes_, ElementsAre(3));
}

TEST_F(CallBatches, ALoneCallWaitsNoLongerThanAsked) {
  start(3, milliseconds(1));
  open();
  call(1).get();
  EXPECT_THAT(sizes_, ElementsAre(1));
}

TEST_F(CallBatches, AFailureIsThatOfAllItsCallsAndOfNoOther) {
  start(2);
  fails_ = true;
  std::vector<std::future<void>> calls;
  calls.push_back(call(1));
  wait_for_batches(1);
  for (int i = 0; i < 2; ++i) calls.push_back(call(1));
  open();
  for (auto& done : calls) EXPECT_THROW(done.get(), Error);
  fails_ = false;
  EXPECT_NO_THROW(call(1).get());
}

}  // namespace
}  // namespace smearscope
