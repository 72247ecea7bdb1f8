#include "tools/detect/results.h"

#include <charconv>
#include <nlohmann/json.hpp>

namespace smearscope::detect {
namespace {

// The shortest text that reads back as the same float, whatever the locale.
std::string number(float value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

std::string json_text(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string csv_text(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + "\"";
}

}  // namespace

CocoResults::CocoResults(const std::string& path, std::vector<Category> categories)
    : file_(path), categories_(std::move(categories)) {
  file_.write("[");
}

void CocoResults::add(const ListedImage& image, const Detections& detections) {
  const std::string id = std::to_string(image.id), name = json_text(image.name);
  for (const Detection& detection : detections) {
    const Category& category = categories_.at(static_cast<std::size_t>(detection.label));
    const Box& box = detection.box;
    file_.write((first_ ? "\n{\"image_id\": " : ",\n{\"image_id\": ") + id +
                ", \"category_id\": " + std::to_string(category.id) + ", \"bbox\": [" + number(box.x_min) +
                ", " + number(box.y_min) + ", " + number(box.x_max - box.x_min) + ", " +
                number(box.y_max - box.y_min) + "], \"score\": " + number(detection.score) +
                ", \"file_name\": " + name + ", \"category_name\": " + json_text(category.name) + "}");
    first_ = false;
  }
}

void CocoResults::commit() {
  file_.write("\n]\n");
  file_.commit();
}

CsvResults::CsvResults(const std::string& path, std::vector<Category> categories)
    : file_(path), categories_(std::move(categories)) {
  file_.write("image_id,file_name,category_id,category_name,score,x_min,y_min,x_max,y_max\n");
}

void CsvResults::add(const ListedImage& image, const Detections& detections) {
  const std::string start = std::to_string(image.id) + "," + csv_text(image.name) + ",";
  for (const Detection& detection : detections) {
    const Category& category = categories_.at(static_cast<std::size_t>(detection.label));
    const Box& box = detection.box;
    file_.write(start + std::to_string(category.id) + "," + csv_text(category.name) + "," +
                number(detection.score) + "," + number(box.x_min) + "," + number(box.y_min) + "," +
                number(box.x_max) + "," + number(box.y_max) + "\n");
  }
}

void CsvResults::commit() {
  file_.commit();
}

}  // namespace smearscope::detect
