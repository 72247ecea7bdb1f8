#include "readers/subtypes.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>

#include "corpus/csv.h"
#include "corpus/plain_text.h"

namespace smearscope::corpus {
namespace {

std::optional<int> whole_number(const std::string& text) {
  int number = -1;
  const char* end = text.data() + text.size();
  const auto [last, problem] = std::from_chars(text.data(), end, number);
  if (text.empty() || last != end || problem != std::errc() || number < 0) return std::nullopt;
  return number;
}

// 42 of "BloodImage_00042".
std::optional<int> number_of(const std::filesystem::path& image) {
  const std::string stem = image.stem().string();
  const std::size_t last_other = stem.find_last_not_of("0123456789");
  return whole_number(stem.substr(last_other == std::string::npos ? 0 : last_other + 1));
}

void refine(Image& image, const std::map<int, Subtype>& subtypes) {
  const std::optional<int> number = number_of(image.path);
  const auto subtype = number ? subtypes.find(*number) : subtypes.end();
  if (subtype == subtypes.end()) return;
  const auto is_white = [](const Annotation& a) { return a.label == "WBC"; };
  const auto first = std::find_if(image.annotations.begin(), image.annotations.end(), is_white);
  if (first == image.annotations.end() || std::count_if(first, image.annotations.end(), is_white) != 1)
    return;
  first->label = subtype->second.name;
  image.changes.push_back({rules::class_refined, subtype->second.where + ": WBC is a " + first->label});
}

}  // namespace

std::map<int, Subtype> parse_subtypes(std::istream& in, const std::string& file) {
  std::map<int, Subtype> subtypes;
  CsvReader csv(in, file, {"", "Image", "Category"});
  std::map<int, int> rows;
  int row = 0;
  for (std::vector<std::string> cells; csv.next(cells);) {
    ++row;
    const std::optional<int> image = whole_number(cells[1]);
    if (!image) csv.fail("'" + shown(cells[1]) + "' is no number of an image");
    if (!rows.emplace(*image, row).second) csv.fail("image " + cells[1] + " is there twice");
    std::string name = cells[2];
    name.erase(0, name.find_first_not_of(' '));
    name.erase(name.find_last_not_of(' ') + 1);
    if (name.empty() || name.find(',') != std::string::npos) continue;
    if (!is_plain_text(name) || name.size() > 200) csv.fail("'" + shown(name) + "' is no type of a cell");
    subtypes[*image] = {name, file + ": image " + cells[1]};
  }
  return subtypes;
}

void refine_by_subtypes(DataSet& set, const std::filesystem::path& table) {
  std::ifstream in(table, std::ios::binary);
  if (!in) throw Error(table.string() + ": cannot read the table of white-cell types");
  std::map<int, Subtype> subtypes;
  try {
    // In a corpus it has the name that it has anywhere.
    subtypes = parse_subtypes(in, table.filename().string());
  } catch (const Error& problem) {
    throw Error(table.parent_path().string() + (table.has_parent_path() ? "/" : "") + problem.what());
  }
  const auto label = set.label;
  set.label = [label, subtypes = std::move(subtypes)](Image& image, ImageFile& file) {
    label(image, file);
    refine(image, subtypes);
  };
}

}  // namespace smearscope::corpus
