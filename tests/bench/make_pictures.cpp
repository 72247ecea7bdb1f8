// Writes a corpus of many small pictures that have nothing in common, cheap to decode, with some boxes each:
// to see how memory and time grow with the number of images.
//
// usage: make_pictures FOLDER COUNT [SEED]
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string>

#include "corpus/folder.h"

namespace {

using namespace smearscope::corpus;

constexpr int side = 96, cells = 8;

// Smooth noise: blobs of all sizes that landmarks have.
cv::Mat picture_of(cv::RNG& random) {
  cv::Mat coarse(9, 9, CV_8UC3), fine(18, 18, CV_8UC3), picture, detail;
  random.fill(coarse, cv::RNG::UNIFORM, 60, 250);
  random.fill(fine, cv::RNG::UNIFORM, 60, 250);
  cv::resize(coarse, picture, {side, side}, 0, 0, cv::INTER_CUBIC);
  cv::resize(fine, detail, {side, side}, 0, 0, cv::INTER_CUBIC);
  cv::addWeighted(picture, 0.6, detail, 0.4, 0, picture);
  return picture;
}

Image image_of(const std::filesystem::path& folder, int number, cv::RNG& random) {
  Image image;
  char name[32];
  std::snprintf(name, sizeof name, "%07d.jpg", number);
  image.file = name;
  image.path = folder / name;
  image.width = image.height = side;
  image.source = "made";
  image.source_file = std::string("pictures/of/no/use/") + name;
  cv::imwrite(image.path.string(), picture_of(random));
  for (int i = 0; i < cells; ++i) {
    const double x = random.uniform(0, side - 20), y = random.uniform(0, side - 20);
    image.annotations.push_back({{x, y, x + 16 + i % 4, y + 18}, i % 3, "LABEL", BoxOrigin::labelled});
  }
  return image;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return std::fputs("usage: make_pictures FOLDER COUNT [SEED]\n", stderr), 2;
  const std::filesystem::path folder = argv[1], pictures = folder.string() + ".pictures";
  std::filesystem::create_directories(pictures);
  cv::RNG random(argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 1);
  Corpus corpus;
  corpus.classes = {{"wbc"}, {"rbc"}, {"platelet"}};
  for (int i = 0; i < std::atoi(argv[2]); ++i) corpus.images.push_back(image_of(pictures, i, random));
  write_corpus(folder, corpus, Transfer::link);
  std::filesystem::remove_all(pictures);
  return 0;
}
