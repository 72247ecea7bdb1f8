// Downloads from a web server on this machine, and archives made to do harm.
#include "fetch/fetch.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/resource.h>

#include <clocale>
#include <csignal>

#include "corpus/folder.h"
#include "corpus_files.h"
#include "http_server.h"

namespace smearscope::corpus {
namespace {

namespace fs = std::filesystem;
using smearscope::testing::HttpServer;
using smearscope::testing::write_text;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Behaviour = HttpServer::Behaviour;

struct Entry {
  std::string name, content;
  mode_t type = AE_IFREG;
  std::string link{};
};

void write_archive(const fs::path& file, const std::vector<Entry>& entries, bool tar = false) {
  std::setlocale(LC_CTYPE, "C.UTF-8");  // libarchive writes names in the locale's encoding
  archive* writer = archive_write_new();
  tar ? archive_write_set_format_pax_restricted(writer) : archive_write_set_format_zip(writer);
  if (tar) archive_write_add_filter_gzip(writer);
  if (!tar) archive_write_set_options(writer, "zip:hdrcharset=UTF-8");
  ASSERT_EQ(archive_write_open_filename(writer, file.c_str()), ARCHIVE_OK);
  for (const Entry& e : entries) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname_utf8(entry, e.name.c_str());
    archive_entry_set_filetype(entry, e.type);
    archive_entry_set_perm(entry, 0755);
    archive_entry_set_size(entry, static_cast<la_int64_t>(e.content.size()));
    if (e.type == AE_IFLNK) archive_entry_set_symlink(entry, e.link.c_str());
    if (e.type == AE_IFREG && !e.link.empty()) archive_entry_set_hardlink(entry, e.link.c_str());
    ASSERT_GE(archive_write_header(writer, entry), ARCHIVE_WARN) << archive_error_string(writer);
    if (!e.content.empty()) archive_write_data(writer, e.content.data(), e.content.size());
    archive_entry_free(entry);
  }
  ASSERT_EQ(archive_write_close(writer), ARCHIVE_OK);
  archive_write_free(writer);
  std::setlocale(LC_CTYPE, "C");
}

std::string read_text(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& problem) {
    return problem.what();
  }
  return "(no error)";
}

// Bytes that no compression shrinks, so that a download has a middle to be cut in.
std::string noise(std::size_t bytes) {
  std::string text(bytes, ' ');
  cv::RNG random(7);
  for (char& c : text) c = static_cast<char>(random.uniform(0, 256));
  return text;
}

class FetchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) / ("fetch_" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    write_archive(folder_ / "set.zip",
                  {{"Set-1.0/Data/a b.txt", "hello"}, {"Set-1.0/Data/noise", noise(300000)}});
    zip_ = read_text(folder_ / "set.zip");
    options_.download.first_wait = std::chrono::milliseconds(1);
    options_.download.stall = std::chrono::seconds(2);
  }
  void TearDown() override { fs::remove_all(folder_); }

  void expect_fetched() const {
    EXPECT_EQ(read_text(folder_ / "out/Data/a b.txt"), "hello");
    EXPECT_EQ(read_text(folder_ / "out/Data/noise"), noise(300000));
    EXPECT_THAT(names_beside(), ElementsAre("out", "out.sha256", "set.zip"));
  }
  std::vector<std::string> names_beside() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }
  Fetched fetch_from(const HttpServer& server) {
    source_.url = server.url();
    return fetch(source_, folder_ / "out", options_);
  }

  fs::path folder_;
  std::string zip_;
  PublicSource source_{"set", "A set", "", "", {"Data"}, ""};
  FetchOptions options_;
};

