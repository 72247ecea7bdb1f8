// What smearscope-detect reads and how it writes: image files, lists of images, output files.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <opencv2/imgcodecs.hpp>

#include "model_files.h"
#include "smearscope/error.h"
#include "temporary_folder.h"
#include "tools/detect/image_file.h"
#include "tools/detect/image_list.h"
#include "tools/detect/options.h"
#include "tools/detect/output_file.h"

namespace smearscope::detect {
namespace {

using smearscope::testing::read_bytes;
using smearscope::testing::write_bytes;

class DetectFiles : public ::testing::Test {
 protected:
  std::string write(const std::string& name, const cv::Mat& pixels) {
    if (!cv::imwrite(folder_.file(name), pixels)) throw std::runtime_error("cannot write " + name);
    return folder_.file(name);
  }

  std::string write(const std::string& name, const std::string& bytes) {
    write_bytes(folder_.file(name), bytes);
    return folder_.file(name);
  }

  // The message of the Error that `action` throws; empty if it throws none.
  template <typename Action>
  static std::string error_of(Action action) {
    try {
      action();
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  static std::string read_error(const std::string& path) {
    return error_of([&] { read_image(path); });
  }

  testing::TemporaryFolder folder_;
};

void expect_has(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << "\"" << text << "\" lacks \"" << part << "\"";
}

TEST_F(DetectFiles, ColorAndGreyKeepTheirValues) {
  const Image color = read_image(write("c.png", cv::Mat(3, 5, CV_8UC3, cv::Scalar(10, 20, 30))));
  EXPECT_EQ(color.frame().format, PixelFormat::bgr);
  EXPECT_EQ(color.frame().width, 5);
  EXPECT_EQ(color.frame().height, 3);
  EXPECT_EQ(color.pixels.at<cv::Vec3b>(2, 4), cv::Vec3b(10, 20, 30));
  const Image grey = read_image(write("g.png", cv::Mat(3, 5, CV_8UC1, cv::Scalar(99))));
  EXPECT_EQ(grey.frame().format, PixelFormat::gray8);
  EXPECT_EQ(grey.pixels.at<unsigned char>(0, 0), 99);
}

// 65535 is white, 0 black, and what lies between is scaled, not cut.
TEST_F(DetectFiles, SixteenBitsAreScaledFromTheFullRange) {
  cv::Mat deep(1, 3, CV_16UC3, cv::Scalar(0, 32768, 65535));
  const Image image = read_image(write("deep.png", deep));
  EXPECT_EQ(image.pixels.depth(), CV_8U);
  EXPECT_EQ(image.pixels.at<cv::Vec3b>(0, 0), cv::Vec3b(0, 128, 255));
  EXPECT_TRUE(image.warning.empty());
  EXPECT_EQ(read_image(write("deep.tiff", cv::Mat(2, 2, CV_16UC1, cv::Scalar(65535))))
                .pixels.at<unsigned char>(0, 0),
            255);
}

// 12 bits in 16 come out black; the user is told.
TEST_F(DetectFiles, DarkSixteenBitsWarn) {
  expect_has(read_image(write("dark.png", cv::Mat(2, 2, CV_16UC1, cv::Scalar(4095)))).warning, "4095");
}

TEST_F(DetectFiles, AlphaIsDropped) {
  const Image image = read_image(write("alpha.png", cv::Mat(2, 2, CV_8UC4, cv::Scalar(1, 2, 3, 0))));
  EXPECT_EQ(image.pixels.type(), CV_8UC3);
  EXPECT_EQ(image.pixels.at<cv::Vec3b>(0, 0), cv::Vec3b(1, 2, 3));
}

// 16x16 pixels of C 0, M 200, Y 200, K 0, in Adobe's inverted CMYK.
// PIL: Image.new('CMYK', (16, 16), (0, 200, 200, 0)).save(f, 'JPEG', optimize=True, quality=75)
std::string cmyk_jpeg() {
  const std::string hex =
      "ffd8ffee000e41646f626500640000000000ffdb004300080606070605080707070909080a0c140d0c0b0b0c1912130f141d"
      "1a1f1e1d1a1c1c20242e2720222c231c1c2837292c30313434341f27393d38323c2e333432ffc00014080010001004431100"
      "4d11005911004b1100ffc4001500010100000000000000000000000000000007ffc400141001000000000000000000000000"
      "00000000ffda000e0443004d0059004b00003f00bfa6c9b2fe000000ffd9";
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

TEST_F(DetectFiles, CmykJpegBecomesRgb) {
  const Image image = read_image(write("cmyk.jpg", cmyk_jpeg()));
  ASSERT_EQ(image.pixels.type(), CV_8UC3);
  const cv::Vec3b pixel = image.pixels.at<cv::Vec3b>(8, 8);
  EXPECT_NEAR(pixel[2], 255, 6);
  EXPECT_NEAR(pixel[1], 55, 6);
  EXPECT_NEAR(pixel[0], 55, 6);
}

// A decoder would fill the rest with grey and say nothing.
TEST_F(DetectFiles, JpegCutAnywhereIsRefused) {
  std::string jpeg = read_bytes(write("whole.jpg", cv::Mat(64, 64, CV_8UC3, cv::Scalar(90, 120, 200))));
  EXPECT_EQ(read_error(folder_.file("whole.jpg")), "");
  for (const std::size_t length : {std::size_t{3}, std::size_t{20}, jpeg.size() / 2, jpeg.size() - 1}) {
    EXPECT_NE(read_error(write("cut.jpg", jpeg.substr(0, length))), "") << length;
  }
  // Cameras append things; that is no damage.
  EXPECT_EQ(read_error(write("appended.jpg", jpeg + std::string(100, 'x'))), "");
}

TEST_F(DetectFiles, DamagedPngIsRefused) {
  cv::Mat noise(64, 64, CV_8UC3);
  cv::randu(noise, 0, 255);
  std::string png = read_bytes(write("whole.png", noise));
  EXPECT_NE(read_error(write("cut.png", png.substr(0, png.size() / 2))), "");
  png[png.size() / 2] ^= 1;
  EXPECT_NE(read_error(write("flipped.png", png)), "");
}

TEST_F(DetectFiles, WhatIsNoImageIsNamedInOneLine) {
  for (const std::string& path :
       {write("text.png", "this is not a picture\n"), write("empty.png", std::string()),
        folder_.file("missing.png"), folder_.path(), std::string("/dev/zero")}) {
    const std::string error = read_error(path);
    EXPECT_EQ(error.rfind(path + ": ", 0), 0U) << error;
    EXPECT_EQ(error.find('\n'), std::string::npos) << error;
  }
}

// Opening a pipe must not wait for its writer.
TEST_F(DetectFiles, PipeIsRefusedAtOnce) {
  ASSERT_EQ(::mkfifo(folder_.file("pipe.png").c_str(), 0600), 0);
  expect_has(read_error(folder_.file("pipe.png")), "not a regular file");
}

TEST_F(DetectFiles, UnreadableFileIsNamed) {
  const std::string path = write("locked.png", cv::Mat(2, 2, CV_8UC1));
  ::chmod(path.c_str(), 0);
  if (::access(path.c_str(), R_OK) == 0) GTEST_SKIP() << "this user may read every file (root)";
  expect_has(read_error(path), "Permission denied");
}

TEST_F(DetectFiles, FoldersAreListedSortedWithSubfolders) {
  std::filesystem::create_directories(folder_.file("a/sub"));
  for (const char* name : {"a/2.PNG", "a/1.jpg", "a/sub/3.tif", "a/notes.txt", "a/.hidden.png"})
    write(name, std::string("x"));
  const std::vector<ListedImage> images = list_images({folder_.file("a")});
  ASSERT_EQ(images.size(), 3U);
  EXPECT_EQ(images[0].name, "1.jpg");
  EXPECT_EQ(images[1].name, "2.PNG");
  EXPECT_EQ(images[2].name, "sub/3.tif");
  EXPECT_EQ(images[2].id, 3);
  EXPECT_EQ(images[2].path, folder_.file("a/sub/3.tif"));
}

TEST_F(DetectFiles, BadListsAreRefused) {
  std::filesystem::create_directories(folder_.file("a"));
  std::filesystem::create_directories(folder_.file("b"));
  expect_has(error_of([&] { list_images({folder_.file("a")}); }), "no images in this folder");
  expect_has(error_of([&] { list_images({folder_.file("none.png")}); }), "none.png");
  write("a/x.png", std::string("x"));
  write("b/x.png", std::string("x"));
  expect_has(error_of([&] {
               list_images({folder_.file("a"), folder_.file("b")});
             }),
             "two images are named x.png");
}

TEST_F(DetectFiles, CocoFileGivesIdsAndList) {
  std::filesystem::create_directories(folder_.file("a/sub"));
  write("a/x.png", std::string("x"));
  write("a/not-listed.png", std::string("x"));
  const CocoFile coco(write("c.json", R"({"images": [{"id": 70, "file_name": "sub/y.png", "width": 3},
      {"id": -5, "file_name": "x.png"}], "categories": [{"id": 9, "name": "rbc"}], "annotations": [1, {}]})"));
  EXPECT_EQ(coco.categories().at("rbc"), 9);
  const std::vector<ListedImage> images = list_images({folder_.file("a")}, coco);
  ASSERT_EQ(images.size(), 2U);
  EXPECT_EQ(images[0].id, 70);
  EXPECT_EQ(images[0].path, folder_.file("a/sub/y.png"));
  EXPECT_EQ(images[1].id, -5);
  EXPECT_EQ(list_images({folder_.file("a/x.png")}, coco)[0].id, -5);
  expect_has(error_of([&] { list_images({folder_.file("a/not-listed.png")}, coco); }), "lists no image");
}

TEST_F(DetectFiles, BadCocoFilesAreRefused) {
  const auto error = [&](const std::string& text) {
    return error_of([&] { CocoFile coco(write("c.json", text)); });
  };
  expect_has(error("{"), "not JSON");
  expect_has(error("[]"), "no list \"images\"");
  expect_has(error(R"({"images": 3})"), "no list \"images\"");
  expect_has(error(R"({"images": [{"id": "1", "file_name": "a"}], "categories": []})"),
             "entry 0 of \"images\"");
  expect_has(error(R"({"images": [{"id": 1, "file_name": "a"}, {"id": 2, "file_name": "a"}]})"), "repeats");
  expect_has(error(R"({"images": []})"), "no list \"categories\"");
  expect_has(error(std::string(100000, '[')), "not JSON");
  for (const char* name : {"/etc/passwd", "../up.png", "a/../../up.png", ""}) {
    const CocoFile coco(write("c.json", std::string(R"({"images": [{"id": 1, "file_name": ")") + name +
                                            R"("}], "categories": []})"));
    expect_has(error_of([&] { list_images({folder_.path()}, coco); }), "leads out of its folder");
  }
}

TEST_F(DetectFiles, OutputAppearsOnCommitAlone) {
  const std::string path = folder_.file("out.csv");
  const auto files = [&] {
    return std::distance(std::filesystem::directory_iterator(folder_.path()),
                         std::filesystem::directory_iterator());
  };
  {
    OutputFile file(path);
    file.write("half");
    EXPECT_FALSE(std::filesystem::exists(path));
  }
  EXPECT_EQ(files(), 0);
  {
    OutputFile file(path);
    file.write("whole");
    file.commit();
  }
  EXPECT_EQ(read_bytes(path), "whole");
  {
    OutputFile file(path);
    file.write("new, but never finished");
  }
  EXPECT_EQ(read_bytes(path), "whole");
  EXPECT_EQ(files(), 1);
}

// A link stays a link, a file keeps its permissions, a device is written to and not replaced.
TEST_F(DetectFiles, OutputKeepsWhatItsNameIs) {
  write("real.csv", std::string("old"));
  ::chmod(folder_.file("real.csv").c_str(), 0640);
  std::filesystem::create_symlink("real.csv", folder_.file("link.csv"));
  OutputFile file(folder_.file("link.csv"));
  file.write("new");
  file.commit();
  EXPECT_TRUE(std::filesystem::is_symlink(folder_.file("link.csv")));
  EXPECT_EQ(read_bytes(folder_.file("real.csv")), "new");
  struct stat status {};
  ::stat(folder_.file("real.csv").c_str(), &status);
  EXPECT_EQ(status.st_mode & 0777, 0640U);

  expect_has(error_of([] {
               OutputFile full("/dev/full");
               full.write("x");
               full.commit();
             }),
             "/dev/full: cannot be written: No space left on device");
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/full"));
  expect_has(error_of([&] { OutputFile folder(folder_.path()); }), "it is a folder");
  expect_has(error_of([&] { OutputFile nowhere(folder_.file("none/x")); }), "No such file");
}

TEST(DetectOptions, MistakesAreNamed) {
  const auto error = [](const std::vector<std::string>& words) -> std::string {
    try {
      parse_options(words);
    } catch (const UsageError& usage) {
      return usage.what();
    }
    return "";
  };
  expect_has(error({}), "needs an image or a folder");
  expect_has(error({"--colour", "x", "a.png"}), "unknown option --colour");
  expect_has(error({"a.png", "--csv"}), "--csv needs a value");
  expect_has(error({"a.png", "--csv="}), "--csv needs a name");
  for (const char* bad : {"1.5", "-0.1", "nan", "", "0.5x", "half"}) {
    expect_has(error({"a.png", std::string("--score-threshold=") + bad}), "must be a number from 0 to 1");
  }
  expect_has(error({"a.png", "--max-detections", "0"}), "whole number from 1");
  expect_has(error({"a.png", "--device", "gpu"}), "unknown device");
  expect_has(error({"a.png", "--precision", "f64"}), "unknown precision");
  expect_has(error({"a.png", "--classes", "rbc,,wbc"}), "separated by commas");
  EXPECT_EQ(error({"--score-threshold=0.01", "a.png", "--", "--csv"}), "");
}

TEST(DetectOptions, ValuesArrive) {
  const Options options = parse_options(
      {"--classes", "rbc, target cell", "--score-threshold", "0.01", "--threads=3", "x", "--", "-y"});
  EXPECT_EQ(options.classes, (std::vector<std::string>{"rbc", "target cell"}));
  EXPECT_EQ(options.score_threshold, 0.01);
  EXPECT_EQ(options.detector.threads, 3);
  EXPECT_EQ(options.inputs, (std::vector<std::string>{"x", "-y"}));
}

}  // namespace
}  // namespace smearscope::detect
