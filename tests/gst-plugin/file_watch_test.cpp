#include "detection/file_watch.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "model_files.h"
#include "temporary_folder.h"

namespace smearscope {
namespace {

using namespace std::chrono_literals;
using testing::write_bytes;

// A file, its watch, and a clock that the test moves.
class FileWatchTest : public ::testing::Test {
 protected:
  bool changed_after(FileWatch::Clock::duration time) {
    now_ += time;
    return watch_.changed(path_, 1s, now_);
  }

  testing::TemporaryFolder folder_;
  const std::string path_ = [this] {
    write_bytes(folder_.file("model"), "old");
    return folder_.file("model");
  }();
  FileWatch watch_{path_};
  FileWatch::Clock::time_point now_;
};

TEST_F(FileWatchTest, UnchangedFileIsNoChange) {
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(changed_after(1s));
}

// Of the same size, and with the old one's modification time: it is another file all the same.
TEST_F(FileWatchTest, RenamedOverIsAChangeOnceItRested) {
  write_bytes(folder_.file("next"), "new");
  std::filesystem::last_write_time(folder_.file("next"), std::filesystem::last_write_time(path_));
  std::filesystem::rename(folder_.file("next"), path_);
  EXPECT_FALSE(changed_after(1s));
  EXPECT_FALSE(changed_after(900ms));
  EXPECT_TRUE(changed_after(100ms));
  EXPECT_FALSE(changed_after(10s)) << "told once";
}

// A slow copy in place, with pauses, counts when it has ended.
TEST_F(FileWatchTest, FileThatIsBeingWrittenIsNoChangeYet) {
  std::ofstream file(path_);
  for (int i = 0; i < 10; ++i) {
    file << "part" << std::flush;
    EXPECT_FALSE(changed_after(600ms));
    EXPECT_FALSE(changed_after(300ms));
  }
  file.close();
  EXPECT_FALSE(changed_after(600ms));
  EXPECT_TRUE(changed_after(400ms));
}

// Between removal and arrival there is nothing to load.
TEST_F(FileWatchTest, MissingFileIsNoChangeButItsSuccessorIs) {
  std::filesystem::remove(path_);
  EXPECT_FALSE(changed_after(2s));
  EXPECT_FALSE(changed_after(2s));
  write_bytes(path_, "new");
  EXPECT_FALSE(changed_after(2s));
  EXPECT_TRUE(changed_after(1s));
}

// A link that points to another file is another file: that is how some publish versions.
TEST_F(FileWatchTest, LinkToAnotherFileIsAChange) {
  write_bytes(folder_.file("other"), "old");
  const std::string link = folder_.file("link");
  std::filesystem::create_symlink(path_, link);
  FileWatch watch(link);
  std::filesystem::create_symlink(folder_.file("other"), folder_.file("next"));
  std::filesystem::rename(folder_.file("next"), link);
  EXPECT_FALSE(watch.changed(link, 1s, now_));
  EXPECT_TRUE(watch.changed(link, 1s, now_ + 1s));
}

}  // namespace
}  // namespace smearscope