TEST_F(FetchTest, WholeFileIsFetchedUnpackedAndItsDigestRecorded) {
  const HttpServer server(zip_, [](int) { return Behaviour{}; });
  const Fetched fetched = fetch_from(server);
  EXPECT_EQ(fetched.sha256, sha256_of_text(zip_));
  EXPECT_EQ(fetched.checked, Fetched::Checked::first_time);
  EXPECT_EQ(fetched.unpacked.files, 2U);
  EXPECT_EQ(read_text(folder_ / "out.sha256"), sha256_of_text(zip_) + "  " + server.url() + "\n");
  expect_fetched();
}

TEST_F(FetchTest, DroppedConnectionGoesOnWhereItEnded) {
  const HttpServer server(zip_, [](int request) {
    Behaviour how;
    how.drop_after = request < 3 ? 70000 : 0;
    return how;
  });
  fetch_from(server);
  EXPECT_THAT(server.ranges_asked(), ElementsAre("", "bytes=70000-", "bytes=140000-", "bytes=210000-"));
  expect_fetched();
}

TEST_F(FetchTest, LaterRunGoesOnWhereAnEarlierOneEnded) {
  const HttpServer server(zip_, [](int request) {
    Behaviour how;
    how.drop_after = request == 0 ? 100000 : 0;
    how.status = request == 1 ? 403 : 200;
    return how;
  });
  EXPECT_THAT(message_of([&] { fetch_from(server); }), HasSubstr("403"));
  EXPECT_EQ(fs::file_size(folder_ / "out.archive.part"), 100000U);
  fetch_from(server);
  EXPECT_EQ(server.ranges_asked().back(), "bytes=100000-");
  expect_fetched();
}

TEST_F(FetchTest, FileThatChangedMeanwhileIsFetchedAnew) {
  HttpServer server(noise(200000), [](int request) {
    Behaviour how;
    how.drop_after = request == 0 ? 100000 : 0;
    how.status = request == 1 ? 403 : 200;
    how.etag = request < 2 ? "\"version-1\"" : "\"version-2\"";
    return how;
  });
  EXPECT_THAT(message_of([&] { fetch_from(server); }), HasSubstr("403"));
  server.set_content(zip_);
  fetch_from(server);
  expect_fetched();
}

TEST_F(FetchTest, ServerWithoutRangesOrValidatorIsAskedForAllOfItAgain) {
  for (const bool ranges : {false, true}) {
    fs::remove_all(folder_ / "out");
    const HttpServer server(zip_, [ranges](int request) {
      Behaviour how;
      how.drop_after = request == 0 ? 100000 : 0;
      how.ranges = ranges;
      if (ranges) how.etag = "W/\"weak\"";
      return how;
    });
    fetch_from(server);
    expect_fetched();
  }
}

TEST_F(FetchTest, ServerThatOnlyDropsIsGivenUpAndSaysWhy) {
  const HttpServer server(zip_, [](int) {
    Behaviour how;
    how.drop_after = 1000;
    how.ranges = false;
    return how;
  });
  EXPECT_THAT(message_of([&] { fetch_from(server); }),
              AllOf(HasSubstr("5 times in a row"), HasSubstr("kept")));
}

TEST_F(FetchTest, BusyServerIsAskedAgain) {
  const HttpServer server(zip_, [](int request) {
    Behaviour how;
    how.status = request < 2 ? 503 : 200;
    return how;
  });
  fetch_from(server);
  expect_fetched();
}

TEST_F(FetchTest, MissingFileIsSaidAtOnce) {
  const HttpServer server(zip_, [](int) {
    Behaviour how;
    how.status = 404;
    return how;
  });
  EXPECT_THAT(message_of([&] { fetch_from(server); }),
              AllOf(HasSubstr("404 (not found)"), HasSubstr("--mirror")));
  EXPECT_EQ(server.ranges_asked().size(), 1U);
  EXPECT_FALSE(fs::exists(folder_ / "out"));
}

