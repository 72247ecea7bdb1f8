// Tables of text as RFC 4180 has them: comma, quotes where needed, lines end in \n.
#pragma once

#include <istream>
#include <ostream>
#include <string>
#include <vector>

#include "smearscope/error.h"

namespace smearscope::corpus {

void write_csv_row(std::ostream& out, const std::vector<std::string>& cells);

// Reads row by row; fields may go over several lines inside quotes. Errors name `file` and the line.
class CsvReader {
 public:
  // Reads the header. Throws Error if it isn't `columns`.
  CsvReader(std::istream& in, std::string file, const std::vector<std::string>& columns);

  // The next row, with as many cells as there are columns; false at the end. Throws Error on a row of other
  // length, or one longer than 1 MiB.
  bool next(std::vector<std::string>& cells);

  [[noreturn]] void fail(const std::string& what) const;  // throws Error about the row that was read last

 private:
  bool read_row(std::vector<std::string>& cells);

  std::istream& in_;
  std::string file_;
  std::size_t columns_ = 0, line_ = 1, first_line_ = 1;  // line_: next to be read; first_line_: of the row
};

}  // namespace smearscope::corpus
