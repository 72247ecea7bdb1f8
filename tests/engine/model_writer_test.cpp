#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <thread>

#include "model/tensor_values.h"
#include "model_files.h"
#include "smearscope/model.h"
#include "temporary_folder.h"
#include "tiny_model.h"

namespace smearscope {
namespace {

using ::testing::HasSubstr;

class ModelWriter : public ::testing::Test {
 protected:
  std::string refusal(const std::function<void()>& action) {
    try {
      action();
    } catch (const Error& error) {
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
      return error.what();
    }
    return {};
  }

  std::string write_refusal(const ModelInfo& info, const std::vector<TensorView>& tensors) {
    return refusal([&] { write_model(folder_.file("m"), info, tensors); });
  }

  std::set<std::string> files() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
      names.insert(entry.path().filename());
    return names;
  }

  testing::TemporaryFolder folder_;
};

TEST_F(ModelWriter, SameInputGivesTheSameBytes) {
  testing::write_random_model(folder_.file("a"), testing::tiny_model_info(), 3);
  testing::write_random_model(folder_.file("b"), testing::tiny_model_info(), 3);
  EXPECT_EQ(testing::read_bytes(folder_.file("a")), testing::read_bytes(folder_.file("b")));
  EXPECT_EQ(files(), (std::set<std::string>{"a", "b"}));
}

TEST_F(ModelWriter, TensorsBeginAtAMultipleOf64Bytes) {
  testing::write_random_model(folder_.file("a"), testing::tiny_model_info(), 3);
  const std::string bytes = testing::read_bytes(folder_.file("a"));
  EXPECT_EQ((bytes.size() - testing::Container::of(bytes).data.size()) % 64, 0U);
}

TEST_F(ModelWriter, RefusesTensorsThatTheArchitectureDoesNotCallFor) {
  const ModelInfo info = testing::tiny_model_info();
  testing::RandomTensors random(info, 1);
  std::vector<TensorView> tensors = random.views();
  tensors.pop_back();
  EXPECT_NE(write_refusal(info, tensors).find("bbox_pred.bias' is missing"), std::string::npos);
  tensors = random.views();
  tensors.push_back(tensors[0]);
  EXPECT_NE(write_refusal(info, tensors).find("comes twice"), std::string::npos);
  tensors = random.views();
  tensors[0].shape = {64, 147};
  EXPECT_NE(write_refusal(info, tensors).find("has shape [64, 147]"), std::string::npos);
  tensors = random.views();
  tensors[0].bytes -= 4;
  EXPECT_NE(write_refusal(info, tensors).find("conv1.weight': has 37628 bytes"), std::string::npos);
  tensors = random.views();
  tensors[0].dtype = DType::i8;
  EXPECT_NE(write_refusal(info, tensors).find("conv1.weight.scale', the scales of an I8 tensor, is missing"),
            std::string::npos);
  EXPECT_TRUE(files().empty());
}

TEST_F(ModelWriter, RefusesNan) {
  const ModelInfo info = testing::tiny_model_info();
  testing::RandomTensors random(info, 1);
  random.values("rpn.head.cls_logits.bias")[2] = std::nanf("");
  EXPECT_NE(write_refusal(info, random.views()).find("'rpn.head.cls_logits.bias': value 2 is NaN"),
            std::string::npos);
  EXPECT_TRUE(files().empty());
}

TEST_F(ModelWriter, RefusesBadInfo) {
  ModelInfo info = testing::tiny_model_info();
  const testing::RandomTensors random(info, 1);
  info.transform.std[0] = 0;
  EXPECT_NE(write_refusal(info, random.views()).find("transform.std"), std::string::npos);
  EXPECT_TRUE(files().empty());
}

// Runs `action` while no file may grow beyond `bytes`: what a full disk does, without one.
void with_file_size_limit(rlim_t bytes, const std::function<void()>& action) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit limited{bytes, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limited), 0);
  action();
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, old_handler);
}

TEST_F(ModelWriter, FullDiskLeavesTheOldFileAndNothingElse) {
  const ModelInfo info = testing::tiny_model_info();
  const testing::RandomTensors random(info, 1);
  testing::write_bytes(folder_.file("m"), "the old file");
  std::string message;
  with_file_size_limit(1000000, [&] { message = write_refusal(info, random.views()); });
  EXPECT_EQ(message, folder_.file("m") + ": cannot write: File too large");
  EXPECT_EQ(files(), (std::set<std::string>{"m"}));
  EXPECT_EQ(testing::read_bytes(folder_.file("m")), "the old file");
}