TEST_F(FetchTest, RedirectIsFollowedButNotToFiles) {
  const HttpServer home(zip_, [](int) { return Behaviour{}; });
  std::string target = home.url();
  const HttpServer server("", [&target](int) {
    Behaviour how;
    how.status = 302;
    how.location = target;
    return how;
  });
  fetch_from(server);
  expect_fetched();
  fs::remove_all(folder_ / "out");
  target = "file://" + (folder_ / "set.zip").string();
  EXPECT_THAT(message_of([&] { fetch_from(server); }), HasSubstr("rotocol"));
}

TEST_F(FetchTest, LengthIsNotNeeded) {
  const HttpServer server(zip_, [](int) {
    Behaviour how;
    how.says_length = false;
    return how;
  });
  fetch_from(server);
  expect_fetched();
}

TEST_F(FetchTest, EndlessFileIsCutOffAtTheLimit) {
  const HttpServer server(zip_, [](int) {
    Behaviour how;
    how.says_length = false;
    return how;
  });
  options_.download.max_bytes = 100000;
  EXPECT_THAT(message_of([&] { fetch_from(server); }), HasSubstr("larger than the 100000 bytes"));
  EXPECT_LE(fs::file_size(folder_ / "out.archive.part"), 100000U);
}

TEST_F(FetchTest, WrongDigestIsRefusedAndNotKept) {
  const HttpServer server(zip_, [](int) { return Behaviour{}; });
  options_.sha256 = std::string(64, 'A');
  EXPECT_THAT(
      message_of([&] { fetch_from(server); }),
      AllOf(HasSubstr("wrong content"), HasSubstr(sha256_of_text(zip_)), HasSubstr(std::string(64, 'a'))));
  EXPECT_THAT(names_beside(), ElementsAre("set.zip"));
  options_.sha256 = "12";
  EXPECT_THAT(message_of([&] { fetch_from(server); }), HasSubstr("64 hexadecimal digits"));
  options_.sha256.clear();
  source_.sha256 = std::string(64, '0');
  EXPECT_THAT(message_of([&] { fetch_from(server); }), HasSubstr("the published digest"));
  source_.sha256 = sha256_of_text(zip_);
  EXPECT_EQ(fetch_from(server).checked, Fetched::Checked::published);
}

TEST_F(FetchTest, LaterFetchIsHeldToTheRecordedDigest) {
  HttpServer server(zip_, [](int) { return Behaviour{}; });
  fetch_from(server);
  fs::remove_all(folder_ / "out");
  EXPECT_EQ(fetch_from(server).checked, Fetched::Checked::recorded);
  fs::remove_all(folder_ / "out");
  server.set_content(zip_ + " ");
  EXPECT_THAT(message_of([&] { fetch_from(server); }), HasSubstr("recorded by an earlier fetch"));
}

TEST_F(FetchTest, LocalArchiveServesAsMirrorAndStays) {
  options_.mirror = (folder_ / "set.zip").string();
  fetch(source_, folder_ / "out/", options_);
  expect_fetched();
  EXPECT_THAT(message_of([&] { fetch(source_, folder_ / "out", options_); }), HasSubstr("exists already"));
  options_.mirror = folder_.string();
  EXPECT_THAT(message_of([&] { fetch(source_, folder_ / "other", options_); }), HasSubstr("is a folder"));
  options_.mirror = (folder_ / "absent.zip").string();
  EXPECT_THAT(message_of([&] { fetch(source_, folder_ / "other", options_); }), HasSubstr("absent.zip"));
  EXPECT_THAT(names_beside(), ElementsAre("out", "out.sha256", "set.zip"));
}

// Files beyond the limit fail to be written, as on a full disk.
TEST_F(FetchTest, FullDiskKeepsWhatArrivedAndGoesOnLater) {
  const HttpServer server(zip_, [](int) { return Behaviour{}; });
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{150000, old.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string message = message_of([&] { fetch_from(server); });
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old), 0);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_THAT(message, AllOf(HasSubstr("out.archive.part"), HasSubstr("make room")));
  fetch_from(server);
  EXPECT_EQ(server.ranges_asked().back(), "bytes=150000-");
  expect_fetched();
}

