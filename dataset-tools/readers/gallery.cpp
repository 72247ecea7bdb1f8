// A gallery, as the element cellgallery leaves it and a person has reviewed it (docs/results-format.md):
// frames/NAME.png, cells.csv with each cell's box in one of them, and confirmed/CLASS/NUMBER.png, the
// pictures of those cells that the person has looked at; CLASS is what the person says, no_cell that it is
// none. What is elsewhere (found/) nobody has looked at. `folder` is the one with all of it, or its parent.
//
// Where a picture lies is its label; its pixels are not read. The corpus has the frames, and of each what was
// confirmed: its other cells are in ignore regions. What is no cell stays outside of these, for a model to
// learn that.
#include <algorithm>
#include <cctype>
#include <memory>
#include <optional>
#include <utility>

#include "corpus/plain_text.h"
#include "readers/gallery_table.h"
#include "readers/source_folder.h"
#include "readers/yolo_labels.h"
#include "segmentation/unlabelled_cells.h"

namespace smearscope::corpus {
namespace {

namespace fs = std::filesystem;

constexpr const char* no_cell = "no_cell";
constexpr std::ptrdiff_t most_in_frame = 10'000;  // celltally knows 1,024

struct Gallery {
  GalleryTable table;  // once opened, by frames, and only those that have confirmed cells
  NameTable folders;   // of confirmed/
};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// What a class's folder stands for: % and two hexadecimal digits are a byte that file names don't have.
std::string class_of(const std::string& folder) {
  std::string name;
  for (std::size_t i = 0; i < folder.size(); ++i) {
    const auto hexadecimal = [&](std::size_t at) {
      return at < folder.size() && std::isxdigit(static_cast<unsigned char>(folder[at]));
    };
    if (folder[i] == '%' && hexadecimal(i + 1) && hexadecimal(i + 2)) {
      name += static_cast<char>(std::stoi(folder.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else {
      name += folder[i];
    }
  }
  return name;
}

// Takes from the picture's place what the person said of its cell. Throws Error, saying why, if it tells
// nothing.
void confirm(const fs::path& place, Gallery& gallery) {
  if (std::distance(place.begin(), place.end()) != 2)
    throw Error("is in no class's folder: expected confirmed/CLASS/NUMBER.png");
  const std::string folder = place.begin()->string();
  check_class_name(class_of(folder));
  GalleryCell cell;
  if (!parse_cell_number(place.stem().string(), cell.number)) throw Error("its name is no number of a cell");
  const auto [first, last] =
      std::equal_range(gallery.table.cells.begin(), gallery.table.cells.end(), cell,
                       [](const GalleryCell& a, const GalleryCell& b) { return a.number < b.number; });
  if (last - first != 1) {
    throw Error("cells.csv has " +
                (first == last ? std::string("no row") : std::to_string(last - first) + " rows") +
                " of cell " + std::to_string(cell.number));
  }
  const auto as = static_cast<std::uint32_t>(gallery.folders.insert(folder).first);
  if (first->confirmed_as == GalleryCell::nothing)
    first->confirmed_as = as;
  else if (first->confirmed_as != as)
    first->also_as = as;
}

void read_confirmed(const SourceFolder& source, Gallery& gallery, DataSet& set) {
  const fs::path confirmed = source.root() / "confirmed";
  bool is_empty = true;
  for (const fs::path& picture : source.files(confirmed, true)) {
    if (!is_image_name(picture)) continue;
    is_empty = false;
    try {
      if (!source.holds(picture)) {
        source.leave_out(set, picture, rules::file_unreadable,
                         "is a link that leads outside of the data set");
      } else {
        confirm(picture.lexically_relative(confirmed), gallery);
      }
    } catch (const Error& problem) {
      source.leave_out(set, picture, rules::file_unpaired, problem.what());
    }
  }
  if (is_empty) {
    throw Error(
        confirmed.string() +
        ": no cell is confirmed; move pictures from found/CLASS/ to confirmed/CLASS/, and those of no "
        "cell to confirmed/no_cell/");
  }
}

// The frames that have confirmed cells.
void add_frames(const SourceFolder& source, const Gallery& gallery, DataSet& set) {
  const GalleryTable& table = gallery.table;
  std::vector<bool> wanted(table.frames.size());
  for (const GalleryCell& cell : table.cells) wanted[cell.frame] = true;
  const fs::path folder = source.root() / "frames";
  const FileList files = source.files(folder);
  for (const fs::path& path : files) {
    const auto frame = table.frames.find(path.filename().string());
    if (!frame || !wanted[*frame]) continue;
    Image image = source.image(path, path.filename().string());
    image.group = own_name(source.root());  // one smear
    source.add(set, image);
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] && !files.has(table.frames[i]))
      source.leave_out(set, folder / table.frames[i], rules::file_unpaired,
                       "no such frame, though confirmed cells are in it");
  }
}

// Leaves the cells of frames that have confirmed ones, by frames.
void keep_frames_with_confirmed(GalleryTable& table) {
  std::vector<bool> has_confirmed(table.frames.size());
  std::vector<GalleryCell>& cells = table.cells;
  for (const GalleryCell& cell : cells) {
    if (cell.confirmed_as != GalleryCell::nothing) has_confirmed[cell.frame] = true;
  }
  cells.erase(std::remove_if(cells.begin(), cells.end(),
                             [&](const GalleryCell& cell) { return !has_confirmed[cell.frame]; }),
              cells.end());
  std::stable_sort(cells.begin(), cells.end(),
                   [](const GalleryCell& a, const GalleryCell& b) { return a.frame < b.frame; });
}

// The median of those that are known; 0 if none is.
double median_pixel_size(const std::vector<GalleryCell>& cells) {
  std::vector<double> sizes;
  for (const GalleryCell& cell : cells) {
    if (cell.pixel_size_um > 0) sizes.push_back(cell.pixel_size_um);
  }
  if (sizes.empty()) return 0;
  const auto middle = sizes.begin() + std::ptrdiff_t(sizes.size() / 2);
  std::nth_element(sizes.begin(), middle, sizes.end());
  return *middle;
}

// What is known of one frame.
class FrameLabels {
 public:
  FrameLabels(const Gallery& gallery, Image& image) : gallery_(gallery), image_(image) {}

  void add(const GalleryCell& cell) {
    if (cell.confirmed_as == GalleryCell::nothing) {
      ignore(cell);
    } else if (cell.also_as != GalleryCell::nothing) {
      image_.changes.push_back(
          {rules::labels_contradict,
           name_of(cell) + ": is in " + folder(cell.confirmed_as) + " and in " + folder(cell.also_as)});
      ignore(cell);
    } else {
      add_confirmed(cell);
    }
  }

  // What looks like a cell, and of which nothing is known.
  void mark_others(ImageFile& file) {
    for (const Annotation& a : image_.annotations) known_.push_back(a.box);
    const std::vector<Box> others = unlabelled_cells(file.foreground(), file.red_cell_diameter(), known_);
    image_.ignore_regions.insert(image_.ignore_regions.end(), others.begin(), others.end());
    image_.regions_complete = true;
  }

 private:
  static std::string name_of(const GalleryCell& cell) { return "cell " + std::to_string(cell.number); }
  std::string folder(std::uint32_t number) const { return std::string(gallery_.folders[number]); }

  void add_confirmed(const GalleryCell& cell) {
    const std::string as = folder(cell.confirmed_as), found_as(gallery_.table.classes[cell.found_as]);
    const bool is_none = lower(as) == no_cell, agree = lower(class_of(as)) == lower(found_as);
    const std::string label = agree ? found_as : class_of(as);
    if (is_none || !agree) {
      image_.changes.push_back({rules::class_corrected, name_of(cell) + ": found as " +
                                                            (found_as.empty() ? "not counted" : found_as) +
                                                            ", is " + (is_none ? "no cell" : label)});
    }
    if (!is_none)
      add_annotation(image_, {cell.box, -1, label}, name_of(cell));
    else if (const std::optional<Box> inside = part_inside(cell.box, image_))
      known_.push_back(*inside);
  }

  void ignore(const GalleryCell& cell) {
    if (const std::optional<Box> inside = part_inside(cell.box, image_)) {
      image_.ignore_regions.push_back(*inside);
      known_.push_back(*inside);
    } else {
      image_.changes.push_back({rules::box_without_area, name_of(cell) + ": dropped"});
    }
  }

  const Gallery& gallery_;
  Image& image_;
  std::vector<Box> known_;  // places of which something is known
};

void label(const Gallery& gallery, Image& image, ImageFile& file) {
  const GalleryTable& table = gallery.table;
  GalleryCell of_frame;
  of_frame.frame = static_cast<std::uint32_t>(table.frames.find(image.path.filename().string()).value());
  const auto [first, last] =
      std::equal_range(table.cells.begin(), table.cells.end(), of_frame,
                       [](const GalleryCell& a, const GalleryCell& b) { return a.frame < b.frame; });
  if (last - first > most_in_frame)
    throw Error(image.source_file + ": cells.csv has more than 10,000 cells in it");
  FrameLabels labels(gallery, image);
  std::for_each(first, last, [&](const GalleryCell& cell) { labels.add(cell); });
  labels.mark_others(file);
  image.pixel_size_um = median_pixel_size({first, last});
}

bool holds_gallery(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_directory(folder / "frames", ignored) && fs::is_directory(folder / "confirmed", ignored) &&
         fs::exists(fs::symlink_status(folder / "cells.csv", ignored));
}

}  // namespace

DataSet open_gallery(const fs::path& folder) {
  const fs::path root = find_root(folder, holds_gallery,
                                  "gallery: expected cells.csv, frames/ with the frames that it names, and "
                                  "confirmed/CLASS/NUMBER.png, the "
                                  "pictures of the cells that a person has looked at");
  // The names of files tell one gallery from another.
  const SourceFolder source(root, "gallery", own_name(root) + "/");
  const auto gallery = std::make_shared<Gallery>();
  DataSet set;
  set.is_partial = true;
  const fs::path table = root / "cells.csv";
  std::vector<std::string> problems;
  gallery->table = parse_gallery_table(source.read_text(table, largest_gallery_table),
                                       in_one_line(source.name_of(table)), problems);
  for (const std::string& problem : problems) source.leave_out(set, table, rules::label_unreadable, problem);
  read_confirmed(source, *gallery, set);
  keep_frames_with_confirmed(gallery->table);
  add_frames(source, *gallery, set);
  set.label = [gallery](Image& image, ImageFile& file) { label(*gallery, image, file); };
  return set;
}

}  // namespace smearscope::corpus
