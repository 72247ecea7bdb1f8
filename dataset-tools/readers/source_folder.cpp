#include "readers/source_folder.h"

#include <algorithm>
#include <fstream>

#include "corpus/plain_text.h"

namespace smearscope::corpus {

namespace fs = std::filesystem;

namespace {

bool is_hidden(const fs::path& file) {
  const std::string name = file.filename().string();
  return name[0] == '.' || name == "__MACOSX";
}

[[noreturn]] void fail_to_list(const fs::path& folder, const std::error_code& problem) {
  throw Error(folder.string() + ": cannot read the folder: " + problem.message());
}

// `prefix`: the folder's name in the list, with '/' behind it, if it isn't the list's own.
void list(const fs::path& folder, const std::string& prefix, bool recursive, FileList& files) {
  std::error_code problem;
  fs::directory_iterator at(folder, problem), end;
  for (; !problem && at != end; at.increment(problem)) {
    if (is_hidden(at->path())) continue;
    std::error_code ignored;
    const std::string name = prefix + at->path().filename().string();
    if (at->symlink_status(ignored).type() == fs::file_type::directory) {
      if (recursive) list(at->path(), name + '/', recursive, files);
    } else {
      files.add(name);
    }
  }
  if (problem) fail_to_list(folder, problem);
}

}  // namespace

SourceFolder::SourceFolder(fs::path root, std::string source, std::string prefix)
    : root_(std::move(root)), source_(std::move(source)), prefix_(std::move(prefix)) {
  std::error_code problem;
  canonical_ = fs::canonical(root_, problem);
  if (problem) fail_to_list(root_, problem);
}

std::string SourceFolder::name_of(const fs::path& file) const {
  return prefix_ + file.lexically_relative(root_).generic_string();
}

FileList SourceFolder::files(const fs::path& folder, bool recursive) const {
  FileList files(folder);
  list(folder, "", recursive, files);
  files.sort();
  return files;
}

bool SourceFolder::holds(const fs::path& file) const {
  std::error_code problem;
  const fs::path target = fs::canonical(file, problem);
  // What isn't there is told of when it is read.
  return problem || std::mismatch(canonical_.begin(), canonical_.end(), target.begin(), target.end()).first ==
                        canonical_.end();
}

std::string SourceFolder::read_text(const fs::path& file, std::size_t most) const {
  const auto fail = [&](const std::string& what) { throw Error(in_one_line(name_of(file)) + ": " + what); };
  std::error_code problem;
  if (!fs::is_regular_file(file, problem)) fail("no such label file");
  if (!holds(file)) fail("is a link that leads outside of the data set");
  std::ifstream in(file, std::ios::binary);
  const std::uintmax_t size = fs::file_size(file, problem);
  if (problem || size > most)
    fail("has more than " + std::to_string(most >> 10) + " KiB, which no file of labels has");
  std::string text(static_cast<std::size_t>(size), '\0');
  if (!in.read(text.data(), static_cast<std::streamsize>(text.size()))) fail("cannot read the labels");
  return text;
}

Image SourceFolder::image(const fs::path& path, const std::string& file, const std::string& part) const {
  Image image;
  image.file = file;
  image.source = source_;
  image.source_file = name_of(path);
  image.part = part;
  image.path = path;
  return image;
}

void SourceFolder::add(DataSet& set, const Image& image) const {
  if (!is_plain_text(image.source_file) || !is_plain_text(image.file)) {
    leave_out(set, image.path, rules::file_unreadable, "its name is not UTF-8, or has control characters");
  } else if (!holds(image.path)) {
    leave_out(set, image.path, rules::file_unreadable, "is a link that leads outside of the data set");
  } else {
    set.images.push_back(image);
  }
}

void SourceFolder::leave_out(DataSet& set, const fs::path& file, const char* rule,
                             const std::string& why) const {
  set.left_out.push_back({source_, in_one_line(name_of(file)), "", {rule, why}});
}

void name_apart(DataSet& set) {
  NameTable names;
  for (std::size_t i = 0; i < set.images.size(); ++i) {
    const Image image = set.images[i];
    if (!names.insert(image.file).second)
      set.images.change(i, [](Image& later) { later.file = later.source_file; });
  }
}

bool is_image_name(const fs::path& file) {
  static const std::vector<std::string> types{".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"};
  return std::find(types.begin(), types.end(), lower_extension(file)) != types.end();
}

fs::path find_root(const fs::path& folder, bool (*holds)(const fs::path&), const std::string& expected) {
  if (holds(folder)) return folder;
  std::vector<fs::path> inside;
  std::error_code problem;
  for (fs::directory_iterator at(folder, problem), end; !problem && at != end; at.increment(problem)) {
    std::error_code ignored;
    if (at->is_directory(ignored) && holds(at->path())) inside.push_back(at->path());
  }
  if (problem) fail_to_list(folder, problem);
  if (inside.size() == 1) return inside.front();
  throw Error(folder.string() + (inside.empty() ? ": no " : ": more than one ") + expected);
}

std::string own_name(const fs::path& folder) {
  // "a/b/" ends in an empty name.
  const fs::path whole = (fs::absolute(folder) / "").lexically_normal();
  return whole.parent_path().filename().string();
}

}  // namespace smearscope::corpus