TEST_F(ModelWriter, AKilledWriterLeavesTheOldFileAndNothingElse) {
  const ModelInfo info = testing::tiny_model_info();
  const testing::RandomTensors random(info, 1);
  testing::write_bytes(folder_.file("m"), "the old file");
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit limited{1000000, RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &limited);
    std::signal(SIGXFSZ, SIG_DFL);  // kills it in the middle of the file
    write_model(folder_.file("m"), info, random.views());
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status)) << status;
  EXPECT_EQ(testing::read_bytes(folder_.file("m")), "the old file");
  if (files().size() > 1) GTEST_SKIP() << "this file system has no nameless files (O_TMPFILE)";
  EXPECT_EQ(files(), (std::set<std::string>{"m"}));
}

TEST_F(ModelWriter, MissingFolderIsRefused) {
  const ModelInfo info = testing::tiny_model_info();
  const testing::RandomTensors random(info, 1);
  const std::string path = folder_.file("none/m");
  EXPECT_NE(refusal([&] {
              write_model(path, info, random.views());
            }).find(path + ": cannot create a file in its folder"),
            std::string::npos);
}

// Renaming over a device or a pipe would destroy it.
TEST_F(ModelWriter, WhatIsNotARegularFileIsNotReplaced) {
  const ModelInfo info = testing::tiny_model_info();
  const testing::RandomTensors random(info, 1);
  ASSERT_EQ(::mkfifo(folder_.file("m").c_str(), 0600), 0);
  EXPECT_NE(write_refusal(info, random.views()).find("is not a regular file"), std::string::npos);
  EXPECT_TRUE(std::filesystem::is_fifo(folder_.file("m")));
  EXPECT_NE(refusal([&] { write_model(folder_.path(), info, random.views()); }).find("is a folder"),
            std::string::npos);
}

TEST_F(ModelWriter, LoadedModelCanBeWrittenOverItsOwnFile) {
  const std::string path = folder_.file("m");
  testing::write_random_model(path, testing::tiny_model_info(), 1);
  const auto model = Model::load(path);
  ModelInfo info = model->info();
  info.metrics["AP50"] = 0.5;
  write_model(path, info, model->tensors());
  EXPECT_EQ(Model::load(path)->info().metrics.at("AP50"), 0.5);
  EXPECT_EQ(files(), (std::set<std::string>{"m"}));
}

// Whoever is last wins, and the file is whole at every moment.
TEST_F(ModelWriter, ThreadsMayWriteTheSameFile) {
  const ModelInfo info = testing::tiny_model_info();
  const testing::RandomTensors random(info, 1);
  const std::string path = folder_.file("m");
  write_model(path, info, random.views());
  std::thread other([&] {
    for (int i = 0; i < 3; ++i) write_model(path, info, random.views());
  });
  for (int i = 0; i < 3; ++i) write_model(path, info, random.views());
  for (int i = 0; i < 3; ++i) EXPECT_NO_THROW(Model::load(path));
  other.join();
  EXPECT_EQ(files(), (std::set<std::string>{"m"}));
}

TEST_F(ModelWriter, MixedDtypesStayAligned) {
  const ModelInfo info = testing::tiny_model_info();
  const testing::RandomTensors random(info, 1);
  std::vector<TensorView> tensors = random.views();
  const std::vector<std::uint8_t> half = store_as(tensors[1], DType::f16);
  tensors[1].dtype = DType::f16;
  tensors[1].data = half.data();
  tensors[1].bytes = half.size();
  write_model(folder_.file("m"), info, tensors);
  const auto model = Model::load(folder_.file("m"));
  EXPECT_EQ(model->tensors().back().name, tensors[1].name);
  EXPECT_EQ(to_f32(model->tensors().back()), to_f32(tensors[1]));
}

