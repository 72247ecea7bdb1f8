// Draws rectangles into the smears of a folder, and counts which of them are found:
//   measure_drawn_rectangles FOLDER PICTURES [SEED [FOLDER_FOR_FAILURES]]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <filesystem>
#include <fstream>
#include <map>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "corpus/image_io.h"
#include "drawn_smears.h"
#include "segmentation/drawn_rectangles.h"

namespace smearscope::testing {
namespace {

namespace fs = std::filesystem;

struct Count {
  int drawn = 0, found = 0, wrong = 0;
};

void print(const char* what, const Count& count) {
  std::printf("%-28s %6d drawn %7.2f%% found %6.2f%% false\n", what, count.drawn,
              100.0 * count.found / std::max(1, count.drawn),
              100.0 * count.wrong / std::max(1, count.found + count.wrong));
}

std::vector<fs::path> pictures_in(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".jpg") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// Half of the pictures as they are, half enlarged to a longer side of 1000.
cv::Mat smear_of(const std::vector<fs::path>& files, cv::RNG& random) {
  cv::Mat smear = corpus::read_image(files[std::size_t(random.uniform(0, int(files.size())))]);
  const double scale = 1000.0 / std::max(smear.cols, smear.rows);
  if (random.uniform(0, 2) == 0) cv::resize(smear, smear, {}, scale, scale, cv::INTER_CUBIC);
  return smear;
}

void show_failure(const DrawnSmear& smear, const std::vector<corpus::Box>& found,
                  const std::vector<int>& partner, const fs::path& file) {
  cv::Mat picture;
  cv::cvtColor(smear.labelled, picture, cv::COLOR_RGB2BGR);
  const double scale = 2;
  cv::resize(picture, picture, {}, scale, scale, cv::INTER_NEAREST);
  const auto draw = [&](const corpus::Box& box, const cv::Scalar& colour) {
    cv::rectangle(picture, cv::Point(cvRound(scale * box.x_min), cvRound(scale * box.y_min)),
                  cv::Point(cvRound(scale * box.x_max), cvRound(scale * box.y_max)), colour, 1);
  };
  for (std::size_t k = 0; k < found.size(); ++k) {
    const bool right = std::find(partner.begin(), partner.end(), int(k)) != partner.end();
    draw(found[k], right ? cv::Scalar(0, 255, 0) : cv::Scalar(0, 0, 255));
  }
  for (std::size_t i = 0; i < partner.size(); ++i) {
    if (partner[i] < 0) draw(smear.rectangles[i].box, {255, 255, 0});
  }
  cv::imwrite(file.string() + ".png", picture);
  std::ofstream list(file.string() + ".txt");
  for (std::size_t i = 0; i < partner.size(); ++i) {
    const corpus::Box& b = smear.rectangles[i].box;
    list << (partner[i] < 0 ? "missed " : "found ") << b.x_min << ' ' << b.y_min << ' ' << b.x_max << ' '
         << b.y_max << ' ' << smear.rectangles[i].relation << '\n';
  }
  for (std::size_t k = 0; k < found.size(); ++k) {
    const bool right = std::find(partner.begin(), partner.end(), int(k)) != partner.end();
    if (!right)
      list << "false " << found[k].x_min << ' ' << found[k].y_min << ' ' << found[k].x_max << ' '
           << found[k].y_max << '\n';
  }
  for (const bool labelled : {true, false}) {
    cv::cvtColor(labelled ? smear.labelled : smear.unlabelled, picture, cv::COLOR_RGB2BGR);
    cv::imwrite(file.string() + (labelled ? "-labelled.png" : "-unlabelled.png"), picture);
  }
}

int measure(const fs::path& folder, int pictures, unsigned seed, const fs::path& failures) {
  const std::vector<fs::path> files = pictures_in(folder);
  cv::RNG random(seed);
  std::map<std::string, Count> counts;
  double seconds = 0, slowest = 0;
  for (int i = 0; i < pictures; ++i) {
    const int width = 1 + i % 6, quality = 70 + 5 * (i / 6 % 6);
    const DrawnSmear smear = draw_into(smear_of(files, random), unsigned(random), width, quality);
    std::vector<corpus::Box> found;
    const std::clock_t start = std::clock();
    try {
      found = corpus::find_drawn_rectangles(smear.labelled, smear.unlabelled);
    } catch (const Error& problem) {
      std::printf("picture %d: %s\n", i, problem.what());
    }
    const double took = double(std::clock() - start) / CLOCKS_PER_SEC;
    seconds += took;
    slowest = std::max(slowest, took);
    if (took > 0.15) std::printf("slow %d: %.0f ms\n", i, 1000 * took);
    const std::vector<int> partner = match(smear.rectangles, found);
    static const char* const pens[] = {"OpenCV", "inwards", "centred", "anti-aliased"};
    const int right = int(std::count_if(partner.begin(), partner.end(), [](int k) { return k >= 0; }));
    const int wrong = int(found.size()) - right;
    for (const std::string& key :
         {std::string("all"), "pen of " + std::to_string(width), "quality " + std::to_string(quality),
          std::string("drawn by ") + pens[int(smear.pen)],
          std::string(smear.labelled.cols > 700 ? "about 1000x1000" : "as they are")}) {
      Count& count = counts[key];
      count.drawn += int(partner.size());
      count.found += right;
      count.wrong += wrong;
    }
    for (std::size_t k = 0; k < partner.size(); ++k) {
      Count& count = counts["relation: " + smear.rectangles[k].relation];
      ++count.drawn;
      count.found += partner[k] >= 0;
    }
    if (!failures.empty() && (right < int(partner.size()) || wrong > 0)) {
      std::printf("picture %d: %s, pen of %d, quality %d: %d of %d found, %d false\n", i,
                  pens[int(smear.pen)], width, quality, right, int(partner.size()), wrong);
      show_failure(smear, found, partner, failures / std::to_string(i));
    }
  }
  for (const auto& [what, count] : counts) print(what.c_str(), count);
  std::printf("%.1f ms of processor time a picture, at most %.1f\n", 1000 * seconds / pictures,
              1000 * slowest);
  return 0;
}

}  // namespace
}  // namespace smearscope::testing

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: measure_drawn_rectangles FOLDER PICTURES [SEED [FOLDER_FOR_FAILURES]]\n", stderr);
    return 2;
  }
  try {
    return smearscope::testing::measure(
        argv[1], std::atoi(argv[2]), argc > 3 ? unsigned(std::atoi(argv[3])) : 1U, argc > 4 ? argv[4] : "");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "measure_drawn_rectangles: %s\n", error.what());
    return 1;
  }
}
