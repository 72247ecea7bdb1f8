#include "loop/regimen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "corpus_files.h"
#include "loop/schedule.h"
#include "temporary_folder.h"

namespace smearscope::training {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::TemporaryFolder;

class RegimenFile : public ::testing::Test {
 protected:
  Regimen read(const std::string& text, const std::vector<std::string>& overrides = {}) {
    testing::write_text(folder_.file("r.toml"), text);
    return read_regimen(folder_.file("r.toml"), overrides);
  }
  std::string error_of(const std::string& text, const std::vector<std::string>& overrides = {}) {
    try {
      read(text, overrides);
    } catch (const Error& problem) {
      EXPECT_EQ(std::string(problem.what()).find('\n'), std::string::npos) << problem.what();
      return problem.what();
    }
    return "no error";
  }
  TemporaryFolder folder_;
};

TEST_F(RegimenFile, ValuesAreReadAndTheRestHasDefaults) {
  const Regimen r = read(R"(
name = "n"
[network]
backbone = "resnet34"
anchor_sizes = [[8, 10], [16, 20], [32, 40], [64, 80], [128, 160]]
pixel_size_um = 0.1
[sampling]
roi_samples = 64
[training]
milestones = [0.5, 0.9]
min_sides = [128, 160]
[augmentation]
hue = 0.01
)");
  EXPECT_EQ(r.info.name, "n");
  EXPECT_EQ(r.info.architecture.backbone, "resnet34");
  EXPECT_EQ(r.info.architecture.anchor_sizes[4], (std::vector<float>{128, 160}));
  EXPECT_EQ(r.info.pixel_size_um, 0.1);
  EXPECT_EQ(r.settings.roi_samples, 64);
  EXPECT_EQ(r.settings.rpn_samples, TrainingSettings().rpn_samples);
  EXPECT_EQ(r.optimisation.milestones, (std::vector<double>{0.5, 0.9}));
  EXPECT_EQ(r.optimisation.min_sides, (std::vector<int>{128, 160}));
  EXPECT_EQ(r.augmentation.hue, 0.01);
}

TEST_F(RegimenFile, OverridesReplaceValuesAndAreInTheText) {
  const Regimen r =
      read("name = 'n'\n[training]\nepochs = 3\n",
           {"training.epochs=5", "network.backbone='resnet50'", "training.epochs = 7", "name='m'"});
  EXPECT_EQ(r.optimisation.epochs, 7);
  EXPECT_EQ(r.info.architecture.backbone, "resnet50");
  EXPECT_EQ(r.name, "m");
  EXPECT_THAT(r.text, AllOf(HasSubstr("epochs = 7"), HasSubstr("resnet50")));
  EXPECT_EQ(read(r.text).text, r.text) << "the text is a regimen again";
}

TEST_F(RegimenFile, EverySwitchCanBeTurnedOffByAnOverride) {
  const std::string file = "name = 'n'\n[augmentation]\nred_cell_sides = [20, 40]\ncopy_paste = 0.5\n";
  EXPECT_EQ(read(file).augmentation.red_cell_sides.size(), 2U);
  EXPECT_EQ(read(file).info.red_cell_sides, (std::array<double, 2>{20, 40}))
      << "what all images are brought to";
  EXPECT_FALSE(read(file, {"augmentation.red_cell_sides_share=0.5"}).info.red_cell_sides.has_value());
  const Regimen off = read(file, {"augmentation.red_cell_sides=[]", "augmentation.copy_paste=0.0"});
  EXPECT_TRUE(off.augmentation.red_cell_sides.empty());
  EXPECT_FALSE(off.info.red_cell_sides.has_value());
  EXPECT_EQ(off.augmentation.copy_paste, 0);
  EXPECT_TRUE(read(off.text).augmentation.red_cell_sides.empty());
}

TEST_F(RegimenFile, AutocastNamesAPrecisionAndTrueIsBf16) {
  const auto autocast = [this](const std::string& value) {
    return read("name = 'n'\n", {"training.autocast=" + value}).optimisation.autocast;
  };
  EXPECT_EQ(read("name = 'n'\n").optimisation.autocast, MixedPrecision::off);
  EXPECT_EQ(autocast("false"), MixedPrecision::off);
  EXPECT_EQ(autocast("'none'"), MixedPrecision::off);
  EXPECT_EQ(autocast("true"), MixedPrecision::bf16);
  EXPECT_EQ(autocast("'bf16'"), MixedPrecision::bf16);
  EXPECT_EQ(autocast("'f16'"), MixedPrecision::f16);
  EXPECT_THAT(error_of("name = 'n'\n", {"training.autocast='f32'"}),
              AllOf(HasSubstr("training.autocast"), HasSubstr("bf16, f16 or none")));
  EXPECT_THAT(error_of("name = 'n'\n", {"training.autocast=1"}), HasSubstr("training.autocast"));
}

TEST_F(RegimenFile, AnUnknownKeyIsAnErrorThatNamesIt) {
  EXPECT_THAT(error_of("name = 'n'\n[training]\nlearnig_rate = 0.1\n"),
              AllOf(HasSubstr("r.toml"), HasSubstr("\"training.learnig_rate\""), HasSubstr("learning_rate")));
  EXPECT_THAT(error_of("name = 'n'\n[trainig]\n"), HasSubstr("\"trainig\""));
  EXPECT_THAT(error_of("name = 'n'\n", {"training.lr=0.1"}), HasSubstr("\"training.lr\""));
}

TEST_F(RegimenFile, ABadValueIsAnErrorThatNamesItsKey) {
  const auto wrong = [this](const std::string& table, const std::string& line) {
    return error_of("name = 'n'\n[" + table + "]\n" + line + "\n");
  };
  EXPECT_THAT(wrong("training", "epochs = 0"), AllOf(HasSubstr("training.epochs"), HasSubstr("is 0")));
  EXPECT_THAT(wrong("training", "epochs = 2.5"), HasSubstr("whole number"));
  EXPECT_THAT(wrong("training", "epochs = 99999999999999"), HasSubstr("training.epochs"));
  EXPECT_THAT(wrong("training", "learning_rate = nan"), HasSubstr("training.learning_rate"));
  EXPECT_THAT(wrong("training", "learning_rate = '1'"), HasSubstr("must be a number"));
  EXPECT_THAT(wrong("training", "learning_rate = -1"), HasSubstr("is -1"));
  EXPECT_THAT(wrong("training", "schedule = 'linear'"), HasSubstr("'linear'"));
  EXPECT_THAT(wrong("training", "milestones = [0.9, 0.5]"), HasSubstr("must rise"));
  EXPECT_THAT(wrong("training", "min_sides = []"), HasSubstr("not empty"));
  EXPECT_THAT(wrong("network", "backbone = 'vgg16'"), HasSubstr("'vgg16'"));
  EXPECT_THAT(wrong("network", "anchor_sizes = [[8], [16]]"), HasSubstr("five lists"));
  EXPECT_THAT(wrong("network", "anchor_sizes = [[8], [16], [32], [64], [8, 9]]"), HasSubstr("as many sizes"));
  EXPECT_THAT(wrong("network", "mean = [0.5]"), HasSubstr("three numbers"));
  EXPECT_THAT(wrong("network", "std = [0.5, 0.5, 0]"), HasSubstr("network.std"));
  EXPECT_THAT(wrong("network", "min_side = 500\nmax_side = 400"), HasSubstr("below min_side"));
  EXPECT_THAT(wrong("augmentation", "transpose = 1"), HasSubstr("true or false"));
  EXPECT_THAT(wrong("sampling", "rpn_negative_iou = 0.9"), HasSubstr("rpn_positive_iou"));
  EXPECT_THAT(error_of("name = 'n'\ntraining = 3\n"), HasSubstr("must be a table"));
  EXPECT_THAT(error_of("[training]\n"), HasSubstr("\"name\" is missing"));
}

TEST_F(RegimenFile, WhatIsNotTomlIsAnErrorWithItsLine) {
  EXPECT_THAT(error_of("name = 'n'\n[training\n"), AllOf(HasSubstr("r.toml"), HasSubstr("line 2")));
  EXPECT_THROW(read_regimen(folder_.file("missing.toml")), Error);
  EXPECT_THROW(read_regimen(folder_.path()), Error);
  EXPECT_THAT(error_of("name = 'n'\n", {"nonsense"}), HasSubstr("--set nonsense"));
  EXPECT_THAT(error_of("name = 'n'\n", {"training.epochs="}), HasSubstr("--set training.epochs="));
  EXPECT_THAT(error_of("name = 'n'\n", {"name.x=1"}), HasSubstr("not a table"));
}

// A key of many levels is taken apart by recursion.
TEST_F(RegimenFile, KeysOfManyLevelsAreRefused) {
  std::string levels = "a";
  for (int i = 0; i < 60000; ++i) levels += ".a";
  EXPECT_THAT(error_of("name = 'n'\n[" + levels + "]\n"), HasSubstr("line 2: has more than 100 dots"));
  EXPECT_THAT(error_of("name = 'n'\n", {levels + "=1"}), HasSubstr("has more than 100 dots"));
}

TEST_F(RegimenFile, TheShippedRegimensAreValid) {
  const char* root = std::getenv("SMEARSCOPE_SOURCE_ROOT");
  ASSERT_NE(root, nullptr);
  int count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(root) / "training" / "regimens")) {
    EXPECT_NO_THROW(read_regimen(entry.path())) << entry.path();
    ++count;
  }
  EXPECT_GE(count, 1);
}

