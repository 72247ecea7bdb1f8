// The commands stats and preview, on a corpus made in the test.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "corpus/folder.h"
#include "corpus_files.h"
#include "tools/commands.h"

namespace smearscope::corpus {
namespace {

namespace fs = std::filesystem;
using smearscope::testing::smear_record;
using ::testing::AllOf;
using ::testing::HasSubstr;

class ShowCommandsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) / ("show_" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    Corpus corpus;
    corpus.classes = {{"wbc", -1}, {"rbc", -1}, {"platelet", -1}};
    for (unsigned i = 0; i < 12; ++i) {
      const std::string name = "image" + std::to_string(i) + ".png";
      corpus.images.push_back(smear_record(folder_ / "source", name, i, i < 8 ? "one" : "two"));
    }
    write_corpus(folder_ / "corpus", corpus);
  }
  void TearDown() override { fs::remove_all(folder_); }

  int preview(std::vector<std::string> words) {
    words.insert(words.begin(), {path("corpus"), "--output", path("sheets")});
    return run_preview(Arguments(words, {"output", "count", "source", "class"}, {}, {}));
  }
  int stats(const std::vector<std::string>& words) {
    return run_stats(Arguments(words, {"html", "json"}, {}, {}));
  }
  std::string path(const char* name) const { return (folder_ / name).string(); }
  std::size_t sheets() const {
    const auto files = fs::directory_iterator(folder_ / "sheets");
    return static_cast<std::size_t>(std::distance(begin(files), end(files)));
  }
  static std::string message_of(const std::function<void()>& action) {
    try {
      action();
    } catch (const Error& problem) {
      return problem.what();
    }
    return "(no error)";
  }

  fs::path folder_;
};

TEST_F(ShowCommandsTest, PreviewFillsOneSheetAfterTheOther) {
  EXPECT_EQ(preview({}), done);
  EXPECT_EQ(sheets(), 2U);  // 9 and 3
  EXPECT_FALSE(cv::imread(path("sheets/sheet-0002.png")).empty());
}

TEST_F(ShowCommandsTest, PreviewShowsAsManyAsAreWanted) {
  EXPECT_EQ(preview({"--count", "4", "--source", "two", "--class", "rbc"}), done);
  EXPECT_EQ(sheets(), 1U);
}

TEST_F(ShowCommandsTest, PreviewSaysWhatThereIsInsteadOfWhatIsNot) {
  EXPECT_THAT(message_of([&] { preview({"--class", "sickle"}); }), HasSubstr("it has wbc, rbc, platelet"));
  EXPECT_THAT(message_of([&] { preview({"--source", "three"}); }), HasSubstr("it has one, two"));
  EXPECT_THAT(message_of([&] { preview({"--class", "platelet"}); }), HasSubstr("no image"));
  EXPECT_THAT(message_of([&] { preview({"--count", "0"}); }), HasSubstr("count"));
  EXPECT_FALSE(fs::exists(folder_ / "sheets"));
}

TEST_F(ShowCommandsTest, PreviewDoesNotMixWithOtherFiles) {
  smearscope::testing::write_text(folder_ / "sheets/mine.txt", "x");
  EXPECT_THAT(message_of([&] { preview({}); }), HasSubstr("exists already"));
}

TEST_F(ShowCommandsTest, StatsPrintsTablesAndWritesBothFiles) {
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(stats({path("corpus"), "--html", path("page.html"), "--json", path("numbers.json")}), done);
  const std::string printed = ::testing::internal::GetCapturedStdout();
  EXPECT_THAT(printed, AllOf(HasSubstr("share of boxes"), HasSubstr("one"), HasSubstr("66.7 %")));
  EXPECT_GT(fs::file_size(folder_ / "page.html"), 10000U);
  EXPECT_GT(fs::file_size(folder_ / "numbers.json"), 500U);
}

TEST_F(ShowCommandsTest, FailedPageLeavesTheOldOne) {
  smearscope::testing::write_text(folder_ / "page.html", "old");
  smearscope::testing::write_text(folder_ / "corpus/images/image0.png", "not an image");
  EXPECT_THROW(stats({path("corpus"), "--html", path("page.html")}), Error);
  EXPECT_EQ(fs::file_size(folder_ / "page.html"), 3U);
  EXPECT_THAT(message_of([&] { stats({path("source")}); }), HasSubstr("not a corpus"));
}

}  // namespace
}  // namespace smearscope::corpus
