// Data sets that are broken, or made to do harm: what is wrong is one clear line and counted, nothing outside
// the data set is read, and the rest is still there. What is in the files is broken in
// hostile_files_test.cpp.
#include "hostile_input.h"
#include "file_size_limit.h"

#include <sys/resource.h>

#include <csignal>
#include <functional>
#include <map>

#include "corpus/folder.h"
#include "corpus/standardise.h"
#include "export/formats.h"
#include "tools/commands.h"

namespace smearscope::corpus {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using testing::FileSizeLimit;
using testing::has_label_files;
using ::testing::HasSubstr;
using testing::Layout;
using testing::layouts;
using ::testing::Not;
using testing::one_object;
using ::testing::StartsWith;
using testing::write_smear;
using testing::write_text;

using HostileInput = testing::HostileInput;

TEST_F(HostileInput, AMissingFolderAndOneOfAnotherLayoutAreErrorsThatSayWhatWasExpected) {
  for (const Layout& layout : layouts()) {
    fs::remove_all(in());
    EXPECT_THAT(told(layout.source), HasSubstr("error: " + in().string())) << layout.source;
    fs::create_directories(in("cats"));
    EXPECT_THAT(told(layout.source), HasSubstr(layout.expected)) << layout.source;
    EXPECT_EQ(lines(told(layout.source)), 1) << layout.source;
  }
}

TEST_F(HostileInput, WhatIsLeftOutIsCountedAndIsTheExitStatus) {
  const auto run = [&](const Layout& layout) {
    const std::string output = folder_.file("out");
    fs::remove_all(output);
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const int status =
        run_standardise(Arguments({"--source", layout.source, "--input", in().string(), "--output", output},
                                  {"source", "input", "output"}, {}, {}));
    return std::to_string(status) + "\n" + ::testing::internal::GetCapturedStdout() +
           ::testing::internal::GetCapturedStderr();
  };
  for (const Layout& layout : layouts()) {
    make(layout);
    EXPECT_THAT(run(layout), AllOf(StartsWith("0\n"), Not(HasSubstr("file unreadable")))) << layout.source;
    write_text(in(layout.image), "not an image");
    EXPECT_THAT(run(layout), AllOf(StartsWith("2\n"), HasSubstr("\nfile unreadable: 1\n"),
                                   HasSubstr(": file unreadable: ")))
        << layout.source;
  }
  make(layout("voc"));
  write_text(in("Annotations/two.xml"), one_object);
  EXPECT_THAT(run(layout("voc")), AllOf(StartsWith("2\n"), HasSubstr("\nfile unpaired: 1\n")));
}

TEST_F(HostileInput, ALinkThatLeadsOutsideIsRefusedAndReported) {
  write_smear(folder_.file("outside.jpg"), 7);
  for (const Layout& layout : layouts()) {
    make(layout);
    fs::remove(in(layout.image));
    fs::create_symlink(folder_.file("outside.jpg"), in(layout.image));
    EXPECT_THAT(told(layout.source), HasSubstr("is a link that leads outside")) << layout.source;
    EXPECT_EQ(lines(told(layout.source)), 1) << layout.source;
  }
}

TEST_F(HostileInput, LabelsBehindALinkThatLeadsOutsideAreRefusedAndReported) {
  for (const Layout& layout : layouts()) {
    if (!*layout.labels) continue;
    make(layout);
    write_text(folder_.file("secret"), layout.label_text);
    fs::remove(in(layout.labels));
    fs::create_symlink(folder_.file("secret"), in(layout.labels));
    EXPECT_THAT(told(layout.source),
                AllOf(HasSubstr(layout.labels), HasSubstr("is a link that leads outside")))
        << layout.source;
  }
}

TEST_F(HostileInput, ALinkInsideTheSetIsFollowed) {
  for (const Layout& layout : layouts()) {
    if (std::string(layout.source) == "coco") continue;  // images of a corpus stay in images/
    make(layout);
    fs::rename(in(layout.image), in("kept.bin"));
    fs::create_symlink(in("kept.bin"), in(layout.image));
    EXPECT_EQ(read(layout.source).images.size(), 1U) << layout.source << told(layout.source);
  }
}

TEST_F(HostileInput, ALinkToAFolderIsNotFollowed) {
  make(layout("yolo"));
  write_smear(folder_.file("elsewhere/two.jpg"), 2);
  fs::create_directory_symlink(folder_.file("elsewhere"), in("images/more"));
  fs::create_directory_symlink(in(), in("images/circle"));
  EXPECT_EQ(read("yolo").images.size(), 1U);
}

TEST_F(HostileInput, ImagesWithoutLabelsAndLabelsWithoutImageAreReported) {
  for (const Layout& layout : layouts()) {
    if (!has_label_files(layout)) continue;
    make(layout);
    const fs::path two = in(layout.image).parent_path() / "two.jpg";
    write_smear(two, 2);
    EXPECT_THAT(told(layout.source), AllOf(HasSubstr("two.jpg: file unpaired: no labels"))) << layout.source;
    make(layout);
    const fs::path three =
        in(layout.labels).parent_path() / ("three" + in(layout.labels).extension().string());
    write_text(three, layout.label_text);
    EXPECT_THAT(told(layout.source), HasSubstr("three" + three.extension().string() + ": file unpaired"))
        << layout.source;
    EXPECT_EQ(lines(told(layout.source)), 1) << layout.source;
    EXPECT_EQ(read(layout.source).images.size(), 1U) << layout.source;
  }
}

TEST_F(HostileInput, TwoImagesOfOneNameDoNotShareLabels) {
  for (const Layout& layout : layouts()) {
    if (!has_label_files(layout)) continue;
    make(layout);
    write_smear(in(layout.image).replace_extension(".png"), 2);
    EXPECT_THAT(told(layout.source), HasSubstr("one.png: file unpaired: another image of that name"))
        << layout.source;
  }
}

TEST_F(HostileInput, NamesWithSpacesAndOfAnyLanguageAreReadAndWritten) {
  const std::string name = "Blutbild ä 血 #1 100%";
  for (const Layout& layout : layouts()) {
    if (!has_label_files(layout)) continue;
    make(layout);
    fs::rename(in(layout.image), in(layout.image).parent_path() / (name + ".jpg"));
    fs::rename(in(layout.labels),
               in(layout.labels).parent_path() / (name + in(layout.labels).extension().string()));
    if (layout.source == std::string("bccd")) write_text(in("ImageSets/Main/train.txt"), name + "\r\n");
    const fs::path output = folder_.file(std::string("out-") + layout.source);
    standardise(find_reader(layout.source).open(in()), layout.source, load_taxonomy("cells"), output, {});
    const Corpus corpus = read_corpus(output);
    ASSERT_EQ(corpus.images.size(), 1U) << layout.source << told(layout.source);
    EXPECT_EQ(corpus.images[0].path.filename(), name + ".jpg");
    EXPECT_EQ(corpus.images[0].annotations.size(), 1U) << layout.source;
  }
}

TEST_F(HostileInput, NamesThatAreNoTextAreOneLine) {
  for (const Layout& layout : layouts()) {
    if (!has_label_files(layout)) continue;
    for (const std::string name : {"line\nbreak", "\xFF\xFE", "escape\x1B[2J"}) {
      make(layout);
      fs::rename(in(layout.image), in(layout.image).parent_path() / (name + ".jpg"));
      fs::rename(in(layout.labels),
                 in(layout.labels).parent_path() / (name + in(layout.labels).extension().string()));
      EXPECT_THAT(told(layout.source), HasSubstr("\\x")) << layout.source;
      EXPECT_THAT(told(layout.source), HasSubstr("its name is not UTF-8, or has control characters"));
      EXPECT_LE(lines(told(layout.source)), 2) << layout.source << told(layout.source);
    }
  }
}

TEST_F(HostileInput, ListsThatNameFilesOutsideFindNoImage) {
  write_smear(folder_.file("outside.jpg"), 7);
  write_text(folder_.file("outside.xml"), one_object);
  for (const char* source : {"bccd", "voc"}) {
    for (const std::string& name : {std::string("../../outside"), folder_.file("outside")}) {
      make(layout(source));
      write_text(in("ImageSets/Main/train.txt"), "one\n" + name + "\n");
      EXPECT_EQ(read(source).images.size(), 1U) << name;
      EXPECT_THAT(told(source),
                  AllOf(HasSubstr("outside: file unpaired: no such image"), HasSubstr("train.txt: line 2")));
    }
  }
  make(layout("yolo"));
  write_text(in("data.yaml"), "train: /etc\nval: ../../..\nnames: [wbc, rbc]\n");
  EXPECT_EQ(read("yolo").images.size(), 1U);
}

TEST_F(HostileInput, AnImageInTwoPartsIsAnError) {
  make(layout("voc"));
  write_text(in("ImageSets/Main/train.txt"), "one\n");
  write_text(in("ImageSets/Main/val.txt"), "\none\n");
  EXPECT_THAT(told("voc"),
              HasSubstr("error: ImageSets/Main/val.txt: line 2: 'one' is in another part already, by "
                        "ImageSets/Main/train.txt: line 1"));
}

TEST_F(HostileInput, WhatCannotBeWrittenIsAnErrorAndNothingIsLeftBehind) {
  make(layout("voc"));
  const std::string output = folder_.file("out");
  for (const rlim_t bytes : {rlim_t(100), rlim_t(fs::file_size(in("JPEGImages/one.jpg")))}) {
    std::string message = "no error";
    {
      const FileSizeLimit limit(bytes);
      try {
        standardise(find_reader("voc").open(in()), "voc", load_taxonomy("paper"), output, {});
      } catch (const std::exception& problem) {
        message = problem.what();
      }
    }
    EXPECT_THAT(message, AllOf(HasSubstr(output), HasSubstr("(is the disk full?)"), Not(HasSubstr("\n"))));
    EXPECT_FALSE(fs::exists(output));
    EXPECT_FALSE(fs::exists(output + ".new"));
  }
}

TEST_F(HostileInput, WhatCannotBeCopiedIsAnErrorAndNothingIsLeftBehind) {
  Corpus corpus;
  corpus.classes = testing::cell_classes();
  corpus.images = {testing::smear_record(in(), "a.png", 1)};
  const std::string output = folder_.file("out");
  const std::map<std::string, std::function<void(Transfer)>> writes{
      {"corpus", [&](Transfer transfer) { write_corpus(output, corpus, transfer); }},
      {"export", [&](Transfer transfer) { export_corpus(corpus, "voc", output, transfer); }},
  };
  for (const auto& [name, write] : writes) {
    for (const Transfer transfer : {Transfer::copy, Transfer::link}) {
      std::string message = "no error";
      {
        const FileSizeLimit limit(4);
        try {
          write(transfer);
        } catch (const Error& problem) {
          message = problem.what();
        }
      }
      EXPECT_THAT(message, AllOf(HasSubstr(output), Not(HasSubstr("\n")))) << name;
      EXPECT_FALSE(fs::exists(output)) << name;
      EXPECT_FALSE(fs::exists(output + ".new")) << name;
    }
  }
}

TEST_F(HostileInput, TheSameDataSetAtTwoPlacesGivesTheSameCorpusByteForByte) {
  const auto text_of = [](const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  };
  const std::map<std::string, std::string> broken{
      {"bccd",
       "<annotation><object/><object><name>RBC</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>1</xmax>"
       "<ymax>1</ymax></bndbox></object></annotation>"},
      {"voc", "<annotation><object/></annotation>"},
      {"txl", "1 0.5\n1 0.5 0.5 0 0\n"},
      {"yolo", "1 0.5\n1 0.5 0.5 0 0\n"},
      {"chula", "1\n20 20 0\n20 20 0\n"},
      {"gallery",
       "cell,frame,class,confidence,x_min,y_min,x_max,y_max,pixel_size_um\n1,one.jpg,wbc,0.9,-10,10,30,40,0\n"
       "2\n"},
  };
  for (const Layout& layout : layouts()) {
    std::vector<std::string> corpora;
    for (const char* place : {"here", "somewhere/else"}) {
      make(layout);
      const auto label = broken.find(layout.source);
      if (label != broken.end()) write_text(in(layout.labels), label->second);
      // One image that can't be read.
      const fs::path bad = in(layout.image).parent_path() / "PLATELET_bad.jpg";
      const std::string extension = in(layout.labels).extension().string();
      if (std::string(layout.source) != "coco") write_text(bad, "not an image");
      if (label != broken.end())
        write_text(in(layout.labels).parent_path() / ("PLATELET_bad" + extension), layout.label_text);
      const fs::path set = fs::path(folder_.file(place)) / "set",
                     output = fs::path(folder_.file(place)) / "out";
      fs::create_directories(set.parent_path());
      fs::remove_all(set);
      fs::remove_all(output);
      fs::rename(in(), set);
      standardise(find_reader(layout.source).open(set), layout.source, load_taxonomy("cells"), output, {});
      std::string all;
      for (const auto& entry : fs::recursive_directory_iterator(output)) {
        const std::string name = entry.path().lexically_relative(output).string();
        if (entry.is_regular_file()) all += name + "\n" + text_of(entry.path());
      }
      EXPECT_THAT(text_of(output / "provenance.csv"), Not(HasSubstr(folder_.path()))) << layout.source;
      corpora.push_back(all);
    }
    EXPECT_EQ(corpora[0], corpora[1]) << layout.source;
  }
}

}  // namespace
}  // namespace smearscope::corpus
