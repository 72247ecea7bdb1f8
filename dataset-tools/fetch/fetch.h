// A data set from its public home into a folder that its reader takes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "fetch/download.h"
#include "fetch/unpack.h"
#include "smearscope/error.h"

namespace smearscope::corpus {

struct PublicSource {
  std::string kind;  // "bccd": as in standardise --source
  std::string title, page, url;
  std::vector<std::string> holds;  // what the data set's top folder holds
  std::string sha256;              // of the archive; empty where nobody has published one
};

// Those of sources.toml, by name.
const std::vector<PublicSource>& public_sources();
// Throws Error, listing the names, if there is none such.
const PublicSource& find_public_source(const std::string& kind);

struct FetchOptions {
  std::string mirror;  // another URL of the archive, or a local file; empty: the public home
  std::string sha256;  // expected digest, 64 hex digits; empty: the published or the recorded one
  DownloadOptions download;
};

struct Fetched {
  std::string sha256;  // of the archive
  // What it was held to: nothing is known of a source that is fetched for the first time.
  enum class Checked { given, published, recorded, first_time } checked = Checked::first_time;
  Unpacked unpacked;
};

// Downloads (resuming) to FOLDER.archive, checks the digest, unpacks, and renames the data set's own folder
// to `folder`, which must not exist or be empty: it appears whole or not at all. The digest is kept in
// FOLDER.sha256 (a line as sha256sum writes it), and later fetches without another expectation are held to
// it. A downloaded archive is removed once it is unpacked or has the wrong digest; a local one is never
// touched. Throws Error as download and unpack do, if the digest is wrong, or if the archive doesn't hold
// what it should.
Fetched fetch(const PublicSource& source, const std::filesystem::path& folder, const FetchOptions& options);

}  // namespace smearscope::corpus
