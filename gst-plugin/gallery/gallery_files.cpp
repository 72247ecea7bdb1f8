#include "gallery/gallery_files.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <opencv2/imgcodecs.hpp>
#include <system_error>

#include "report/csv.h"
#include "report/part_file.h"
#include "smearscope/error.h"

namespace smearscope {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_name = 240;  // bytes; file systems have 255
constexpr unsigned most_folders = 100000;  // of one name
constexpr const char* not_counted = "not_counted";
constexpr const char* no_cell = "no_cell";
constexpr double surroundings = 0.5;  // of the box's longer side, on each side
constexpr int compression = 1;        // of 9, the fastest

std::string digits(std::uint64_t number) {
  char text[32];
  std::snprintf(text, sizeof text, "%06llu", static_cast<unsigned long long>(number));
  return text;
}

void make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw Error(path.string() + ": cannot be made: " + error.message());
}

void write_file(const std::string& path, const std::string& content) {
  PartFile file(path);
  file.write(content);
  file.sync();
  file.finish();
}

void write_picture(const std::string& path, const cv::Mat& picture) {
  std::vector<unsigned char> bytes;
  if (!cv::imencode(".png", picture, bytes, {cv::IMWRITE_PNG_COMPRESSION, compression}))
    throw Error(path + ": the picture cannot be encoded");
  write_file(path, {bytes.begin(), bytes.end()});
}

cv::Mat with_surroundings(const cv::Mat& picture, const Box& box) {
  const double margin = surroundings * std::max(box.x_max - box.x_min, box.y_max - box.y_min);
  const auto pixel = [](double value, int limit) {
    return static_cast<int>(std::clamp(value, 0.0, static_cast<double>(limit)));
  };
  const int left = pixel(std::floor(box.x_min - margin), picture.cols - 1),
            top = pixel(std::floor(box.y_min - margin), picture.rows - 1);
  const int right = std::max(left + 1, pixel(std::ceil(box.x_max + margin), picture.cols)),
            bottom = std::max(top + 1, pixel(std::ceil(box.y_max + margin), picture.rows));
  return picture(cv::Range(top, bottom), cv::Range(left, right));
}

}  // namespace

std::string class_folder(const std::string& class_name) {
  if (class_name.empty()) return not_counted;
  const bool taken = class_name == not_counted || class_name == no_cell;
  std::string folder;
  for (std::size_t i = 0; i < class_name.size(); ++i) {
    const auto c = static_cast<unsigned char>(class_name[i]);
    const bool written_out = c < 0x20 || c == 0x7f || c == '/' || c == '%' || (i == 0 && (c == '.' || taken));
    char text[8] = {class_name[i]};
    if (written_out) std::snprintf(text, sizeof text, "%%%02X", c);
    if (folder.size() + std::strlen(text) > longest_name) break;
    folder += text;
  }
  return folder;
}

GalleryFiles::GalleryFiles(const std::string& folder) {
  const std::string plain =
      folder.substr(0, folder.find_last_not_of('/') + 1);  // "a/" has the successor "a-2"
  for (unsigned n = 1; folder_.empty() && n <= most_folders; ++n) {
    const std::string name = n == 1 ? folder : plain + "-" + std::to_string(n);
    make_folder(name);
    std::error_code error;
    const bool empty = fs::is_empty(name, error);
    // Of two that find it empty one makes this folder.
    const bool ours = !error && empty && fs::create_directory(name + "/frames", error);
    if (error) throw Error(name + ": cannot be used as a gallery: " + error.message());
    if (ours) folder_ = name;
  }
  if (folder_.empty()) throw Error(folder + ": is there too many times; name another folder");
}

GalleryFiles::~GalleryFiles() {
  std::error_code ignored;
  if (frames_ == 0) fs::remove(folder_ + "/frames", ignored);
}

void GalleryFiles::add(const GalleryFrame& frame) {
  if (!frame.is_last_view || frames_ == 0)
    write_picture(folder_ + "/frames/" + digits(++frames_) + ".png", frame.picture);
  for (const GalleryCell& cell : frame.cells) {
    make_class(cell.class_name);
    write_picture(picture_path(cell), with_surroundings(frame.picture, cell.box));
    rows_[cell.number] = {cell, frames_, frame.pixel_size_um};
  }
}

void GalleryFiles::rename(std::uint64_t number, const std::string& class_name) {
  const auto row = rows_.find(number);
  if (row == rows_.end()) return;
  const std::string from = picture_path(row->second.cell);
  row->second.cell.class_name = class_name;
  make_class(class_name);
  const std::string to = picture_path(row->second.cell);
  std::error_code error;
  fs::rename(from, to, error);
  if (error && error != std::errc::no_such_file_or_directory)
    throw Error(to + ": cannot be put in place: " + error.message());
}

void GalleryFiles::write_table() {
  std::string text = "cell,frame,class,confidence,x_min,y_min,x_max,y_max,pixel_size_um\n";
  for (const auto& [number, row] : rows_) {
    const Box& box = row.cell.box;
    text += std::to_string(number) + "," + digits(row.frame) + ".png," + csv::quoted(row.cell.class_name) +
            "," + csv::decimal(row.cell.confidence, 3);
    for (const float side : {box.x_min, box.y_min, box.x_max, box.y_max})
      text += "," + csv::decimal(static_cast<double>(side), 1);
    text += "," + csv::decimal(row.pixel_size_um, 4) + "\n";
  }
  write_file(folder_ + "/cells.csv", text);
}

void GalleryFiles::make_class(const std::string& class_name) {
  make_folder(folder_ + "/found/" + class_folder(class_name));
  if (!class_name.empty()) make_folder(folder_ + "/confirmed/" + class_folder(class_name));
}

std::string GalleryFiles::picture_path(const GalleryCell& cell) const {
  return folder_ + "/found/" + class_folder(cell.class_name) + "/" + digits(cell.number) + ".png";
}

}  // namespace smearscope
