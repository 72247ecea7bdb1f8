#include "corpus/csv.h"

namespace smearscope::corpus {
namespace {

constexpr std::size_t longest_row = 1 << 20;  // bytes

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"') result += '"';
    result += c;
  }
  return result + '"';
}

std::string joined(const std::vector<std::string>& columns) {
  std::string text;
  for (const std::string& column : columns) text += (text.empty() ? "" : ",") + column;
  return text;
}

}  // namespace

void write_csv_row(std::ostream& out, const std::vector<std::string>& cells) {
  for (std::size_t i = 0; i < cells.size(); ++i) out << (i > 0 ? "," : "") << quoted(cells[i]);
  out << '\n';
}

CsvReader::CsvReader(std::istream& in, std::string file, const std::vector<std::string>& columns)
    : in_(in), file_(std::move(file)) {
  std::vector<std::string> header;
  if (!read_row(header) || header != columns) fail("is not '" + joined(columns) + "'");
  columns_ = columns.size();
}

bool CsvReader::next(std::vector<std::string>& cells) {
  if (!read_row(cells)) return false;
  if (cells.size() != columns_) {
    fail("has " + std::to_string(cells.size()) + " columns instead of " + std::to_string(columns_));
  }
  return true;
}

void CsvReader::fail(const std::string& what) const {
  throw Error(file_ + ": line " + std::to_string(first_line_) + ": " + what);
}

bool CsvReader::read_row(std::vector<std::string>& cells) {
  cells.assign(1, "");
  first_line_ = line_;
  bool inside = false;
  std::size_t length = 0;
  for (int c = in_.get(); c != std::char_traits<char>::eof(); c = in_.get()) {
    if (++length > longest_row) fail("is longer than 1 MiB; is a quote missing?");
    if (inside) {
      if (c != '"') {
        cells.back() += static_cast<char>(c);
        if (c == '\n') ++line_;
      } else if (in_.peek() == '"') {
        cells.back() += static_cast<char>(in_.get());
      } else {
        inside = false;
      }
    } else if (c == '"') {
      inside = true;
    } else if (c == ',') {
      cells.emplace_back();
    } else if (c == '\n') {
      ++line_;
      return true;
    } else if (c != '\r') {
      cells.back() += static_cast<char>(c);
    }
  }
  return length > 0;
}

}  // namespace smearscope::corpus
