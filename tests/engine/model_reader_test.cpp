// Every damaged, foreign or impossible file gets one line that says what is wrong, and nothing else happens.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "model/safetensors.h"
#include "model_files.h"
#include "smearscope/model.h"
#include "temporary_folder.h"
#include "tiny_model.h"

namespace smearscope {
namespace {

using testing::Container;

class ModelReader : public ::testing::Test {
 protected:
  // One good file for all tests of the suite.
  static void SetUpTestSuite() {
    const testing::TemporaryFolder folder;
    testing::write_random_model(folder.file("good"), testing::tiny_model_info(), 1);
    good_ = new std::string(testing::read_bytes(folder.file("good")));
  }
  static void TearDownTestSuite() { delete good_; }

  static const std::string& good() { return *good_; }
  static Container good_container() { return Container::of(good()); }

  // The message with which a file of these bytes is refused, empty if it is accepted.
  std::string refusal(const std::string& bytes) {
    testing::write_bytes(folder_.file("m.safetensors"), bytes);
    return refusal_of_path(folder_.file("m.safetensors"));
  }

  static std::string refusal_of_path(const std::string& path) {
    try {
      Model::load(path);
    } catch (const Error& error) {
      const std::string message = error.what();
      EXPECT_EQ(message.rfind(path + ": ", 0), 0U) << "the message does not begin with the file: " << message;
      EXPECT_EQ(message.find('\n'), std::string::npos) << message;
      return message;
    }
    return {};
  }

  void expect_refusal(const std::string& bytes, const std::string& part) {
    const std::string message = refusal(bytes);
    EXPECT_NE(message.find(part), std::string::npos) << "message: " << message;
  }

  void expect_refusal(const Container& container, const std::string& part) {
    expect_refusal(container.file(), part);
  }

  testing::TemporaryFolder folder_;

