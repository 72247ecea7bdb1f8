#include "readers/yolo_labels.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "corpus/plain_text.h"
#include "readers/reader.h"

namespace smearscope::corpus {
namespace {

constexpr double slack = 0.01;             // of the image; labels are rounded
constexpr std::size_t longest_name = 200;  // bytes
constexpr std::size_t most_classes = 10000;

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::vector<double> numbers_of(const std::string& line) {
  std::istringstream in(line);
  std::vector<double> numbers;
  for (std::string word; in >> word;) {
    numbers.emplace_back();
    if (!parse_number(word, numbers.back())) throw Error("'" + shown(word) + "' is not a number");
  }
  return numbers;
}

int class_of(double number, const std::vector<std::string>& names) {
  const bool is_class =
      number >= 0 && number < static_cast<double>(names.size()) && number == std::floor(number);
  const int index = is_class ? static_cast<int>(number) : -1;
  if (!is_class || names[static_cast<std::size_t>(index)].empty()) {
    std::ostringstream text;
    text << "unknown class number " << number;
    throw Error(text.str());
  }
  return index;
}

// In shares of the image.
Box box_of(const std::vector<double>& numbers) {
  if (numbers.size() == 5) {
    const double x = numbers[1], y = numbers[2], width = numbers[3], height = numbers[4];
    if (width < 0 || height < 0) throw Error("the box has a negative size");
    return {x - width / 2, y - height / 2, x + width / 2, y + height / 2};
  }
  Box box{numbers[1], numbers[2], numbers[1], numbers[2]};
  for (std::size_t i = 3; i < numbers.size(); i += 2) {
    box.x_min = std::min(box.x_min, numbers[i]);
    box.x_max = std::max(box.x_max, numbers[i]);
    box.y_min = std::min(box.y_min, numbers[i + 1]);
    box.y_max = std::max(box.y_max, numbers[i + 1]);
  }
  return box;
}

Annotation read_line(const std::string& line, const std::vector<std::string>& names, const Image& image) {
  const std::vector<double> numbers = numbers_of(line);
  const bool is_outline = numbers.size() >= 7 && numbers.size() % 2 == 1;
  if (numbers.size() != 5 && !is_outline) throw Error("not 'class x y width height': '" + shown(line) + "'");
  const int category = class_of(numbers[0], names);
  const Box box = box_of(numbers);
  const bool inside =
      box.x_min > -slack && box.x_max < 1 + slack && box.y_min > -slack && box.y_max < 1 + slack;
  if (!inside) throw Error("the box reaches outside the image");
  return {
      {box.x_min * image.width, box.y_min * image.height, box.x_max * image.width, box.y_max * image.height},
      category,
      names[static_cast<std::size_t>(category)]};
}

}  // namespace

void add_yolo_labels(const std::string& text, const std::string& where, const std::vector<std::string>& names,
                     Image& image) {
  std::istringstream in(text);
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    line = trimmed(line);
    if (line.empty()) continue;
    const std::string which = where + ": line " + std::to_string(number);
    try {
      add_annotation(image, read_line(line, names, image), which);
    } catch (const Error& problem) {
      note_unreadable_label(image, which, problem.what());
    }
  }
}

std::vector<std::string> parse_class_list(const std::string& text, const std::string& where) {
  std::vector<std::string> names;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    names.push_back(trimmed(line));
    try {
      if (names.size() > most_classes) throw Error("more than 10,000 classes");
      if (!names.back().empty()) check_class_name(names.back());
    } catch (const Error& problem) {
      throw Error(where + ": line " + std::to_string(names.size()) + ": " + problem.what());
    }
  }
  while (!names.empty() && names.back().empty()) names.pop_back();
  return names;
}

void check_class_name(const std::string& name) {
  if (name.empty() || name.size() > longest_name || !is_plain_text(name))
    throw Error("'" + shown(name) + "' is no name of a class");
}

}  // namespace smearscope::corpus
