#include "tally/focus.h"

#include <gtest/gtest.h>

#include <opencv2/imgproc.hpp>

#include "smear_camera.h"
#include "test_picture.h"

namespace smearscope {
namespace {

using testing::frame_of;
using testing::SmearCamera;

// A smear a micrometre out of focus is told from a sharp one wherever the stage is, and so is one far out of
// focus, where noise is all the edges there are.
TEST(Focus, APictureOutOfFocusIsNotSharp) {
  SmearCamera camera;
  FocusGate gate;
  for (int i = 0; i < 5; ++i) {
    camera.look(9000 - 47.0 * i, 8000);
    EXPECT_TRUE((gate.judge(camera.frame(), 0.15) == Focus::sharp));
  }
  for (int i = 0; i < 12; ++i) {
    const double x = 9000 + 47.0 * i;
    camera.look(x, 8000);
    EXPECT_TRUE((gate.judge(camera.frame(), 0.15) == Focus::sharp)) << i;
    camera.look(x, 8000, i % 2 ? 1 : 8);
    EXPECT_FALSE((gate.judge(camera.frame(), 0.15) == Focus::sharp)) << i;
    EXPECT_TRUE((gate.judge(camera.frame(), 0) == Focus::sharp)) << "all are asked for";
  }
}

// After a while without a sharp frame the best there is must do: the light or the slide has changed.
TEST(Focus, TheSharpestFrameIsForgottenSlowly) {
  const cv::Mat sharp = testing::textured_slide(640, 480, 1, 1.5);
  cv::Mat soft;
  cv::GaussianBlur(sharp, soft, cv::Size(), 3);
  FocusGate gate;
  for (int i = 0; i < 5; ++i) EXPECT_TRUE((gate.judge(frame_of(sharp), 0.5) == Focus::sharp));
  int frames = 0;
  while (!(gate.judge(frame_of(soft), 0.5) == Focus::sharp) && frames < 5000) ++frames;
  EXPECT_GT(frames, 100);
  EXPECT_LT(frames, 5000);
  EXPECT_TRUE((gate.judge(frame_of(soft), 0.5) == Focus::sharp));
  gate.reset();
  EXPECT_TRUE((gate.judge(frame_of(soft), 1) == Focus::sharp));
}

// A frame or two of noise, as a camera or a cable gives, is no measure for those that follow.
TEST(Focus, NoiseIsNoMeasure) {
  SmearCamera camera;
  camera.look(9000, 8000);
  cv::RNG random(2);
  cv::Mat noise(480, 640, CV_8UC1);
  random.fill(noise, cv::RNG::UNIFORM, 0, 256);
  for (const int before : {0, 5}) {
    FocusGate gate;
    for (int i = 0; i < before; ++i) (void)(gate.judge(camera.frame(), 0.15) == Focus::sharp);
    for (int i = 0; i < 4; ++i) (void)(gate.judge(frame_of(noise), 0.15) == Focus::sharp);
    int lost = 0;
    for (int i = 0; i < 10; ++i) lost += !(gate.judge(camera.frame(), 0.15) == Focus::sharp);
    EXPECT_EQ(lost, 0) << before;
  }
}

// The background is the light around the cells: specks, noise and the cells themselves are none.
TEST(Focus, TheBackgroundIsWhatATenthOfThePictureIsBrighterThan) {
  cv::Mat picture(480, 640, CV_8UC3, cv::Scalar(60, 60, 60));
  picture.colRange(0, 100).setTo(cv::Scalar(0, 150, 0));  // green is what counts, of the middle
  EXPECT_EQ(sharpness_of(frame_of(picture)).background, 60) << "a strip too narrow in the middle";
  picture.colRange(0, 220).setTo(cv::Scalar(0, 150, 0));
  EXPECT_EQ(sharpness_of(frame_of(picture)).background, 150);
  SmearCamera camera;
  camera.look(9000, 8000);
  EXPECT_GT(sharpness_of(camera.frame()).background, dark_background);
}

// Where there is hardly any contrast it can't be told, and noise is no sharpness.
TEST(Focus, ABlankPictureCantBeTold) {
  cv::RNG random(1);
  cv::Mat noise(480, 640, CV_8UC1);
  random.fill(noise, cv::RNG::NORMAL, 128, 3);
  EXPECT_EQ(FocusGate().judge(frame_of(noise), 0.15), Focus::blank);
  for (const cv::Size size : {cv::Size(1, 1), cv::Size(1, 700), cv::Size(640, 480)}) {
    const cv::Mat blank(size, CV_8UC3, cv::Scalar(128, 128, 128));
    EXPECT_EQ(FocusGate().judge(frame_of(blank), 1), Focus::blank);
    EXPECT_EQ(FocusGate().judge(frame_of(blank), 0), Focus::sharp) << "all are asked for";
  }
}

}  // namespace
}  // namespace smearscope