TEST_F(ModelWriter, ConversionRoundsWeightsAndKeepsVectorsInF32) {
  testing::write_random_model(folder_.file("f32"), testing::tiny_model_info(), 1);
  const auto source = Model::load(folder_.file("f32"));
  for (const DType dtype : {DType::f16, DType::bf16}) {
    convert_model(folder_.file("f32"), folder_.file("converted"), dtype);
    const auto converted = Model::load(folder_.file("converted"));
    ASSERT_EQ(converted->tensors().size(), source->tensors().size());
    for (const TensorView& tensor : converted->tensors()) {
      std::vector<float> expected = to_f32(*source->find(tensor.name));
      if (tensor.shape.size() == 1) {
        EXPECT_EQ(tensor.dtype, DType::f32);
      } else {
        EXPECT_EQ(tensor.dtype, dtype);
        const std::vector<std::uint8_t> rounded = store_as(*source->find(tensor.name), dtype);
        expected = to_f32({"", dtype, {}, rounded.data(), rounded.size()});
      }
      ASSERT_EQ(to_f32(tensor), expected) << tensor.name;
    }
    EXPECT_EQ(converted->info().classes, source->info().classes);
  }
}

TEST_F(ModelWriter, ConversionToF32AndBackKeepsEveryBit) {
  testing::write_random_model(folder_.file("f32"), testing::tiny_model_info(), 1);
  convert_model(folder_.file("f32"), folder_.file("f16"), DType::f16);
  convert_model(folder_.file("f16"), folder_.file("wide"), DType::f32);
  convert_model(folder_.file("wide"), folder_.file("again"), DType::f16);
  EXPECT_EQ(testing::read_bytes(folder_.file("f16")), testing::read_bytes(folder_.file("again")));
}

TEST_F(ModelWriter, Int8IsWithinHalfAStepOfEachChannel) {
  testing::write_random_model(folder_.file("f32"), testing::tiny_model_info(), 1);
  convert_model(folder_.file("f32"), folder_.file("i8"), DType::i8);
  const auto source = Model::load(folder_.file("f32")), read = Model::load(folder_.file("i8"));
  ASSERT_EQ(read->tensors().size(), source->tensors().size());
  for (const TensorView& tensor : read->tensors()) {
    EXPECT_EQ(tensor.dtype, DType::f32);
    const std::vector<float> expected = to_f32(*source->find(tensor.name)), found = to_f32(tensor);
    ASSERT_EQ(found.size(), expected.size());
    if (tensor.shape.size() == 1) {
      EXPECT_EQ(found, expected) << tensor.name;
      continue;
    }
    const std::size_t each = expected.size() / static_cast<std::size_t>(tensor.shape[0]);
    float largest = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      if (i % each == 0) {
        largest = 0;
        for (std::size_t j = i; j < i + each; ++j) largest = std::max(largest, std::abs(expected[j]));
      }
      ASSERT_NEAR(found[i], expected[i], largest / 127 * 0.5001F) << tensor.name << ' ' << i;
    }
  }
  const auto bytes = [&](const char* name) { return testing::read_bytes(folder_.file(name)).size(); };
  EXPECT_LT(bytes("i8"), bytes("f32") * 3 / 10);
}

TEST_F(ModelWriter, Int8StaysAsItIsUntilItIsConverted) {
  testing::write_random_model(folder_.file("f32"), testing::tiny_model_info(), 1);
  convert_model(folder_.file("f32"), folder_.file("i8"), DType::i8);
  const auto model = Model::load(folder_.file("i8"));
  write_model(folder_.file("again"), model->info(), model->stored_tensors());
  EXPECT_EQ(testing::read_bytes(folder_.file("again")), testing::read_bytes(folder_.file("i8")));
  convert_model(folder_.file("i8"), folder_.file("wide"), DType::f32);
  const auto wide = Model::load(folder_.file("wide"));
  for (const TensorView& tensor : wide->tensors())
    EXPECT_EQ(to_f32(tensor), to_f32(*model->find(tensor.name))) << tensor.name;
}

TEST_F(ModelWriter, AChannelOfZerosIsZeroInInt8) {
  const ModelInfo info = testing::tiny_model_info();
  testing::RandomTensors random(info, 1);
  std::vector<float>& fc7 = random.values("roi_heads.box_head.fc7.weight");
  const std::size_t each = fc7.size() / static_cast<std::size_t>(info.architecture.head_width);
  std::fill_n(fc7.begin(), each, 0.F);
  write_model(folder_.file("m"), info, random.views());
  convert_model(folder_.file("m"), folder_.file("i8"), DType::i8);
  const auto model = Model::load(folder_.file("i8"));
  const std::vector<float> found = to_f32(*model->find("roi_heads.box_head.fc7.weight"));
  EXPECT_EQ(std::count(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(each), 0.F),
            static_cast<std::ptrdiff_t>(each));
}

