#include "fetch/fetch.h"

#include <unistd.h>

#include <toml++/toml.h>
#include <algorithm>
#include <deque>
#include <fstream>

#include "corpus/folder.h"
#include "fetch/sources_toml.h"
#include "model/file_writer.h"

namespace smearscope::corpus {
namespace {

namespace fs = std::filesystem;

std::vector<PublicSource> parse_sources() {
  std::vector<PublicSource> sources;
  for (const auto& [kind, node] : toml::parse(std::string_view(sources_toml))) {
    const toml::table& table = *node.as_table();
    const auto text = [&table](const char* key) { return table[key].value_or(std::string()); };
    PublicSource source{std::string(kind.str()), text("title"), text("page"), text("url"), {},
                        text("sha256")};
    for (const auto& name : *table["holds"].as_array()) source.holds.push_back(name.value_or(std::string()));
    sources.push_back(std::move(source));
  }
  return sources;
}

std::string checked_digest(const std::string& text, const std::string& where) {
  std::string digest = text;
  std::transform(digest.begin(), digest.end(), digest.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  if (digest.size() != 64 || digest.find_first_not_of("0123456789abcdef") != digest.npos) {
    throw Error(where + ": '" + text + "' is no SHA-256; it has 64 hexadecimal digits");
  }
  return digest;
}

fs::path beside(const fs::path& folder, const std::string& ending) {
  // "name/" and "name" are the same folder, but only the second has a place beside it.
  const fs::path plain = folder.has_filename() ? folder : folder.parent_path();
  return plain.string() + ending;
}

struct Expectation {
  std::string sha256;
  Fetched::Checked from = Fetched::Checked::first_time;
  std::string told_by;  // for the message
};

Expectation expectation(const PublicSource& source, const fs::path& record, const FetchOptions& options) {
  using Checked = Fetched::Checked;
  if (!options.sha256.empty()) {
    return {checked_digest(options.sha256, "--sha256"), Checked::given, "--sha256"};
  }
  if (!source.sha256.empty()) return {source.sha256, Checked::published, "the published digest"};
  std::ifstream in(record);
  std::string digest;
  if (in >> digest) {
    return {checked_digest(digest, record.string()), Checked::recorded,
            "the digest recorded by an earlier fetch in " + record.string()};
  }
  return {};
}

bool is_url(const std::string& text) {
  return text.rfind("http://", 0) == 0 || text.rfind("https://", 0) == 0;
}

// The topmost folder under `root` (itself, or at most 3 levels down) that holds all of `names`.
fs::path folder_holding(const std::vector<std::string>& names, const fs::path& root,
                        const fs::path& archive) {
  std::deque<std::pair<fs::path, int>> queue{{root, 0}};
  while (!queue.empty()) {
    const auto [folder, depth] = queue.front();
    queue.pop_front();
    const auto holds = [&folder = folder](const std::string& name) {
      return fs::is_directory(folder / name);
    };
    if (std::all_of(names.begin(), names.end(), holds)) return folder;
    if (depth == 3) continue;
    std::vector<fs::path> below;
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.is_directory()) below.push_back(entry.path());
    }
    std::sort(below.begin(), below.end());
    for (const fs::path& next : below) queue.emplace_back(next, depth + 1);
  }
  std::string wanted;
  for (const std::string& name : names) wanted += (wanted.empty() ? "'" : "' and '") + name;
  throw BadArchive(archive.string() + ": not this data set: no folder in it holds " + wanted + "'");
}

// Unpacks beside `folder` and renames what belongs there.
Unpacked install(const fs::path& archive, const PublicSource& source, const fs::path& folder) {
  const fs::path fresh = beside(folder, ".new-" + std::to_string(::getpid()));
  fs::remove_all(fresh);  // left by a killed process of the same number
  try {
    fs::create_directories(fresh);
    const Unpacked unpacked = unpack(archive, fresh);
    const fs::path inner = folder_holding(source.holds, fresh, archive);
    fs::remove(folder);  // an empty folder, or nothing
    fs::rename(inner, beside(folder, ""));
    fs::remove_all(fresh);
    return unpacked;
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(fresh, ignored);
    throw;
  }
}

void check_digest(const fs::path& archive, const std::string& found, const Expectation& expected) {
  if (expected.sha256.empty() || found == expected.sha256) return;
  throw BadArchive(archive.string() + ": wrong content: its SHA-256 is " + found + ", but " +
                   expected.told_by + " is " + expected.sha256 +
                   (expected.from == Fetched::Checked::given
                        ? ""
                        : "; if the source has a new version that you trust, give its digest with --sha256"));
}

void record_digest(const fs::path& record, const std::string& digest, const std::string& from) {
  const std::string line = digest + "  " + from + "\n";
  replace_file(record.string(), {{line.data(), line.size()}});
}

}  // namespace

const std::vector<PublicSource>& public_sources() {
  static const std::vector<PublicSource> sources = parse_sources();
  return sources;
}

const PublicSource& find_public_source(const std::string& kind) {
  std::string names;
  for (const PublicSource& source : public_sources()) {
    if (source.kind == kind) return source;
    names += (names.empty() ? "" : ", ") + source.kind;
  }
  throw Error("no public source '" + kind + "'; there are " + names);
}

Fetched fetch(const PublicSource& source, const fs::path& folder, const FetchOptions& options) {
  const std::string from = options.mirror.empty() ? source.url : options.mirror;
  const bool remote = is_url(from);
  const fs::path record = beside(folder, ".sha256");
  const fs::path archive = remote ? beside(folder, ".archive") : fs::path(from);
  try {
    check_is_new(folder);
    const Expectation expected = expectation(source, record, options);
    if (beside(folder, "").has_parent_path()) fs::create_directories(beside(folder, "").parent_path());
    if (!remote && fs::is_directory(archive)) {
      throw Error(archive.string() +
                  ": is a folder; --mirror takes an archive, and a folder needs no fetching");
    }
    // Killed after the download, it goes on from here.
    if (remote && !fs::exists(archive)) download(from, archive, options.download);
    Fetched fetched{sha256_of_file(archive), expected.from, {}};
    check_digest(archive, fetched.sha256, expected);
    fetched.unpacked = install(archive, source, folder);
    record_digest(record, fetched.sha256, from);
    if (remote) fs::remove(archive);
    return fetched;
  } catch (const BadArchive&) {
    std::error_code ignored;
    if (remote) fs::remove(archive, ignored);  // so that the next fetch doesn't meet it again
    throw;
  } catch (const fs::filesystem_error& problem) {
    throw Error(folder.string() + ": cannot be written: " + problem.what());
  }
}

}  // namespace smearscope::corpus
