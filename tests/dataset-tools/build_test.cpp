// `build` on tiny data sets: what is made, what is made again, what a kill leaves.
#include "build/build.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "corpus/folder.h"
#include "corpus_files.h"
#include "temporary_folder.h"

namespace smearscope::corpus {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::write_smear;
using testing::write_text;

constexpr const char* config_text = R"(
taxonomy = "cells"
[[source]]
kind = "txl"
input = "txl"
[[source]]
kind = "bccd"
input = "bccd"
[split]
val = 0.25
seed = 3
)";

class Build : public ::testing::Test {
 protected:
  Build() {
    for (unsigned i = 0; i < 12; ++i) {
      const std::string name = "t" + std::to_string(i);
      write_smear(folder_.file("data/txl/TXL_PBC/images/train/" + name + ".jpg"), i);
      write_text(folder_.file("data/txl/TXL_PBC/labels/train/" + name + ".txt"), "1 0.5 0.5 0.2 0.2\n");
    }
    write_smear(folder_.file("data/txl/TXL_PBC/images/val/v.jpg"), 50);
    write_text(folder_.file("data/txl/TXL_PBC/labels/val/v.txt"), "0 0.5 0.5 0.2 0.2\n");
    write_smear(folder_.file("data/bccd/BCCD/JPEGImages/one.jpg"), 60);
    write_text(folder_.file("data/bccd/BCCD/Annotations/one.xml"), "<annotation/>");
    write_text(folder_.file("data/bccd/BCCD/ImageSets/Main/train.txt"), "one\n");
    write_text(folder_.file("data/bccd/BCCD/ImageSets/Main/val.txt"), "");
    options_.data = folder_.file("data");
    options_.output = folder_.file("corpus");
    options_.tell = [this](const std::string& line) { told_.push_back(line); };
  }
  Corpus make(const std::string& config = config_text) {
    told_.clear();
    return in_memory(build(parse_build_config(config, "test.toml"), options_));
  }
  std::string error_of(const std::string& config) {
    try {
      make(config);
    } catch (const Error& problem) {
      return problem.what();
    }
    return "no error";
  }
  testing::TemporaryFolder folder_;
  BuildOptions options_;
  std::vector<std::string> told_;
};

TEST_F(Build, StandardisesMergesAndSplits) {
  const Corpus corpus = make();
  EXPECT_THAT(told_, ElementsAre("standardise-txl", "standardise-bccd", "merge", "split"));
  ASSERT_EQ(corpus.images.size(), 14U);
  EXPECT_EQ(corpus.images[0].file, "000001.jpg");
  EXPECT_EQ(corpus.images[13].source, "bccd");
  EXPECT_GE(count_of_part(corpus, "val"), 3U);
  EXPECT_EQ(count_of_part(corpus, ""), 0U);
}

TEST_F(Build, WhatIsUpToDateIsNotMadeAgain) {
  const std::string digest = digest_of(make());
  make();
  EXPECT_THAT(told_, ElementsAre("standardise-txl: up to date", "standardise-bccd: up to date",
                                 "merge: up to date", "corpus: up to date"));
  make(std::string(config_text) + "test = 0.1\n");
  EXPECT_THAT(told_, ElementsAre("standardise-txl: up to date", "standardise-bccd: up to date",
                                 "merge: up to date", "split"));
  write_text(folder_.file("data/bccd/BCCD/Annotations/one.xml"),
             "<annotation><object><name>WBC</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax>"
             "<ymax>9</ymax></bndbox></object></annotation>");
  const Corpus changed = make();
  EXPECT_THAT(told_, ElementsAre("standardise-txl: up to date", "standardise-bccd", "merge", "split"));
  EXPECT_EQ(changed.images[13].annotations.size(), 1U);
  EXPECT_NE(digest_of(changed), digest);
}

TEST_F(Build, TheSameInputsGiveTheSameBytesWhereverTheyLie) {
  make();
  std::filesystem::rename(folder_.file("data"), folder_.file("elsewhere"));
  options_.data = folder_.file("elsewhere");
  options_.output = folder_.file("again");
  options_.threads = 3;
  make();
  for (const char* file : {"annotations/train.json", "annotations/val.json", "provenance.csv"}) {
    EXPECT_EQ(sha256_of_file(folder_.file("corpus/" + std::string(file))),
              sha256_of_file(folder_.file("again/" + std::string(file))))
        << file;
  }
}