TEST_F(ModelWriter, Int8NeedsTheScalesOfItsChannels) {
  testing::write_random_model(folder_.file("f32"), testing::tiny_model_info(), 1);
  convert_model(folder_.file("f32"), folder_.file("i8"), DType::i8);
  const auto model = Model::load(folder_.file("i8"));
  const auto with = [&](const std::function<void(std::vector<TensorView>&)>& change) {
    std::vector<TensorView> tensors = model->stored_tensors();
    change(tensors);
    return write_refusal(model->info(), tensors);
  };
  const auto find = [](std::vector<TensorView>& tensors, const std::string& name) {
    return std::find_if(tensors.begin(), tensors.end(),
                        [&](const TensorView& tensor) { return tensor.name == name; });
  };
  const std::string weight = "roi_heads.box_head.fc7.weight";
  EXPECT_THAT(with([&](auto& tensors) { tensors.erase(find(tensors, weight + ".scale")); }),
              HasSubstr("'roi_heads.box_head.fc7.weight.scale', the scales of an I8 tensor, is missing"));
  EXPECT_THAT(with([&](auto& tensors) { find(tensors, weight + ".scale")->shape = {1}; }),
              HasSubstr("must be F32 of shape ["));
  EXPECT_THAT(with([&](auto& tensors) { find(tensors, weight + ".scale")->name = "a.scale"; }),
              HasSubstr("'a.scale': belongs to no I8 tensor"));
  EXPECT_THAT(with([&](auto& tensors) { find(tensors, "roi_heads.box_head.fc7.bias")->dtype = DType::i8; }),
              HasSubstr("only convolutions and linear layers can be I8"));
}

TEST_F(ModelWriter, ConversionNamesTheTensorThatDoesNotFit) {
  const ModelInfo info = testing::tiny_model_info();
  testing::RandomTensors random(info, 1);
  random.values("roi_heads.box_head.fc7.weight")[3] = 1e6F;
  write_model(folder_.file("m"), info, random.views());
  const std::string message =
      refusal([&] { convert_model(folder_.file("m"), folder_.file("out"), DType::f16); });
  EXPECT_NE(message.find("'roi_heads.box_head.fc7.weight': value 3 (1000000.000000) is too large for F16"),
            std::string::npos)
      << message;
  EXPECT_EQ(files(), (std::set<std::string>{"m"}));
}

TEST(ExpectedTensors, CountsAreThoseOfTheNetworks) {
  Architecture architecture;
  const std::map<std::string, std::size_t> counts = {{"resnet18", 130}, {"resnet34", 210}, {"resnet50", 295}};
  for (const auto& [backbone, count] : counts) {
    architecture.backbone = backbone;
    EXPECT_EQ(expected_tensors(architecture, 3).size(), count) << backbone;
  }
  architecture.backbone = "resnet101";
  EXPECT_THROW(expected_tensors(architecture, 3), Error);
}

class FindModel : public ModelWriter {
 protected:
  void SetUp() override { ::setenv("SMEARSCOPE_MODEL_DIR", folder_.path().c_str(), 1); }
  void TearDown() override { ::unsetenv("SMEARSCOPE_MODEL_DIR"); }
};

TEST_F(FindModel, NamesAreLookedUpInTheModelFolder) {
  testing::write_bytes(folder_.file("cells.safetensors"), "x");
  EXPECT_EQ(find_model("cells"), folder_.file("cells.safetensors"));
  EXPECT_EQ(find_model("cells.safetensors"), folder_.file("cells.safetensors"));
  EXPECT_EQ(find_model(folder_.file("cells.safetensors")), folder_.file("cells.safetensors"));
  EXPECT_NE(refusal([] { find_model("other"); }).find("no model 'other' in " + folder_.path()),
            std::string::npos);
  EXPECT_NE(refusal([] { find_model(""); }).find("no model ''"), std::string::npos);
  EXPECT_NE(refusal([] { find_model("./none.safetensors"); }).find("no such model file"), std::string::npos);
}

}  // namespace
}  // namespace smearscope