TEST_F(FetchTest, SecondFetchToTheSameFolderIsRefusedWhileTheFirstRuns) {
  const int lock = ::open((folder_ / "out.archive.part").c_str(), O_RDWR | O_CREAT, 0644);
  ASSERT_EQ(::flock(lock, LOCK_EX), 0);
  const HttpServer server(zip_, [](int) { return Behaviour{}; });
  EXPECT_THAT(message_of([&] { fetch_from(server); }), HasSubstr("another download"));
  ::close(lock);
  fetch_from(server);
  expect_fetched();
}

TEST_F(FetchTest, KilledBetweenLastByteAndRenameNeedsNoSecondDownload) {
  write_text(folder_ / "out.archive.part", zip_);
  const HttpServer server(zip_, [](int) { return Behaviour{}; });
  write_text(folder_ / "out.archive.part.from", server.url() + "\n\"version-1\"\n");
  fetch_from(server);
  EXPECT_THAT(server.ranges_asked(), ElementsAre("bytes=" + std::to_string(zip_.size()) + "-"));
  expect_fetched();
}

TEST_F(FetchTest, WebPageInsteadOfTheArchiveIsCalledThat) {
  const HttpServer server("<!DOCTYPE html><html>Please log in</html>", [](int) { return Behaviour{}; });
  EXPECT_THAT(message_of([&] { fetch_from(server); }), HasSubstr("a web page"));
  EXPECT_THAT(names_beside(), ElementsAre("set.zip"));
}

TEST_F(FetchTest, ArchiveOfAnotherSetIsRefused) {
  source_.holds = {"Label", "Dataset"};
  options_.mirror = (folder_ / "set.zip").string();
  EXPECT_THAT(message_of([&] { fetch(source_, folder_ / "out", options_); }),
              HasSubstr("no folder in it holds 'Label' and 'Dataset'"));
  EXPECT_THAT(names_beside(), ElementsAre("set.zip"));
}

TEST_F(FetchTest, EveryPublicSourceNamesItsHomeAndContents) {
  EXPECT_EQ(public_sources().size(), 5U);
  for (const PublicSource& source : public_sources()) {
    EXPECT_EQ(source.url.rfind("https://", 0), 0U) << source.kind;
    EXPECT_FALSE(source.title.empty() || source.page.empty() || source.holds.empty()) << source.kind;
    EXPECT_TRUE(source.sha256.empty() || source.sha256.size() == 64) << source.kind;
  }
  EXPECT_THAT(message_of([] { find_public_source("nonesuch"); }), HasSubstr("bccd, chula, pbc, sickle, txl"));
}

class UnpackTest : public FetchTest {
 protected:
  std::string error_with(const std::vector<Entry>& entries, bool tar) {
    const fs::path file = folder_ / "evil";
    write_archive(file, entries, tar);
    fs::remove_all(folder_ / "in");
    fs::create_directories(folder_ / "in/deep");
    return message_of([&] { unpack(file, folder_ / "in/deep"); });
  }
};

TEST_F(UnpackTest, NamesThatLeadOutsideAreRefused) {
  for (const bool tar : {false, true}) {
    EXPECT_THAT(error_with({{"../outside", "x"}}, tar), HasSubstr("leads outside"));
    EXPECT_THAT(error_with({{"a/../../outside", "x"}}, tar), HasSubstr("leads outside"));
    EXPECT_THAT(error_with({{"/tmp/outside", "x"}}, tar), HasSubstr("absolute"));
    EXPECT_THAT(error_with({{"..\\outside", "x"}}, tar),
                AnyOf(HasSubstr("backslash"), HasSubstr("leads outside")));
    EXPECT_THAT(error_with({{"new\nline", "x"}}, tar), HasSubstr("control character"));
    EXPECT_THAT(error_with({{"a", "x"}, {"a", "y"}}, tar), HasSubstr("twice"));
    EXPECT_FALSE(fs::exists(folder_ / "in/outside") || fs::exists(folder_ / "outside"));
  }
}

