#include "corpus/provenance.h"

#include <fstream>
#include <unordered_map>

namespace smearscope::corpus {
namespace {

constexpr const char* image_row = "image";
constexpr std::size_t column_count = 6;

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"') result += '"';
    result += c;
  }
  return result + '"';
}

void write_row(std::ostream& out, const std::vector<std::string>& cells) {
  for (std::size_t i = 0; i < cells.size(); ++i) out << (i > 0 ? "," : "") << quoted(cells[i]);
  out << '\n';
}

// One row, which may go over several lines inside quotes. False at the end of the file.
bool read_row(std::istream& in, std::vector<std::string>& cells, std::size_t& line) {
  cells.assign(1, "");
  bool inside = false, any = false;
  for (int c = in.get(); c != std::char_traits<char>::eof(); c = in.get()) {
    any = true;
    if (inside) {
      if (c != '"') {
        cells.back() += static_cast<char>(c);
        if (c == '\n') ++line;
      } else if (in.peek() == '"') {
        cells.back() += static_cast<char>(in.get());
      } else {
        inside = false;
      }
    } else if (c == '"') {
      inside = true;
    } else if (c == ',') {
      cells.emplace_back();
    } else if (c == '\n') {
      ++line;
      return true;
    } else if (c != '\r') {
      cells.back() += static_cast<char>(c);
    }
  }
  return any;
}

}  // namespace

void write_provenance(const std::filesystem::path& file, const Corpus& corpus) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << provenance_columns << '\n';
  for (const Image& image : corpus.images) {
    write_row(out, {image.source, image.source_file, image.sha256, image.file, image_row, ""});
    for (const Change& change : image.changes) {
      write_row(out, {image.source, image.source_file, image.sha256, image.file, change.rule, change.detail});
    }
  }
  for (const LeftOut& left : corpus.left_out) {
    write_row(out, {left.source, left.source_file, left.sha256, "", left.change.rule, left.change.detail});
  }
  out.close();
  if (!out) throw Error(file.string() + ": cannot write the file (is the disk full?)");
}

void read_provenance(const std::filesystem::path& file, Corpus& corpus) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw Error(file.string() + ": cannot read the file");
  std::unordered_map<std::string, Image*> image_of_file;
  for (Image& image : corpus.images) image_of_file[image.file] = &image;

  std::size_t line = 1;
  std::string header;
  std::getline(in, header);
  if (header != provenance_columns) {
    throw Error(file.string() + ": line 1: is not '" + provenance_columns + "'");
  }
  std::vector<std::string> cells;
  for (std::size_t first = ++line; read_row(in, cells, line); first = line) {
    if (cells.size() != column_count) {
      throw Error(file.string() + ": line " + std::to_string(first) + ": has " +
                  std::to_string(cells.size()) + " columns instead of " + std::to_string(column_count));
    }
    const std::string &name = cells[3], &rule = cells[4], &detail = cells[5];
    if (name.empty()) {
      corpus.left_out.push_back({cells[0], cells[1], cells[2], {rule, detail}});
      continue;
    }
    const auto image = image_of_file.find(name);
    if (image == image_of_file.end()) continue;
    if (rule == image_row) {
      image->second->sha256 = cells[2];
    } else {
      image->second->changes.push_back({rule, detail});
    }
  }
}

}  // namespace smearscope::corpus
