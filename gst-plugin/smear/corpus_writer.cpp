#include "smear/corpus_writer.h"

#include <stdlib.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <stdexcept>
#include <system_error>

namespace smearscope::smear {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int jpeg_quality = 95;

[[noreturn]] void fail(const fs::path& path, const char* what) {
  const int reason = errno;
  throw std::runtime_error(path.string() + ": " + what +
                           (reason ? std::string(": ") + std::strerror(reason) : ""));
}

json categories() {
  json list = json::array();
  for (CellClass each : {CellClass::wbc, CellClass::rbc, CellClass::platelet}) {
    list.push_back({{"id", static_cast<int>(each) + 1}, {"name", name_of(each)}, {"supercategory", "cell"}});
  }
  return list;
}

double rounded(double value) {
  return std::round(value * 1000) / 1000;
}

void write_file(const fs::path& path, const std::vector<unsigned char>& bytes) {
  errno = 0;
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) fail(path, "can't write image");
}

}  // namespace

CorpusWriter::CorpusWriter(const CorpusSettings& settings) : settings_(settings) {
  std::error_code error;
  fs::path folder = fs::absolute(settings_.folder).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();  // a trailing slash
  settings_.folder = folder;
  if (fs::exists(folder, error) && !(fs::is_directory(folder, error) && fs::is_empty(folder, error))) {
    throw std::runtime_error(folder.string() + ": already exists; choose a new folder for the corpus");
  }
  std::string name = folder.string() + ".partial-XXXXXX";
  errno = 0;
  if (!mkdtemp(name.data())) fail(folder, "can't create folder for the corpus");
  partial_ = name;
  fs::permissions(partial_, fs::perms(0755), error);
  fs::create_directory(partial_ / "images", error);
  if (!error) fs::create_directory(partial_ / "annotations", error);
  annotation_file_ = partial_ / "annotations" / (settings_.part + ".json");
  annotations_.open(annotation_file_);
  const json info{{"description", "Synthetic blood smear by smeartestsrc"}};
  annotations_ << "{\"info\":" << info << ",\"licenses\":[],\"categories\":" << categories()
               << ",\n\"annotations\":[";
  if (error || !annotations_.flush()) {
    const int reason = errno;
    fs::remove_all(partial_, error);
    errno = reason;
    fail(folder, "can't create folder for the corpus");
  }
}

CorpusWriter::~CorpusWriter() {
  if (partial_.empty()) return;
  annotations_.close();
  std::error_code ignored;
  fs::remove_all(partial_, ignored);
}

void CorpusWriter::check_annotations() {
  if (!annotations_) fail(annotation_file_, "can't write annotations");
}

void CorpusWriter::add(const std::uint8_t* rgb, int width, int height, std::ptrdiff_t stride,
                       const std::vector<SeenCell>& cells, const View& view, double pixel_um,
                       std::uint64_t seed) {
  const std::size_t image_id = images_.size() + 1;
  char file_name[32];
  std::snprintf(file_name, sizeof file_name, "%06zu.%s", image_id, settings_.jpeg ? "jpg" : "png");

  const cv::Mat frame(height, width, CV_8UC3, const_cast<std::uint8_t*>(rgb),
                      static_cast<std::size_t>(stride));
  cv::Mat bgr;
  cv::cvtColor(frame, bgr, cv::COLOR_RGB2BGR);
  std::vector<unsigned char> bytes;
  const std::vector<int> options = settings_.jpeg ? std::vector<int>{cv::IMWRITE_JPEG_QUALITY, jpeg_quality}
                                                  : std::vector<int>{cv::IMWRITE_PNG_COMPRESSION, 1};
  if (!cv::imencode(settings_.jpeg ? ".jpg" : ".png", bgr, bytes, options)) {
    throw std::runtime_error(std::string(file_name) + ": can't encode image");
  }
  write_file(partial_ / "images" / file_name, bytes);

  errno = 0;
  for (const SeenCell& cell : cells) {
    if (cell.visible < settings_.visible_min) continue;
    const double box_width = cell.x_max - cell.x_min, box_height = cell.y_max - cell.y_min;
    if (!(box_width > 0 && box_height > 0)) continue;
    char identity[20];
    std::snprintf(identity, sizeof identity, "%016llx", static_cast<unsigned long long>(cell.identity));
    annotations_ << (annotation_count_++ ? ",\n" : "\n")
                 << json{
                        {"id", annotation_count_},
                        {"image_id", image_id},
                        {"category_id", static_cast<int>(cell.cell_class) + 1},
                        {"bbox",
                         {rounded(cell.x_min), rounded(cell.y_min), rounded(box_width), rounded(box_height)}},
                        {"area", rounded(box_width * box_height)},
                        {"iscrowd", 0},
                        {"visible", rounded(cell.visible)},
                        {"kind", name_of(cell.kind)},
                        {"identity", identity}};
  }
  check_annotations();
  images_.push_back(json{
      {"id", image_id},
      {"file_name", file_name},
      {"width", width},
      {"height", height},
      {"seed", seed},
      {"stage_x_um", rounded(view.x_um)},
      {"stage_y_um", rounded(view.y_um)},
      {"focus_um", rounded(view.focus_um)},
      {"pixel_size_um",
       pixel_um}}.dump());
}

void CorpusWriter::finish() {
  if (images_.empty()) return;
  errno = 0;
  annotations_ << "\n],\n\"images\":[";
  for (std::size_t i = 0; i < images_.size(); ++i) annotations_ << (i ? ",\n" : "\n") << images_[i];
  annotations_ << "\n]}\n";
  annotations_.close();
  check_annotations();
  errno = 0;
  if (std::rename(partial_.c_str(), settings_.folder.c_str()) != 0)
    fail(settings_.folder, "can't finish the corpus");
  partial_.clear();
}

}  // namespace smearscope::smear
