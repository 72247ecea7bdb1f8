#include "tally/focus.h"

#include <gtest/gtest.h>

#include <opencv2/imgproc.hpp>

#include "smear_camera.h"
#include "test_picture.h"

namespace smearscope {
namespace {

using testing::frame_of;
using testing::SmearCamera;

// A smear a micrometre out of focus is told from a sharp one wherever the stage is.
TEST(Focus, APictureOutOfFocusIsNotSharp) {
  SmearCamera camera;
  FocusGate gate;
  for (int i = 0; i < 3; ++i) {
    camera.look(9000 - 47.0 * i, 8000);
    EXPECT_TRUE(gate.is_sharp(camera.frame(), 0.15));
  }
  for (int i = 0; i < 12; ++i) {
    const double x = 9000 + 47.0 * i;
    camera.look(x, 8000);
    EXPECT_TRUE(gate.is_sharp(camera.frame(), 0.15)) << i;
    camera.look(x, 8000, 1);
    EXPECT_FALSE(gate.is_sharp(camera.frame(), 0.15)) << i;
    EXPECT_TRUE(gate.is_sharp(camera.frame(), 0)) << "all are asked for";
  }
}

// After a while without a sharp frame the best there is must do: the light or the slide has changed.
TEST(Focus, TheSharpestFrameIsForgottenSlowly) {
  const cv::Mat sharp = testing::textured_slide(640, 480, 1, 1.5);
  cv::Mat soft;
  cv::GaussianBlur(sharp, soft, cv::Size(), 3);
  FocusGate gate;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(gate.is_sharp(frame_of(sharp), 0.5));
  int frames = 0;
  while (!gate.is_sharp(frame_of(soft), 0.5) && frames < 5000) ++frames;
  EXPECT_GT(frames, 100);
  EXPECT_LT(frames, 5000);
  EXPECT_TRUE(gate.is_sharp(frame_of(soft), 0.5));
  gate.reset();
  EXPECT_TRUE(gate.is_sharp(frame_of(soft), 1));
}

// A frame or two of noise, as a camera or a cable gives, is no measure for those that follow.
TEST(Focus, NoiseIsNoMeasure) {
  SmearCamera camera;
  camera.look(9000, 8000);
  cv::RNG random(2);
  cv::Mat noise(480, 640, CV_8UC1);
  random.fill(noise, cv::RNG::UNIFORM, 0, 256);
  for (const int before : {0, 3}) {
    FocusGate gate;
    for (int i = 0; i < before; ++i) gate.is_sharp(camera.frame(), 0.15);
    for (int i = 0; i < 2; ++i) gate.is_sharp(frame_of(noise), 0.15);
    int lost = 0;
    for (int i = 0; i < 10; ++i) lost += !gate.is_sharp(camera.frame(), 0.15);
    EXPECT_EQ(lost, 0) << before;
  }
}

// Where there is hardly any contrast it can't be told, and noise is no sharpness.
TEST(Focus, ABlankPictureCantBeTold) {
  cv::RNG random(1);
  cv::Mat noise(480, 640, CV_8UC1);
  random.fill(noise, cv::RNG::NORMAL, 128, 3);
  EXPECT_LT(sharpness_of(frame_of(noise)), 0);
  for (const cv::Size size : {cv::Size(1, 1), cv::Size(1, 700), cv::Size(640, 480)}) {
    const cv::Mat blank(size, CV_8UC3, cv::Scalar(128, 128, 128));
    EXPECT_LT(sharpness_of(frame_of(blank)), 0);
    FocusGate gate;
    EXPECT_TRUE(gate.is_sharp(frame_of(blank), 1));
  }
}

}  // namespace
}  // namespace smearscope