 private:
  static std::string* good_;
};

std::string* ModelReader::good_ = nullptr;

const char* const first_tensor =
    R"("backbone.body.conv1.weight":{"dtype":"F32","shape":[64,3,7,7],"data_offsets":[0,37632]})";
const char* const second_tensor =
    R"("backbone.body.bn1.weight":{"dtype":"F32","shape":[64],"data_offsets":[37632,37888]})";

TEST_F(ModelReader, GoodFileIsRead) {
  testing::write_bytes(folder_.file("m"), good());
  const auto model = Model::load(folder_.file("m"));
  EXPECT_EQ(model->info().name, "tiny");
  EXPECT_EQ(model->path(), folder_.file("m"));
  ASSERT_NE(model->find("rpn.head.conv.0.0.weight"), nullptr);
  EXPECT_EQ(model->find("rpn.head.conv.0.0.weight")->shape, (std::vector<std::int64_t>{16, 16, 3, 3}));
  EXPECT_EQ(model->find("rpn.head"), nullptr);
  EXPECT_EQ(model->tensors().size(), expected_tensors(model->info().architecture, 3).size());
}

TEST_F(ModelReader, TensorsHoldWhatWasWritten) {
  testing::write_bytes(folder_.file("m"), good());
  const auto model = Model::load(folder_.file("m"));
  const testing::RandomTensors written(testing::tiny_model_info(), 1);
  for (const TensorView& tensor : written.views()) {
    const TensorView* read = model->find(tensor.name);
    ASSERT_NE(read, nullptr) << tensor.name;
    ASSERT_EQ(read->shape, tensor.shape);
    ASSERT_EQ(read->bytes, tensor.bytes);
    ASSERT_EQ(std::memcmp(read->data, tensor.data, tensor.bytes), 0) << tensor.name;
  }
}

// The same string that sha256sum prints, whatever was asked of the model before.
TEST_F(ModelReader, DigestIsTheFilesSha256) {
  const std::string path = folder_.file("m");
  testing::write_bytes(path, good());
  FILE* pipe = ::popen(("sha256sum " + path).c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  char digest[65] = {};
  EXPECT_EQ(std::fread(digest, 1, 64, pipe), 64U);
  ::pclose(pipe);
  EXPECT_EQ(Model::load(path)->digest(), digest);
}

TEST_F(ModelReader, LoadedModelOutlivesItsFile) {
  const std::string path = folder_.file("m");
  testing::write_bytes(path, good());
  const auto model = Model::load(path);
  const float before = to_f32(*model->find("backbone.body.conv1.weight"))[0];
  testing::write_bytes(path, "overwritten in place");  // would kill a program that had mapped the file
  EXPECT_EQ(to_f32(*model->find("backbone.body.conv1.weight"))[0], before);
}

TEST_F(ModelReader, MissingFileIsRefused) {
  EXPECT_NE(refusal_of_path(folder_.file("none")).find("cannot open: No such file"), std::string::npos);
}

TEST_F(ModelReader, WhatIsNotARegularFileIsRefused) {
  EXPECT_NE(refusal_of_path(folder_.path()).find("is a folder"), std::string::npos);
  EXPECT_NE(refusal_of_path("/dev/zero").find("not a regular file"), std::string::npos);
  ASSERT_EQ(::mkfifo(folder_.file("pipe").c_str(), 0600), 0);
  EXPECT_NE(refusal_of_path(folder_.file("pipe")).find("not a regular file"), std::string::npos);
}

TEST_F(ModelReader, EmptyAndVeryShortFilesAreRefused) {
  expect_refusal("", "has 0 bytes");
  expect_refusal("1234567", "has 7 bytes");
  expect_refusal(std::string(8, '\0'), "does not begin with '{'");
}

TEST_F(ModelReader, TruncatedFileIsRefusedWhereverItEnds) {
  const std::size_t header_end = good().size() - good_container().data.size();
  for (const std::size_t size : {std::size_t{8}, std::size_t{9}, std::size_t{500}, header_end - 1, header_end,
                                 header_end + 1, good().size() / 2, good().size() - 1}) {
    expect_refusal(good().substr(0, size), "cut short");
  }
}

TEST_F(ModelReader, BytesAfterTheLastTensorAreRefused) {
  expect_refusal(good() + "x", "something was added");
}

TEST_F(ModelReader, HugeHeaderIsRefusedBeforeMemoryIsTaken) {
  std::string file = good();
  for (std::size_t i = 0; i < 8; ++i) file[i] = '\xFF';
  expect_refusal(file, "its header claims 18446744073709551615 bytes");
  file[0] = 1, file[1] = 0, file[2] = 16, file[3] = file[4] = file[5] = file[6] = file[7] = 0;
  expect_refusal(file, "its header claims 1048577 bytes, but may have 1048576");
}

// A sparse file of a terabyte whose header is right for it but for no model.
TEST_F(ModelReader, HugeFileIsRefusedBeforeMemoryIsTaken) {
  const std::string path = folder_.file("huge");
  Container container = good_container().without_checksum();
  container.data.clear();
  testing::write_bytes(path, container.file());
  ASSERT_EQ(::truncate(path.c_str(), 1LL << 40U), 0);
  EXPECT_NE(refusal_of_path(path).find("something was added"), std::string::npos);
}

TEST_F(ModelReader, OtherFormatsAreNamed) {
  expect_refusal("PK\x03\x04" + std::string(100, 'x'), "zip archive");
  expect_refusal("\x89PNG\r\n\x1a\n" + std::string(100, 'x'), "not a model file");
  expect_refusal(Container{R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", "1234"},
                 "not a Smearscope model");
}

// Each single-bit flip in the header, and some in the tensors: the structure or the checksum tells.
TEST_F(ModelReader, EveryFlippedBitIsNoticed) {
  const std::string path = folder_.file("m");
  testing::write_bytes(path, good());
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  const auto flipped_is_refused = [&](std::size_t at, int bit) {
    const auto put = [&](char byte) { file.seekp(static_cast<std::streamoff>(at)).put(byte).flush(); };
    put(static_cast<char>(good()[at] ^ (1 << bit)));
    const bool refused = !refusal_of_path(path).empty();
    put(good()[at]);
    return refused;
  };
  const std::size_t header_end = good().size() - good_container().data.size();
  // Most flips in the header are refused before the tensors are read; the step keeps the others to a few
  // seconds.
  for (std::size_t at = 0; at < header_end; at += 11) {
    for (int bit = 0; bit < 8; bit += 3) {
      ASSERT_TRUE(flipped_is_refused(at, (bit + static_cast<int>(at)) % 8)) << "byte " << at;
    }
  }
  for (std::size_t at = header_end; at < good().size(); at += good().size() / 20) {
    ASSERT_TRUE(flipped_is_refused(at, static_cast<int>(at % 8))) << "byte " << at;
  }
}

TEST_F(ModelReader, WrongChecksumIsRefused) {
  Container container = good_container();
  container.data[container.data.size() / 2] ^= 1;
  expect_refusal(container, "the checksum is");
}

TEST_F(ModelReader, FilesWithoutChecksumAreRead) {
  EXPECT_EQ(refusal(good_container().without_checksum().file()), "");
}

TEST_F(ModelReader, WrongShapeNamesTheTensor) {
  expect_refusal(good_container().edit("[64,3,7,7]", "[64,7,3,7]"),
                 "tensor 'backbone.body.conv1.weight': has shape [64, 7, 3, 7], but the architecture needs "
                 "[64, 3, 7, 7]");
  expect_refusal(good_container().edit("[64,3,7,7]", "[64,3,7,6]"),
                 "has 37632 bytes, but F32 [64, 3, 7, 6] takes 32256");
}

TEST_F(ModelReader, ShapeThatOverflowsIsRefused) {
  for (const char* shape : {"[4294967296,4294967296]", "[9007199254740992,9007199254740992]", "[64,3,7,-7]",
                            "[64,3,7,7.5]", "[18446744073709551616]", "[\"64\"]", "64"}) {
    expect_refusal(good_container().edit("[64,3,7,7]", shape), "tensor 'backbone.body.conv1.weight': ");
  }
}

TEST_F(ModelReader, OverlapAndGapNameTheTensor) {
  expect_refusal(good_container().edit("[37632,37888]", "[37628,37884]"),
                 "tensor 'backbone.body.bn1.weight': begins at byte 37628, inside the tensor before it");
  expect_refusal(good_container().edit("[37632,37888]", "[37636,37892]"), "leaves a gap after byte 37632");
  expect_refusal(good_container().edit("[37632,37888]", "[37888,37632]"), "ends before it begins");
  expect_refusal(good_container().edit("[37632,37888]", "[37632,9007199254740992]"),
                 "'backbone.body.bn1.weight'");
  expect_refusal(good_container().edit("[37632,37888]", "[37632]"), "data_offsets must be two numbers");
}

TEST_F(ModelReader, MisalignedTensorIsRefused) {
  Container container{R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},)"
                      R"("b":{"dtype":"F32","shape":[1],"data_offsets":[3,7]}})",
                      "1234567"};
  expect_refusal(container, "tensor 'b': begins at byte 3, which is not a multiple of its element size");
}

TEST_F(ModelReader, DuplicateNamesAreRefused) {
  expect_refusal(good_container().edit(second_tensor, first_tensor),
                 "key 'backbone.body.conv1.weight' twice");
}

TEST_F(ModelReader, UnknownAndMissingTensorsAreNamed) {
  expect_refusal(good_container().edit("backbone.body.bn1.weight", "backbone.body.bn9.weight"),
                 "tensor 'backbone.body.bn9.weight': has no place in this architecture (resnet18)");
  expect_refusal(
      good_container().edit("{\"dtype\":\"F32\",\"shape\":[64],", "{\"dtype\":\"F64\",\"shape\":[32],"),
      "'backbone.body.bn1.weight': has shape [32]");
  expect_refusal(good_container().edit("\"dtype\":\"F32\"", "\"dtype\":\"F33\""), "unknown dtype 'F33'");
  Container container = good_container();
  const std::size_t last = container.header.rfind(",\"roi_heads");
  container.header.erase(last, container.header.rfind('}') - last);
  expect_refusal(container, "tensor 'roi_heads.box_predictor.bbox_pred.bias' is missing");
}

TEST_F(ModelReader, WeightsMustBeFloats) {
  expect_refusal(good_container().edit("\"dtype\":\"F32\"", "\"dtype\":\"I32\""),
                 "has dtype I32, but weights must be F32, F16, BF16 or I8");
}

TEST_F(ModelReader, NanAndInfinityNameTensorAndValue) {
  Container container = good_container().without_checksum();
  const std::uint32_t nan = 0x7FC00000U, infinity = 0xFF800000U;
  std::memcpy(&container.data[37632 + 4 * 5], &infinity, 4);
  expect_refusal(container, "tensor 'backbone.body.bn1.weight': value 5 is infinite");
  std::memcpy(&container.data[4 * 17], &nan, 4);
  expect_refusal(container, "tensor 'backbone.body.conv1.weight': value 17 is NaN");
}

TEST_F(ModelReader, VarianceThatCannotBeDividedByIsRefused) {
  Container container = good_container().without_checksum();
  const float negative = -0.000001F;  // positive once eps is added, and still no variance
  std::memcpy(&container.data[37632 + 3 * 256], &negative,
              4);  // after conv1.weight, bn1.weight, .bias, .running_mean
  expect_refusal(container, "tensor 'backbone.body.bn1.running_var': value 0 is -0.000001");
}

TEST_F(ModelReader, HeaderWithBadUtf8IsRefused) {
  expect_refusal(good_container().edit("backbone.body.bn1", "backbone.body.bn\xFF"), "not valid UTF-8");
}

TEST_F(ModelReader, DeepHeaderIsRefused) {
  expect_refusal(Container{R"({"a":)" + std::string(900000, '['), ""}, "nested deeper");
  const std::string document = R"({\"version\":)" + std::string(100000, '[');
  expect_refusal(Container{R"({"__metadata__":{"smearscope":")" + document + "\"}}", ""}, "nested deeper");
}

TEST_F(ModelReader, MetadataMustBeStringsWithKnownKeys) {
  expect_refusal(good_container().edit("\"format\":\"pt\"", "\"format\":1"), "must be a string");
  expect_refusal(good_container().edit("\"format\":\"pt\"", "\"author\":\"me\""), "unknown entry 'author'");
  expect_refusal(Container{R"({"__metadata__":[]})", ""}, "__metadata__ must be an object");
}

TEST_F(ModelReader, UnknownDocumentVersionIsRefused) {
  expect_refusal(good_container().edit(R"(\"version\":1)", R"(\"version\":7)"), "document: version 7");
}

// A message shows foreign text on one line and without control characters.
TEST_F(ModelReader, MessagesEscapeForeignText) {
  const std::string message =
      refusal(good_container().edit("backbone.body.bn1.weight", R"(a\u001b[2J\nb)").file());
  EXPECT_NE(message.find(R"(tensor 'a\x1b[2J\x0ab')"), std::string::npos) << message;
}

TEST_F(ModelReader, BatchCountersOfPyTorchAreIgnored) {
  ModelInfo info = testing::tiny_model_info();
  info.architecture.anchor_ratios = {0.5F, 1.0F};  // an even number of values, so that an I64 may follow
  testing::write_random_model(folder_.file("m"), info, 1);
  Container container = Container::of(testing::read_bytes(folder_.file("m"))).without_checksum();
  const std::string data_end = std::to_string(container.data.size());
  const std::string counter_end = std::to_string(container.data.size() + 8);
  ASSERT_EQ(container.data.size() % 8, 0U);
  container.data.append(8, '\0');
  container.header.insert(container.header.rfind('}'),
                          R"(,"backbone.body.bn1.num_batches_tracked":{"dtype":"I64","shape":[],)"
                          "\"data_offsets\":[" +
                              data_end + "," + counter_end + "]}");
  testing::write_bytes(folder_.file("m"), container.file());
  const auto model = Model::load(folder_.file("m"));
  EXPECT_EQ(model->find("backbone.body.bn1.num_batches_tracked"), nullptr);
  EXPECT_EQ(model->tensors().size(), expected_tensors(model->info().architecture, 3).size());
}

}  // namespace
}  // namespace smearscope