TEST_F(UnpackTest, LinksAreLeftOutAndNothingIsWrittenThroughThem) {
  for (const bool tar : {false, true}) {
    const fs::path file = folder_ / "evil";
    write_archive(file, {{"link", "", AE_IFLNK, ".."}, {"link/outside", "x"}}, tar);
    fs::remove_all(folder_ / "in");
    fs::create_directories(folder_ / "in/deep");
    const Unpacked unpacked = unpack(file, folder_ / "in/deep");
    EXPECT_THAT(unpacked.left_out, ElementsAre("'link': a link"));
    EXPECT_FALSE(fs::exists(folder_ / "in/outside"));
    EXPECT_TRUE(fs::is_regular_file(folder_ / "in/deep/link/outside"));
  }
  write_archive(folder_ / "evil",
                {{"passwd", "", AE_IFREG, "/etc/passwd"}, {"pipe", "", AE_IFIFO}, {"a", "x"}}, true);
  fs::remove_all(folder_ / "in");
  fs::create_directories(folder_ / "in");
  EXPECT_THAT(unpack(folder_ / "evil", folder_ / "in").left_out,
              ElementsAre("'passwd': a link", "'pipe': not a plain file"));
}

TEST_F(UnpackTest, BombIsStoppedAtTheLimit) {
  write_archive(folder_ / "bomb", {{"zeros", std::string(20 << 20, '\0')}});
  EXPECT_LT(fs::file_size(folder_ / "bomb"), 100000U);
  fs::create_directories(folder_ / "in");
  EXPECT_THAT(message_of([&] {
                unpack(folder_ / "bomb", folder_ / "in", {1 << 20, 100});
              }),
              HasSubstr("unpacks to more than 1048576 bytes"));
  EXPECT_LE(fs::file_size(folder_ / "in/zeros"), std::uintmax_t{1} << 20);
  write_archive(folder_ / "many", {{"1", "x"}, {"2", "x"}, {"3", "x"}});
  EXPECT_THAT(message_of([&] {
                unpack(folder_ / "many", folder_ / "in", {1 << 20, 2});
              }),
              HasSubstr("more than 2 entries"));
}

TEST_F(UnpackTest, UnicodeNamesStayAndMacLitterGoes) {
  write_archive(folder_ / "names",
                {{"Zellen/größe 1 細胞.txt", "x"}, {"__MACOSX/Zellen/._a", "x"}, {"Zellen/.DS_Store", "x"}});
  fs::create_directories(folder_ / "in");
  const Unpacked unpacked = unpack(folder_ / "names", folder_ / "in");
  EXPECT_EQ(unpacked.files, 1U);
  EXPECT_EQ(read_text(folder_ / "in/Zellen/größe 1 細胞.txt"), "x");
  EXPECT_FALSE(fs::exists(folder_ / "in/__MACOSX"));
}

TEST_F(UnpackTest, TruncatedArchiveIsDamagedAtEveryLength) {
  write_archive(folder_ / "small.zip", {{"a/b", "some text"}, {"a/c", noise(3000)}});
  write_archive(folder_ / "small.tgz", {{"a/b", "some text"}, {"a/c", noise(3000)}}, true);
  for (const char* name : {"small.zip", "small.tgz"}) {
    const std::string whole = read_text(folder_ / name);
    for (std::size_t length = 0; length < whole.size(); length += 1 + whole.size() / 60) {
      write_text(folder_ / "cut", whole.substr(0, length));
      fs::remove_all(folder_ / "in");
      fs::create_directories(folder_ / "in");
      EXPECT_THROW(unpack(folder_ / "cut", folder_ / "in"), BadArchive) << name << " " << length;
    }
  }
}

}  // namespace
}  // namespace smearscope::corpus
