#include "readers/gallery_table.h"

#include <algorithm>
#include <charconv>
#include <sstream>

#include "corpus/csv.h"
#include "corpus/plain_text.h"
#include "readers/reader.h"
#include "readers/yolo_labels.h"

namespace smearscope::corpus {
namespace {

constexpr std::size_t most_problems = 1000, longest_file_name = 255;  // bytes
constexpr double smallest_pixel_um = 0.01, largest_pixel_um = 10;     // as standardise's --pixel-size

double number_of(const std::string& text) {
  double value = 0;
  if (!parse_number(text, value)) throw Error("'" + shown(text) + "' is not a number");
  return value;
}

double pixel_size_of(const std::string& text) {
  const double value = number_of(text);
  if (value != 0 && !(value >= smallest_pixel_um && value <= largest_pixel_um))
    throw Error("a pixel has no '" + shown(text) + "' micrometres");
  return value;
}

void add_row(const std::vector<std::string>& row, GalleryTable& table) {
  GalleryCell cell;
  if (!parse_cell_number(row[0], cell.number)) throw Error("'" + shown(row[0]) + "' is no number of a cell");
  const std::string &frame = row[1], &found_as = row[2];
  if (frame.empty() || frame.size() > longest_file_name || frame.find('/') != std::string::npos ||
      !is_plain_text(frame))
    throw Error("'" + shown(frame) + "' is no name of a frame");
  if (!found_as.empty()) check_class_name(found_as);
  const double confidence = number_of(row[3]);
  if (confidence < 0 || confidence > 1) throw Error("a confidence is not '" + shown(row[3]) + "'");
  cell.box = {number_of(row[4]), number_of(row[5]), number_of(row[6]), number_of(row[7])};
  cell.pixel_size_um = pixel_size_of(row[8]);
  cell.frame = static_cast<std::uint32_t>(table.frames.insert(frame).first);
  cell.found_as = static_cast<std::uint32_t>(table.classes.insert(found_as).first);
  table.cells.push_back(cell);
}

}  // namespace

bool parse_cell_number(const std::string& text, std::uint64_t& number) {
  const char* end = text.data() + text.size();
  const auto [last, problem] = std::from_chars(text.data(), end, number);
  return problem == std::errc() && last == end;
}

GalleryTable parse_gallery_table(const std::string& text, const std::string& file,
                                 std::vector<std::string>& problems) {
  GalleryTable table;
  std::istringstream in(text);
  CsvReader csv(
      in, file,
      {"cell", "frame", "class", "confidence", "x_min", "y_min", "x_max", "y_max", "pixel_size_um"});
  for (std::vector<std::string> row;;) {
    try {
      if (!csv.next(row)) break;
      try {
        add_row(row, table);
      } catch (const Error& problem) {
        csv.fail(problem.what());
      }
    } catch (const Error& problem) {
      if (problems.size() == most_problems) throw Error(file + ": more than 1,000 rows make no sense");
      problems.emplace_back(problem.what());
    }
  }
  std::stable_sort(table.cells.begin(), table.cells.end(),
                   [](const GalleryCell& a, const GalleryCell& b) { return a.number < b.number; });
  return table;
}

}  // namespace smearscope::corpus
