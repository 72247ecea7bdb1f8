// Label and image files that are broken, or made to do harm. See hostile_input_test.cpp.
#include <sys/stat.h>

#include <functional>
#include <map>

#include "corpus/coco.h"
#include "corpus/groups.h"
#include "corpus/image_io.h"
#include "corpus/plain_text.h"
#include "corpus/taxonomy.h"
#include "hostile_input.h"

namespace smearscope::corpus {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::Layout;
using testing::layouts;
using testing::one_object;
using testing::write_smear;
using testing::write_text;

using HostileFiles = testing::HostileInput;

TEST_F(HostileFiles, EntityBombsAndExternalEntitiesAreNotExpanded) {
  write_text(folder_.file("secret"), "secret text");
  std::string bomb = "<!DOCTYPE annotation [<!ENTITY e0 \"bang\">";
  for (int i = 1; i < 12; ++i) {
    bomb += "<!ENTITY e" + std::to_string(i) + " \"";
    for (int k = 0; k < 10; ++k) bomb += "&e" + std::to_string(i - 1) + ";";
    bomb += "\">";
  }
  const std::string external =
      "<!DOCTYPE annotation [<!ENTITY x SYSTEM \"file://" + folder_.file("secret") + "\">";
  for (const auto& [document_type, entity] : {std::pair{bomb, "&e11;"}, std::pair{external, "&x;"}}) {
    for (const char* source : {"bccd", "voc"}) {
      make(layout(source));
      std::string xml = one_object;
      xml.replace(xml.find("RBC"), 3, entity);
      write_text(in("Annotations/one.xml"), document_type + "]>" + xml);
      const Corpus corpus = read(source);
      ASSERT_EQ(corpus.images.size(), 1U) << told(source);
      ASSERT_EQ(corpus.images[0].annotations.size(), 1U);
      EXPECT_EQ(corpus.images[0].annotations[0].label, entity) << "as it is written";
    }
  }
}

TEST_F(HostileFiles, BrokenXmlIsOneLineThatSaysWhere) {
  std::string deep;
  for (int i = 0; i < 1000000; ++i) deep += "<a>";
  const std::map<std::string, std::string> line_of{
      {"", "broken XML"},
      {"<annotation><object>", "broken XML: "},
      {std::string("\0\0\0\0", 4), "broken XML"},
      {"hello", "broken XML"},
      {"<html/>", "has no <annotation>"},
      {deep, "broken XML"},
      {"<annotation><size><width>960</width><height>640</height></size></annotation>",
       "its boxes are of an image of 960x640 pixels, but the image has 96x64"},
  };
  for (const char* source : {"bccd", "voc"}) {
    for (const auto& [xml, line] : line_of) {
      make(layout(source));
      write_text(in("Annotations/one.xml"), xml);
      EXPECT_THAT(told(source), AllOf(HasSubstr("JPEGImages/one.jpg: file unreadable: "),
                                      HasSubstr("Annotations/one.xml: " + line)));
      EXPECT_EQ(lines(told(source)), 1);
    }
  }
}

TEST_F(HostileFiles, VocObjectsThatMakeNoSenseAreNotedAndTheOthersRead) {
  const auto object = [](const std::string& name, const std::string& x_min) {
    return "<object><name>" + name + "</name><bndbox><xmin>" + x_min +
           "</xmin><ymin>1</ymin><xmax>50</xmax><ymax>50</ymax></bndbox></object>";
  };
  const std::map<std::string, std::string> line_of{
      {"<object/>", "has no <bndbox>"},
      {object("", "1"), "has no <name>"},
      {object("a&#1;b", "1"), "its name is 'a\\x01b'"},
      {object(std::string(100000, 'x'), "1"), "its name is 'xxx"},
      {object("RBC", "nan"), "<xmin> is 'nan', not a number"},
      {object("RBC", "inf"), "<xmin> is 'inf', not a number"},
      {object("RBC", "1e999"), "<xmin> is '1e999', not a number"},
      {object("RBC", std::string(100000, '9') + "x"), "<xmin> is '999"},
      {object("RBC", "1 2"), "<xmin> is '1 2', not a number"},
      {object("RBC", ""), "<xmin> is '', not a number"},
      {"<object><name>RBC</name><bndbox><xmin>1</xmin></bndbox></object>", "its <bndbox> has no <ymin>"},
      {object("RBC", "-1e308"), "box clipped"},
      {object("RBC", "1e308"), "box without area"},
  };
  for (const auto& [broken, line] : line_of) {
    make(layout("voc"));
    write_text(in("Annotations/one.xml"),
               "<annotation>" + object(" RBC\n", " 2 ") + broken + "</annotation>");
    EXPECT_THAT(told("voc"), AllOf(HasSubstr("Annotations/one.xml: object 2"), HasSubstr(line)));
    EXPECT_LT(told("voc").size(), 300U) << "long texts are cut short";
    const Corpus corpus = read("voc");
    ASSERT_GE(corpus.images.at(0).annotations.size(), 1U);
    EXPECT_EQ(corpus.images[0].annotations[0].label, "RBC") << "without the space around it";
  }
}

TEST_F(HostileFiles, YoloLinesThatMakeNoSenseAreNotedAndTheOthersRead) {
  const std::map<std::string, std::string> line_of{
      {"1 0.5 0.5 0.2", "not 'class x y width height'"},
      {"1 0.5 0.5 0.2 0.2 0.9", "not 'class x y width height'"},
      {"1 nan 0.5 0.2 0.2", "'nan' is not a number"},
      {"1 0.5 inf 0.2 0.2", "'inf' is not a number"},
      {"1 0.5 0.5 1e999 0.2", "'1e999' is not a number"},
      {"1 0.5 0.5 1e308 0.2", "outside the image"},
      {"1 0,5 0.5 0.2 0.2", "'0,5' is not a number"},
      {"1 0.5 0.5 -0.2 0.2", "negative size"},
      {"9 0.5 0.5 0.2 0.2", "unknown class number 9"},
      {"-1 0.5 0.5 0.2 0.2", "unknown class number -1"},
      {"0.5 0.5 0.5 0.2 0.2", "unknown class number 0.5"},
      {"1e300 0.5 0.5 0.2 0.2", "unknown class number 1e+300"},
      {"rbc 0.5 0.5 0.2 0.2", "'rbc' is not a number"},
      {"1 0.1 0.1 0.9 0.1 1.9 0.9", "outside the image"},
      {std::string("\xFF\0\x1B", 3), "'\\xFF\\x00\\x1B' is not a number"},
      {std::string(100000, '7'), "is not a number"},
  };
  for (const char* source : {"yolo", "txl"}) {
    for (const auto& [broken, line] : line_of) {
      make(layout(source));
      write_text(in("labels/train/one.txt"), "1 0.5 0.5 0.2 0.2\n" + broken + "\n1 0.2 0.2 0.2 0.2");
      EXPECT_THAT(told(source),
                  AllOf(HasSubstr("label unreadable: "), HasSubstr("one.txt: line 2: "), HasSubstr(line)));
      EXPECT_EQ(lines(told(source)), 1);
      EXPECT_LT(told(source).size(), 300U) << "long texts are cut short";
      EXPECT_EQ(read(source).images.at(0).annotations.size(), 2U);
    }
  }
}

TEST_F(HostileFiles, LabelFilesThatAreTooLargeOrNoFilesAreNotRead) {
  for (const Layout& layout : layouts()) {
    if (!*layout.labels || std::string(layout.source) == "coco") continue;
    make(layout);
    fs::resize_file(in(layout.labels), std::uintmax_t(1) << 40);  // sparse
    EXPECT_THAT(told(layout.source), AllOf(HasSubstr(layout.labels), HasSubstr("has more than")))
        << layout.source;
    fs::remove(in(layout.labels));
    ASSERT_EQ(::mkfifo(in(layout.labels).c_str(), 0600), 0);
    EXPECT_THAT(told(layout.source), AllOf(HasSubstr(layout.labels), HasSubstr("no such label file")))
        << layout.source << ": a pipe would never end";
  }
}

TEST_F(HostileFiles, WhatTablesAndSettingsHoldIsShownInOneLine) {
  const std::string file = folder_.file("file");
  StoredList<Image> none;
  const std::map<std::string, std::function<void()>> reads{
      {"file,group\n\"a\nb\x1B\",1\n", [&] { declare_groups(file, none); }},
      {"[[class]]\nname = \"a\"\n\"x\\ny\" = 1\n", [&] { load_taxonomy(file); }},
      {R"({"categories": [{"id": 1, "name": "a\nb"}], "images": [], "annotations": []})",
       [&] { read_coco(file, folder_.path()); }},
      {"{\"a\x1B\n\": " + std::string(100000, 'x'), [&] { read_coco(file, folder_.path()); }},
  };
  for (const auto& [text, read] : reads) {
    write_text(file, text);
    try {
      read();
      ADD_FAILURE() << "no error: " << text;
    } catch (const Error& problem) {
      EXPECT_THAT(problem.what(), HasSubstr(file));
      EXPECT_TRUE(is_plain_text(problem.what())) << problem.what();
      EXPECT_LT(std::string(problem.what()).size(), 500U);
    }
  }
}

TEST_F(HostileFiles, ClassListsAndDataYamlThatMakeNoSenseAreErrorsWithTheLine) {
  const std::map<std::string, std::string> line_of{
      {"names: [wbc, rbc", "data.yaml: line 1: names: ']' or ',' is missing"},
      {"nc: 2\nnames: ['wbc", "data.yaml: line 2: names: a quote is not closed"},
      {"names: {x: wbc}", "'x' is no number of a class"},
      {"names:\n  0: wbc\n  0: rbc", "class 0 has two names"},
      {"names:\n  99999999: wbc", "more than 10,000 classes"},
      {"names:\n  -1: wbc", "data.yaml: line 1: names: '-1' is no number of a class"},
      {"names:\n  wbc\n  rbc", "is neither 'number: name' nor '- name'"},
      {"names: [\"a\x01\"]", "'a\\x01' is no name of a class"},
      {"names: [" + std::string(1000, 'x') + "]", "is no name of a class"},
      {"nc: 2", "no names of classes: expected data.yaml (names), classes.txt or obj.names"},
  };
  for (const auto& [yaml, line] : line_of) {
    make(layout("yolo"));
    write_text(in("data.yaml"), yaml);
    EXPECT_THAT(told("yolo"), AllOf(HasSubstr("error: "), HasSubstr(line)));
    EXPECT_LT(told("yolo").size(), 300U);
  }
  make(layout("yolo"));
  fs::remove(in("data.yaml"));
  write_text(in("classes.txt"), "wbc\n\x02\n");
  EXPECT_THAT(told("yolo"), HasSubstr("classes.txt: line 2: '\\x02' is no name of a class"));
}

// What a header claims, in a file of a few bytes.
std::string png_that_claims(std::uint32_t width, std::uint32_t height) {
  std::string png("\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR", 16);
  for (const std::uint32_t side : {width, height}) {
    for (int shift = 24; shift >= 0; shift -= 8) png += static_cast<char>(side >> shift);
  }
  return png + std::string("\x08\x02\0\0\0\0\0\0\0", 9);
}

TEST_F(HostileFiles, ImagesThatClaimTooManyPixelsAreRefusedBeforeTheyAreDecoded) {
  cv::Mat real;
  std::vector<unsigned char> jpeg_bytes, bmp_bytes, tiff_bytes;
  cv::imencode(".jpg", cv::Mat(64, 96, CV_8UC3, cv::Scalar(1, 2, 3)), jpeg_bytes);
  cv::imencode(".bmp", cv::Mat(64, 96, CV_8UC3, cv::Scalar(1, 2, 3)), bmp_bytes);
  std::string jpeg(jpeg_bytes.begin(), jpeg_bytes.end()), bmp(bmp_bytes.begin(), bmp_bytes.end());
  jpeg.replace(jpeg.find("\xFF\xC0") + 5, 4, "\xFF\xFF\xFF\xFF");
  bmp.replace(18, 8, std::string("\0\0\0\x40\0\0\0\x80", 8));
  const std::map<std::string, std::string> line_of{
      {png_that_claims(20000, 20000), "its header says 20000x20000 pixels; images may have 100 million"},
      {png_that_claims(0x7FFFFFFF, 0x7FFFFFFF), "its header says 2147483647x2147483647 pixels"},
      {png_that_claims(70000, 1), "its header says 70000x1 pixels"},
      {png_that_claims(0, 5), "its header says no size"},
      {png_that_claims(96, 64), "it is broken behind its header"},
      {jpeg, "its header says 65535x65535 pixels"},
      {bmp, "its header says 1073741824x2147483648 pixels"},
      {std::string("II*\0\xFF\xFF\xFF\xFF", 8), "it ends within its header"},
      {"RIFF\1\1\1\1WEBPVP8X\1\1\1\1\1\1\1\1\xFF\xFF\xFF\xFF\xFF\xFF",
       "its header says 16777216x16777216 pixels"},
      {"GIF89a......", "neither JPEG, PNG, BMP, TIFF nor WebP"},
      {"", "neither JPEG"},
  };
  for (const auto& [bytes, line] : line_of) {
    for (const Layout& layout : layouts()) {
      make(layout);
      write_text(in(layout.image), bytes);
      EXPECT_THAT(told(layout.source), AllOf(HasSubstr(": file unreadable: "), HasSubstr(line)))
          << layout.source;
      EXPECT_EQ(lines(told(layout.source)), 1) << layout.source;
    }
  }
}

TEST_F(HostileFiles, AnImageThatIsCutOffIsReported) {
  for (const char* name : {"one.jpg", "one.png"}) {
    const fs::path file = in(name);
    write_smear(file, 1);
    fs::resize_file(file, fs::file_size(file) * 2 / 3);
    try {
      read_image(file);
      ADD_FAILURE() << "no error";
    } catch (const Error& problem) {
      EXPECT_THAT(problem.what(), HasSubstr(file.string() + ": ")) << name;
    }
  }
}

TEST_F(HostileFiles, AJpegFileWhoseHeaderDoesNotFitItsDataIsReported) {
  cv::Mat noise(256, 256, CV_8UC3);
  cv::randu(noise, 0, 255);
  for (const bool progressive : {false, true}) {
    std::vector<unsigned char> encoded;
    cv::imencode(".jpg", noise, encoded, {cv::IMWRITE_JPEG_PROGRESSIVE, progressive});
    const std::string jpeg(encoded.begin(), encoded.end());
    const std::size_t frame = jpeg.find(progressive ? "\xFF\xC2" : "\xFF\xC0");
    for (const char* sides : {"\2\0\1\0", "\1\0\2\0", "\0\x80\1\0", "\1\x08\1\0"}) {  // height, width
      std::string lie = jpeg;
      lie.replace(frame + 5, 4, std::string(sides, 4));
      make(layout("voc"));
      write_text(in("JPEGImages/one.jpg"), lie);
      EXPECT_THAT(told("voc"), HasSubstr("JPEGImages/one.jpg: the JPEG file is broken: "));
      EXPECT_EQ(lines(told("voc")), 1);
    }
  }
}

TEST_F(HostileFiles, JpegFilesHaveThePixelsThatOpenCVHas) {
  cv::Mat noise(65, 97, CV_8UC3);
  cv::randu(noise, 0, 255);
  cv::Mat grey;
  cv::cvtColor(noise, grey, cv::COLOR_BGR2GRAY);
  for (const cv::Mat& image : {noise, grey}) {
    for (const int progressive : {0, 1}) {
      std::vector<unsigned char> encoded;
      cv::imencode(".jpg", image, encoded, {cv::IMWRITE_JPEG_PROGRESSIVE, progressive});
      write_text(in("a.jpg"), std::string(encoded.begin(), encoded.end()) + "what cameras write behind it");
      cv::Mat expected;
      cv::cvtColor(cv::imdecode(encoded, cv::IMREAD_COLOR), expected, cv::COLOR_BGR2RGB);
      EXPECT_EQ(cv::norm(read_image(in("a.jpg")), expected, cv::NORM_INF), 0);
    }
  }
}

TEST_F(HostileFiles, AFileThatIsTooLargeForAnImageIsNotRead) {
  make(layout("voc"));
  fs::resize_file(in("JPEGImages/one.jpg"), std::uintmax_t(1) << 40);  // sparse
  EXPECT_THAT(told("voc"), HasSubstr("JPEGImages/one.jpg: has more than 512 MiB"));
}

}  // namespace
}  // namespace smearscope::corpus