TEST(LearningRate, WarmsUpLinearlyFromAThousandth) {
  Optimisation o;
  o.learning_rate = 2;
  o.warmup_steps = 100;
  EXPECT_NEAR(learning_rate_at(o, 0, 1000, 10), 0.002, 1e-12);
  EXPECT_NEAR(learning_rate_at(o, 50, 1000, 10), 1.001, 1e-12);
  EXPECT_EQ(learning_rate_at(o, 100, 1000, 10), 2);
}

TEST(LearningRate, DropsAtMilestonesAndAfterEveryStepEpochs) {
  Optimisation o;
  o.learning_rate = 1;
  o.gamma = 0.5;
  o.milestones = {0.6, 0.8};
  EXPECT_EQ(learning_rate_at(o, 599, 1000, 100), 1);
  EXPECT_EQ(learning_rate_at(o, 600, 1000, 100), 0.5);
  EXPECT_EQ(learning_rate_at(o, 999, 1000, 100), 0.25);
  o.milestones.clear();
  o.step_epochs = 3;
  EXPECT_EQ(learning_rate_at(o, 299, 1000, 100), 1);
  EXPECT_EQ(learning_rate_at(o, 300, 1000, 100), 0.5);
  EXPECT_EQ(learning_rate_at(o, 999, 1000, 100), 0.125);
}

TEST(LearningRate, CosineFallsFromAllToNothing) {
  Optimisation o;
  o.learning_rate = 1;
  o.schedule = Schedule::cosine;
  EXPECT_EQ(learning_rate_at(o, 0, 1000, 10), 1);
  EXPECT_NEAR(learning_rate_at(o, 500, 1000, 10), 0.5, 1e-12);
  EXPECT_LT(learning_rate_at(o, 999, 1000, 10), 1e-5);
}

}  // namespace
}  // namespace smearscope::training
