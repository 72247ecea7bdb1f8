#include "readers/chula_labels.h"

#include <algorithm>
#include <charconv>
#include <sstream>

#include "corpus/plain_text.h"
#include "readers/reader.h"

namespace smearscope::corpus {
namespace {

constexpr int classes = 13;

bool is_of_numbers(unsigned char c) {
  return (c >= ' ' && c < 127) || c == '\n' || c == '\r' || c == '\t';
}

// Throws Error, saying why not, if it is no point of the image.
LabelledPoint read_line(const std::string& line, const Image& image) {
  std::istringstream in(line);
  std::string x, y, number, rest;
  LabelledPoint point;
  int id = -1;
  const bool three = static_cast<bool>(in >> x >> y >> number) && !(in >> rest);
  if (!three || !parse_number(x, point.at.x) || !parse_number(y, point.at.y) ||
      std::from_chars(number.data(), number.data() + number.size(), id).ptr != number.data() + number.size())
    throw Error("not 'x y class': '" + shown(line) + "'");
  if (id < 0 || id >= classes) throw Error("unknown class " + shown(number) + "; there are 0 to 12");
  if (point.at.x < 0 || point.at.y < 0 || point.at.x >= image.width || point.at.y >= image.height)
    throw Error("the point " + shown(x) + ", " + shown(y) + " is outside the image");
  point.label = std::to_string(id);
  return point;
}

}  // namespace

std::vector<LabelledPoint> parse_chula_labels(const std::string& text, const std::string& where,
                                              Image& image) {
  if (!std::all_of(text.begin(), text.end(), is_of_numbers)) throw Error(where + ": not a text of numbers");
  std::vector<LabelledPoint> points;
  std::istringstream in(text);
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.find_first_not_of(" \t") == std::string::npos) continue;
    const std::string which = where + ": line " + std::to_string(number);
    try {
      LabelledPoint point = read_line(line, image);
      point.where = which;
      const auto same = std::find_if(points.begin(), points.end(),
                                     [&](const LabelledPoint& other) { return other.at == point.at; });
      if (same == points.end()) {
        points.push_back(std::move(point));
      } else if (same->label == point.label) {
        image.changes.push_back({rules::label_doubled, which + ": dropped"});
      } else {
        throw Error("the same point has class " + same->label + " already");
      }
    } catch (const Error& problem) {
      note_unreadable_label(image, which, problem.what());
    }
  }
  return points;
}

}  // namespace smearscope::corpus
