// Copies of painted pictures, of real ones, and those that real data sets have of each other.
#include "duplicates/copies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <opencv2/imgcodecs.hpp>
#include <set>

#include "corpus/image_io.h"
#include "corpus/parallel.h"
#include "picture_variants.h"
#include "temporary_folder.h"

namespace smearscope::corpus {
namespace {

using ::testing::HasSubstr;
using testing::paint_picture;
using testing::random_variant;
using testing::TemporaryFolder;
using testing::Variant;

Image record_of(const std::filesystem::path& path, const cv::Size& size) {
  Image image;
  image.path = path;
  image.width = size.width;
  image.height = size.height;
  return image;
}

// How far `found` is off in the corners of the middle half of the original, in shares of the variant's side.
double greatest_error(const cv::Matx23d& found, const cv::Matx23d& right, const cv::Size& size,
                      const cv::Size& variant) {
  double greatest = 0;
  for (const double x : {0.25 * size.width, 0.75 * size.width}) {
    for (const double y : {0.25 * size.height, 0.75 * size.height}) {
      const cv::Vec2d off = (found - right) * cv::Vec3d(x, y, 1);
      greatest = std::max({greatest, std::abs(off[0]) / variant.width, std::abs(off[1]) / variant.height});
    }
  }
  return greatest;
}

class Copies : public ::testing::Test {
 protected:
  Image write(const cv::Mat& pixels, const std::string& extension = ".png") {
    const std::string path = folder_.file(std::to_string(++count_) + extension);
    cv::imwrite(path, pixels);
    return record_of(path, pixels.size());
  }
  TemporaryFolder folder_;
  int count_ = 0;
};

TEST_F(Copies, UnrelatedPicturesAreNone) {
  std::vector<Image> images;
  for (unsigned seed = 0; seed < 100; ++seed) images.push_back(write(paint_picture(seed, {320, 240})));
  EXPECT_TRUE(find_copies(images, 2).empty());
}

struct Change {
  const char* name;
  std::function<void(Variant&)> make;
};

TEST_F(Copies, AreFoundWhateverWasDoneToThePicture) {
  const Change changes[] = {
      {"smaller", [](Variant& v) { v.resize(0.5, 0.5); }},
      {"larger", [](Variant& v) { v.resize(1.5, 1.5); }},
      {"stretched", [](Variant& v) { v.resize(0.8, 1.1); }},
      {"compressed", [](Variant& v) { v.compress(50); }},
      {"cropped", [](Variant& v) { v.crop(0.15, 0.15, 0.15, 0.15); }},
      {"cropped on one side", [](Variant& v) { v.crop(0.15, 0, 0, 0); }},
      {"mirrored", [](Variant& v) { v.mirror(); }},
      {"transposed", [](Variant& v) { v.transpose(); }},
      {"turned by a quarter", [](Variant& v) { v.turn(); }},
      {"turned upside down", [](Variant& v) { v.turn(), v.turn(); }},
      {"darker",
       [](Variant& v) {
         v.recolour({0.6, 0.6, 0.6}, -20);
       }},
      {"of less contrast",
       [](Variant& v) {
         v.recolour({0.5, 0.5, 0.5}, 100);
       }},
      {"of other colours",
       [](Variant& v) {
         v.recolour({0.7, 1, 1.1}, 0);
       }},
      {"all of it", [](Variant& v) {
         v.crop(0.1, 0.02, 0.05, 0.12), v.turn(), v.resize(0.7, 0.7), v.recolour({0.8, 0.9, 1.1}, 10);
         v.compress(60);
       }}};
  const cv::Mat picture = paint_picture(1, {480, 360});
  std::vector<Image> images{write(picture)};
  std::vector<Variant> variants;
  for (const Change& change : changes) {
    variants.push_back({picture.clone()});
    change.make(variants.back());
    images.push_back(write(variants.back().pixels, ".jpg"));
  }
  std::map<std::size_t, Pair> copy;
  for (const Pair& pair : find_copies(images, 2)) {
    if (pair.first == 0) copy.emplace(pair.second, pair);
  }
  for (std::size_t i = 1; i < images.size(); ++i) {
    SCOPED_TRACE(changes[i - 1].name);
    ASSERT_EQ(copy.count(i), 1U);
    EXPECT_EQ(copy.at(i).likeness, Likeness::same_picture);
    EXPECT_GT(copy.at(i).correlation, 0.9);
    const Variant& variant = variants[i - 1];
    EXPECT_LT(greatest_error(copy.at(i).to_second, variant.to_variant, picture.size(), variant.pixels.size()),
              0.01);
  }
}

TEST_F(Copies, OfTheSameBytesHaveTheSameOtherCopies) {
  const cv::Mat picture = paint_picture(1, {320, 240});
  Variant smaller{picture.clone()};
  smaller.resize(0.6, 0.6);
  const std::vector<Image> images{write(picture), write(paint_picture(2, {320, 240})), write(smaller.pixels),
                                  write(picture)};
  const std::vector<Pair> pairs = find_copies(images, 1);
  ASSERT_EQ(pairs.size(), 3U);
  const auto expect = [&](std::size_t i, std::size_t first, std::size_t second, Likeness likeness) {
    EXPECT_EQ(pairs[i].first, first);
    EXPECT_EQ(pairs[i].second, second);
    EXPECT_EQ(pairs[i].likeness, likeness);
  };
  expect(0, 0, 2, Likeness::same_picture);
  expect(1, 0, 3, Likeness::same_bytes);
  expect(2, 2, 3, Likeness::same_picture);
  EXPECT_EQ(pairs[1].to_second, cv::Matx23d(1, 0, 0, 0, 1, 0));
  EXPECT_NEAR(pairs[0].to_second(0, 0), 0.6, 0.01);
  EXPECT_NEAR(pairs[2].to_second(0, 0), 1 / 0.6, 0.02) << "from the smaller to the larger";
}

TEST_F(Copies, ViewsThatOverlapByHalfShowOneField) {
  const cv::Mat slide = paint_picture(3, {640, 480});
  const std::vector<Image> images{write(slide(cv::Rect(0, 0, 400, 300))),
                                  write(slide(cv::Rect(120, 80, 400, 300)))};
  const std::vector<Pair> pairs = find_copies(images, 1);
  ASSERT_EQ(pairs.size(), 1U);
  EXPECT_EQ(pairs[0].likeness, Likeness::same_field);
  EXPECT_LT(greatest_error(pairs[0].to_second, {1, 0, -120, 0, 1, -80}, {400, 300}, {400, 300}), 0.01);
}

TEST_F(Copies, ViewsThatHardlyOverlapDoNotShowOneField) {
  const cv::Mat slide = paint_picture(3, {800, 600});
  const std::vector<Image> images{write(slide(cv::Rect(0, 0, 400, 300))),
                                  write(slide(cv::Rect(330, 0, 400, 300))),
                                  write(slide(cv::Rect(0, 300, 400, 300)))};
  EXPECT_TRUE(find_copies(images, 1).empty());
}

TEST_F(Copies, BlankPicturesAreOnlyByTheirBytes) {
  const std::vector<Image> images{write(cv::Mat(240, 320, CV_8UC3, cv::Scalar::all(200))),
                                  write(cv::Mat(240, 320, CV_8UC3, cv::Scalar::all(210))),
                                  write(cv::Mat(240, 320, CV_8UC3, cv::Scalar::all(200)))};
  const std::vector<Pair> pairs = find_copies(images, 1);
  ASSERT_EQ(pairs.size(), 1U);
  EXPECT_EQ(pairs[0].second, 2U);
  EXPECT_EQ(pairs[0].likeness, Likeness::same_bytes);
}

TEST_F(Copies, AreTheSameOnAnyNumberOfThreads) {
  std::vector<Image> images;
  cv::RNG random(1);
  for (unsigned seed = 0; seed < 8; ++seed) {
    const cv::Mat picture = paint_picture(seed, {320, 240});
    images.push_back(write(picture));
    for (int i = 0; i < 3; ++i) images.push_back(write(random_variant(picture, random).pixels, ".jpg"));
  }
  const std::vector<Pair> one = find_copies(images, 1), four = find_copies(images, 4);
  ASSERT_GE(one.size(), 24U);
  ASSERT_EQ(one.size(), four.size());
  for (std::size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(one[i].first, four[i].first);
    EXPECT_EQ(one[i].second, four[i].second);
    EXPECT_EQ(one[i].likeness, four[i].likeness);
    EXPECT_EQ(one[i].correlation, four[i].correlation);
    EXPECT_EQ(one[i].to_second, four[i].to_second);
    if (i == 0) continue;
    EXPECT_LT(std::make_pair(one[i - 1].first, one[i - 1].second),
              std::make_pair(one[i].first, one[i].second));
  }
}

TEST_F(Copies, AFileThatIsNoImageIsNamed) {
  std::vector<Image> images{write(paint_picture(1, {320, 240}))};
  images.push_back(record_of(folder_.file("broken.jpg"), {320, 240}));
  std::ofstream(images[1].path) << "\xFF\xD8 no more";
  try {
    find_copies(images, 2);
    FAIL() << "no error";
  } catch (const Error& problem) {
    EXPECT_THAT(problem.what(), HasSubstr("broken.jpg"));
  }
  EXPECT_TRUE(find_copies({}, 2).empty());
}

TEST_F(Copies, AJpegIsDecodedAtAFractionOfItsSizeAndOtherFormatsAtFullSize) {
  const cv::Mat picture = paint_picture(1, {320, 240});
  EXPECT_EQ(ImageFile(write(picture, ".jpg").path).grey(4).size(), cv::Size(80, 60));
  EXPECT_EQ(ImageFile(write(picture, ".jpg").path).grey(1).size(), cv::Size(320, 240));
  EXPECT_EQ(ImageFile(write(picture, ".png").path).grey(4).size(), cv::Size(320, 240));
  EXPECT_EQ(ImageFile(write(picture, ".png").path).grey(1).channels(), 1);
}

class RealCopies : public Copies {
 protected:
  // The image files of a data set, in order; none if it isn't there.
  static std::vector<std::filesystem::path> files_of(const std::string& source) {
    const char* shared = std::getenv("SMEARSCOPE_SHARED_DATA");
    const std::filesystem::path folder = std::filesystem::path(shared ? shared : "") / source;
    std::vector<std::filesystem::path> files;
    if (!shared || !std::filesystem::is_directory(folder)) return {};
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      const std::string extension = lower_extension(entry.path());
      if (extension == ".jpg" || extension == ".png") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
  }
};

TEST_F(RealCopies, VariantsOfRealPicturesAreFoundAndNothingElse) {
  constexpr std::size_t pictures = 300, copies = 5;  // of each picture: itself, and its variants
  std::vector<std::filesystem::path> real;
  for (const char* source : {"bccd", "chula-rbc-12", "pbc"}) {
    const auto files = files_of(source);
    if (files.size() < pictures / 3) GTEST_SKIP() << "needs the real data sets in $SMEARSCOPE_SHARED_DATA";
    for (std::size_t i = 0; i < pictures / 3; ++i) real.push_back(files[i * (files.size() / (pictures / 3))]);
  }
  std::vector<Image> images(pictures * copies);
  std::vector<cv::Matx23d> to_variant(images.size());
  parallel_for(pictures, 0, [&](std::size_t i) {
    cv::RNG random(i + 1);
    const cv::Mat picture = cv::imread(real[i].string());
    images[i * copies] = record_of(real[i], picture.size());
    for (std::size_t k = i * copies + 1; k < (i + 1) * copies; ++k) {
      const Variant variant = random_variant(picture, random);
      const std::string path = folder_.file(std::to_string(k) + ".jpg");
      cv::imwrite(path, variant.pixels);
      images[k] = record_of(path, variant.pixels.size());
      to_variant[k] = variant.to_variant;
    }
  });
  const std::vector<Pair> pairs = find_copies(images, 0);
  std::set<std::pair<std::size_t, std::size_t>> alike;  // some of the real pictures show one field
  std::size_t found = 0, placed = 0;
  for (const Pair& pair : pairs) {
    if (pair.first % copies != 0) continue;
    if (pair.second % copies == 0) alike.emplace(pair.first / copies, pair.second / copies);
    if (pair.first / copies != pair.second / copies || pair.likeness != Likeness::same_picture) continue;
    ++found;
    const Image &original = images[pair.first], &variant = images[pair.second];
    placed += greatest_error(pair.to_second, to_variant[pair.second], {original.width, original.height},
                             {variant.width, variant.height}) < 0.01;
  }
  for (const Pair& pair : pairs) {
    const std::size_t a = pair.first / copies, b = pair.second / copies;
    EXPECT_TRUE(a == b || alike.count({a, b}) > 0) << "variants of " << real[a] << " and " << real[b];
  }
  const std::size_t all = pictures * (copies - 1);
  std::cout << found << " of " << all << " variants found, " << placed << " to a hundredth of the side; "
            << alike.size() << " of the real pictures alike\n";
  EXPECT_GE(double(found), 0.99 * double(all));
  EXPECT_GE(double(placed), 0.99 * double(all));
  EXPECT_LE(alike.size(), 3U) << "those were looked at, and do show one field";
}

TEST_F(RealCopies, TxlHasThoseOfBccdAndPbc) {
  std::vector<Image> images;
  for (const char* source : {"bccd", "chula-rbc-12", "pbc", "txl-pbc"}) {
    const auto files = files_of(source);
    if (files.empty()) GTEST_SKIP() << "needs the real data sets in $SMEARSCOPE_SHARED_DATA";
    for (const auto& file : files) {
      images.push_back(record_of(file, {640, 480}));
      images.back().source = source;
    }
  }
  parallel_for(images.size(), 0,
               [&](std::size_t i) { images[i].sha256 = ImageFile(images[i].path).sha256(); });
  std::map<std::string, std::array<std::size_t, 3>> count;
  std::size_t same_bytes = 0, pairs_of_same_bytes = 0;
  for (const Pair& pair : find_copies(images, 0)) {
    const Image &a = images[pair.first], &b = images[pair.second];
    ++count[a.source + "+" + b.source].at(std::size_t(pair.likeness));
    pairs_of_same_bytes += pair.likeness == Likeness::same_bytes;
  }
  for (std::size_t i = 0; i < images.size(); ++i) {
    for (std::size_t k = i + 1; k < images.size(); ++k) same_bytes += images[i].sha256 == images[k].sha256;
  }
  for (const auto& [sources, n] : count) {
    std::cout << sources << ": " << n[0] << " of the same bytes, " << n[1] << " the same picture, " << n[2]
              << " the same field\n";
  }
  EXPECT_EQ(pairs_of_same_bytes, same_bytes);
  // All pairs but those of the same bytes were looked at when this was written, and all were right.
  EXPECT_EQ(count.size(), 6U) << "pairs within each source, and TXL-PBC with BCCD and PBC";
  EXPECT_GE(count["bccd+txl-pbc"][1], 159U);
  EXPECT_GE(count["bccd+txl-pbc"][2], 56U);
  EXPECT_LE(count["bccd+bccd"][1] + count["bccd+bccd"][2], 16U);
  EXPECT_LE(count["pbc+pbc"][1] + count["pbc+pbc"][2], 4U);
  EXPECT_LE(count["pbc+txl-pbc"][1] + count["pbc+txl-pbc"][2], 1U);
  EXPECT_LE(count["chula-rbc-12+chula-rbc-12"][1] + count["chula-rbc-12+chula-rbc-12"][2], 21U);
}

}  // namespace
}  // namespace smearscope::corpus