TEST_F(Build, KilledAtAnyMomentItEndsWithTheSameCorpus) {
  const std::string digest = digest_of(make());
  const auto forget = [&] {
    std::filesystem::remove_all(folder_.file("corpus"));
    std::filesystem::remove_all(folder_.file("corpus.steps"));
  };
  forget();
  for (int microseconds = 200; microseconds < 400000; microseconds = microseconds * 3 / 2) {
    const pid_t child = ::fork();
    if (child == 0) {
      options_.tell = [](const std::string&) {};
      try {
        build(parse_build_config(config_text, "test.toml"), options_);
      } catch (const std::exception&) {
        ::_exit(1);
      }
      ::_exit(0);
    }
    std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_FALSE(WIFEXITED(status) && WEXITSTATUS(status) != 0) << "what an earlier one left is in the way";
    // A corpus that is there is whole.
    if (std::filesystem::exists(folder_.file("corpus"))) {
      EXPECT_EQ(digest_of(read_corpus(folder_.file("corpus"))), digest);
    }
  }
  EXPECT_EQ(digest_of(make()), digest);
  for (const auto& entry : std::filesystem::directory_iterator(folder_.file("corpus.steps")))
    EXPECT_NE(entry.path().extension(), ".new") << entry.path();
}

TEST_F(Build, ACorpusThatBuildDidNotMakeIsNotReplaced) {
  write_text(folder_.file("corpus/precious.txt"), "x");
  EXPECT_THAT(error_of(config_text), HasSubstr("exists already"));
  EXPECT_TRUE(std::filesystem::exists(folder_.file("corpus/precious.txt")));
  EXPECT_TRUE(told_.empty());
}

TEST_F(Build, AMissingSourceIsAnErrorBeforeAnyWork) {
  std::filesystem::remove_all(folder_.file("data/bccd"));
  EXPECT_THAT(error_of(config_text), HasSubstr("data/bccd: no such folder for source 'bccd'"));
  EXPECT_TRUE(told_.empty());
}

TEST_F(Build, BadConfigsAreErrorsWithTheirLine) {
  const std::string source = "[[source]]\nkind = \"txl\"\ninput = \"txl\"\n";
  EXPECT_THAT(error_of("colour = 1\n" + source), HasSubstr("test.toml: line 1: unknown key 'colour'"));
  EXPECT_THAT(error_of("taxonomy = 3\n" + source), HasSubstr("line 1: 'taxonomy' is not a text"));
  EXPECT_THAT(error_of("general_wbc = \"maybe\"\n" + source), HasSubstr("line 1: 'general_wbc'"));
  EXPECT_THAT(error_of("taxonomy = \"birds\"\n" + source), HasSubstr("unknown taxonomy 'birds'"));
  EXPECT_THAT(error_of(source + "[split]\nval = 2\n"),
              HasSubstr("line 5: 'val' is not a number from 0 to 1"));
  EXPECT_THAT(error_of(source + "[split]\nseed = -1\n"), HasSubstr("'seed'"));
  EXPECT_THAT(error_of(source + "[scale]\nlongest_side = 100\npixel_size_um = 0.1\n"), HasSubstr("exclude"));
  EXPECT_THAT(error_of("[[source]]\nkind = \"cats\"\ninput = \"x\"\n"), HasSubstr("unknown source 'cats'"));
  EXPECT_THAT(error_of("[[source]]\nkind = \"txl\"\n"), HasSubstr("'input' is missing"));
  EXPECT_THAT(error_of(""), HasSubstr("no [[source]]"));
  EXPECT_THAT(error_of("x = ["), HasSubstr("test.toml: line 1"));
  EXPECT_THAT(error_of("x = \"" + std::string(101, '.') + "\"\n"),
              HasSubstr("line 1: has more than 100 dots"));
}

}  // namespace
}  // namespace smearscope::corpus
