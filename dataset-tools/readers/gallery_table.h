// cells.csv of a gallery (docs/results-format.md): a row for each cell of which there is a picture, with its
// box in one of the frames.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "corpus/records.h"
#include "smearscope/error.h"
#include "storage/name_table.h"

namespace smearscope::corpus {

constexpr std::size_t largest_gallery_table = 64 << 20;  // bytes; 10,000 cells take 700 kB

// A row.
struct GalleryCell {
  static constexpr std::uint32_t nothing = ~std::uint32_t(0);

  std::uint64_t number = 0;
  std::uint32_t frame = 0, found_as = 0;  // numbers of names in the table
  Box box;                                // finite; may reach outside of the frame, or have no area
  double pixel_size_um = 0;               // 0: unknown
  // Numbers of folders of confirmed/ that its picture is in. The table doesn't know.
  std::uint32_t confirmed_as = nothing, also_as = nothing;
};

struct GalleryTable {
  NameTable frames;                // names of files, without folders
  NameTable classes;               // "": a cell that was not counted
  std::vector<GalleryCell> cells;  // by their numbers
};

// Rows that make no sense are left out, and `problems` says why, in a line each that begins with `file`, the
// table's name. Throws Error, beginning with it, if the first line isn't as above or more than 1,000 rows
// make no sense.
GalleryTable parse_gallery_table(const std::string& text, const std::string& file,
                                 std::vector<std::string>& problems);

// A whole number, in digits only. Is it one?
bool parse_cell_number(const std::string& text, std::uint64_t& number);

}  // namespace smearscope::corpus
