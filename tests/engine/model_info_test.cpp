#include "model/model_info.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tiny_model.h"

namespace smearscope {
namespace {

ModelInfo full_info() {
  ModelInfo info = testing::tiny_model_info();
  info.classes = {"wbc", "rbc", "globule \u00e0 c\u00f4t\u00e9"};
  info.parents = {-1, -1, 0};
  info.weak_classes = {"rbc", "globule \u00e0 c\u00f4t\u00e9"};
  info.architecture.anchor_ratios = {0.7F, 1.0F, 1.4F};
  info.transform.adjustment = {1.2, -0.05, 0.7, 1.5};
  info.pixel_size_um = 0.1;
  info.regimen = "name = \"plain\"\nrate = 0.02\n";
  info.red_cell_sides = {37, 106.5};
  info.activation_ranges = {{"backbone.body.conv1", 2.5}, {"roi_heads.box_roi_pool", 0.125}};
  info.corpus_digest = std::string(64, 'a');
  info.metrics = {{"txl-pbc/val/AP50", 0.96123456789}, {"loss", -1e-9}};
  info.licence = "CC BY 4.0 \u00b7 Acevedo et al.";
  info.created_by = "a test";
  return info;
}

// The message with which `document` is refused, empty if it is accepted.
std::string refusal(const std::string& document) {
  try {
    parse_model_info(document);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

std::string refusal(const ModelInfo& info) {
  try {
    check_model_info(info);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

// The full document with `from` replaced by `to`.
std::string edited(const std::string& from, const std::string& to) {
  std::string document = write_model_info(full_info());
  const std::size_t at = document.find(from);
  if (at == std::string::npos) throw std::logic_error("the document has no " + from);
  return document.replace(at, from.size(), to);
}

TEST(ModelInfo, SurvivesWritingAndReading) {
  const ModelInfo info = full_info();
  const ModelInfo read = parse_model_info(write_model_info(info));
  EXPECT_EQ(read.name, info.name);
  EXPECT_EQ(read.architecture.backbone, info.architecture.backbone);
  EXPECT_EQ(read.architecture.fpn_channels, info.architecture.fpn_channels);
  EXPECT_EQ(read.architecture.head_width, info.architecture.head_width);
  EXPECT_EQ(read.architecture.batch_norm_eps, info.architecture.batch_norm_eps);
  EXPECT_EQ(read.architecture.anchor_sizes, info.architecture.anchor_sizes);
  EXPECT_EQ(read.architecture.anchor_ratios, info.architecture.anchor_ratios);
  EXPECT_EQ(read.architecture.rpn_pre_nms_top_n, info.architecture.rpn_pre_nms_top_n);
  EXPECT_EQ(read.architecture.rpn_post_nms_top_n, info.architecture.rpn_post_nms_top_n);
  EXPECT_EQ(read.architecture.rpn_nms_threshold, info.architecture.rpn_nms_threshold);
  EXPECT_EQ(read.classes, info.classes);
  EXPECT_EQ(read.parents, info.parents);
  EXPECT_EQ(read.transform.min_side, info.transform.min_side);
  EXPECT_EQ(read.transform.max_side, info.transform.max_side);
  EXPECT_EQ(read.transform.mean, info.transform.mean);
  EXPECT_EQ(read.transform.std, info.transform.std);
  EXPECT_EQ(read.transform.adjustment.contrast, info.transform.adjustment.contrast);
  EXPECT_EQ(read.transform.adjustment.brightness, info.transform.adjustment.brightness);
  EXPECT_EQ(read.transform.adjustment.unsharp_amount, info.transform.adjustment.unsharp_amount);
  EXPECT_EQ(read.transform.adjustment.unsharp_sigma, info.transform.adjustment.unsharp_sigma);
  EXPECT_EQ(read.pixel_size_um, info.pixel_size_um);
  EXPECT_EQ(read.thresholds.score, info.thresholds.score);
  EXPECT_EQ(read.thresholds.nms, info.thresholds.nms);
  EXPECT_EQ(read.thresholds.max_detections, info.thresholds.max_detections);
  EXPECT_EQ(read.regimen, info.regimen);
  EXPECT_EQ(read.red_cell_sides, info.red_cell_sides);
  EXPECT_EQ(read.weak_classes, info.weak_classes);
  EXPECT_FALSE(is_weak(read, 0));
  EXPECT_TRUE(is_weak(read, 1));
  EXPECT_EQ(read.activation_ranges, info.activation_ranges);
  EXPECT_EQ(read.corpus_digest, info.corpus_digest);
  EXPECT_EQ(read.metrics, info.metrics);
  EXPECT_EQ(read.licence, info.licence);
  EXPECT_EQ(read.created_by, info.created_by);
}

// What a hostile file calls a number can't write lines or colours of its own to a terminal.
TEST(ModelInfo, NamesOfNumbersAreQuotedInMessages) {
  std::string document = write_model_info(full_info());
  const std::string name = "\"txl-pbc/val/AP50\":";
  const std::size_t at = document.find(name);
  ASSERT_NE(at, std::string::npos);
  document.replace(at, name.size(), "\"a\\nb\\u001b[31m\":\"x\", \"c\":");
  try {
    parse_model_info(document);
    FAIL() << "a text as a metric was taken";
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find("must be a number"), std::string::npos) << message;
    for (const char c : message) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << message;
  }
}

TEST(ModelInfo, DescriptiveFieldsMayBeLeftOut) {
  const ModelInfo info = testing::tiny_model_info();
  const ModelInfo read = parse_model_info(write_model_info(info));
  EXPECT_FALSE(read.pixel_size_um.has_value());
  EXPECT_TRUE(read.licence.empty());
}

TEST(ModelInfo, ParentsAreClassesAndNotInCircles) {
  const std::string good = "\"parents\":{\"globule \u00e0 c\u00f4t\u00e9\":\"wbc\"}";
  EXPECT_EQ(refusal(edited(good, "\"parents\":{}")), "");
  for (const char* bad : {"{\"wbc\":\"wbcs\"}", "{\"wbcs\":\"wbc\"}", "{\"wbc\":\"\"}", "{\"wbc\":0}", "[0]"})
    EXPECT_NE(refusal(edited(good, "\"parents\":" + std::string(bad))).find("parents"), std::string::npos)
        << bad;
  EXPECT_EQ(refusal(edited(good, "\"parents\":{\"\\u001b[31m\":0}")).find('\033'), std::string::npos);
  for (const char* circle : {"{\"wbc\":\"wbc\"}", "{\"wbc\":\"rbc\",\"rbc\":\"wbc\"}"}) {
    EXPECT_NE(refusal(edited(good, "\"parents\":" + std::string(circle))).find("itself among its parents"),
              std::string::npos);
  }
  for (const std::vector<int>& bad : {std::vector<int>{-1, -1}, {-1, -1, 3}, {-1, -2, -1}, {1, 2, 0}}) {
    ModelInfo info = full_info();
    info.parents = bad;
    EXPECT_NE(refusal(info).find("parents"), std::string::npos);
  }
}

TEST(ModelInfo, AKindIsOneOfWhateverDepthButNotOfItself) {
  ModelInfo info;
  info.classes = {"segmented", "wbc", "rbc", "neutrophil"};
  EXPECT_FALSE(is_kind_of(info, 0, 1)) << "no parents at all";
  info.parents = {3, -1, -1, 1};
  EXPECT_TRUE(is_kind_of(info, 0, 3) && is_kind_of(info, 0, 1) && is_kind_of(info, 3, 1));
  EXPECT_FALSE(is_kind_of(info, 0, 0) || is_kind_of(info, 1, 0) || is_kind_of(info, 0, 2));
}

TEST(ModelInfo, UnknownVersionIsRefused) {
  EXPECT_NE(refusal(edited("\"version\":1", "\"version\":2")).find("version 2"), std::string::npos);
  EXPECT_NE(refusal(edited("\"version\":1,", "")).find("version is missing"), std::string::npos);
  EXPECT_NE(refusal(edited("\"version\":1", "\"version\":1.5")).find("whole number"), std::string::npos);
}

TEST(ModelInfo, UnknownFieldIsRefused) {
  EXPECT_NE(refusal(edited("\"head_width\"", "\"colour\":1,\"head_width\"")).find("'architecture.colour'"),
            std::string::npos);
  EXPECT_NE(refusal(edited("\"metrics\"", "\"metrix\"")).find("'metrix'"), std::string::npos);
}

TEST(ModelInfo, EveryFieldThatChangesResultsIsRequired) {
  for (const char* field : {"architecture",       "backbone",          "fpn_channels",  "head_width",
                            "batch_norm_eps",     "anchor_sizes",      "anchor_ratios", "rpn_pre_nms_top_n",
                            "rpn_post_nms_top_n", "rpn_nms_threshold", "classes",       "transform",
                            "min_side",           "max_side",          "mean",          "std",
                            "adjustment",         "contrast",          "brightness",    "unsharp_amount",
                            "unsharp_sigma",      "thresholds",        "score",         "nms",
                            "max_detections"}) {
    const std::string key = std::string("\"") + field + "\"";
    EXPECT_NE(refusal(edited(key, "\"x\"")).find(std::string(field) + " is missing"), std::string::npos)
        << field;
  }
}

TEST(ModelInfo, WrongTypesAreRefused) {
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{{"\"resnet18\"", "18"},
                                                        {"\"fpn_channels\":16", "\"fpn_channels\":\"16\""},
                                                        {"\"fpn_channels\":16", "\"fpn_channels\":16.5"},
                                                        {"\"fpn_channels\":16", "\"fpn_channels\":1e300"},
                                                        {"\"mean\":[", "\"mean\":[1,"},
                                                        {"[\"wbc\",", "[1,"},
                                                        {"\"adjustment\":{", "\"adjustment\":[],\"x\":{"},
                                                        {"[[8],", "[8,"},
                                                        {"[[8],", "["},
                                                        {"\"loss\":", "\"loss\":null,\"x\":"},
                                                        {"\"metrics\":{", "\"metrics\":[],\"x\":{"}}) {
    EXPECT_NE(refusal(edited(from, to)), "") << from << " -> " << to;
  }
  EXPECT_NE(refusal("[]"), "");
  EXPECT_NE(refusal("7"), "");
}

using Change = std::function<void(ModelInfo&)>;

TEST(ModelInfo, ValuesOutOfRangeAreRefusedByName) {
  const double nan = std::nan("");
  const std::vector<std::pair<std::string, Change>> changes = {
      {"backbone", [](ModelInfo& i) { i.architecture.backbone = "vgg16"; }},
      {"fpn_channels", [](ModelInfo& i) { i.architecture.fpn_channels = 0; }},
      {"fpn_channels", [](ModelInfo& i) { i.architecture.fpn_channels = 1 << 20; }},
      {"head_width", [](ModelInfo& i) { i.architecture.head_width = -1; }},
      {"batch_norm_eps", [=](ModelInfo& i) { i.architecture.batch_norm_eps = nan; }},
      {"anchor_sizes", [](ModelInfo& i) { i.architecture.anchor_sizes[2] = {0}; }},
      {"anchor_sizes",
       [](ModelInfo& i) {
         i.architecture.anchor_sizes[2] = {8, 16};
       }},
      {"anchor_sizes", [](ModelInfo& i) { i.architecture.anchor_sizes = {}; }},
      {"anchor_ratios", [](ModelInfo& i) { i.architecture.anchor_ratios = {}; }},
      {"anchor_ratios", [=](ModelInfo& i) { i.architecture.anchor_ratios = {static_cast<float>(nan)}; }},
      {"anchor_ratios", [](ModelInfo& i) { i.architecture.anchor_ratios.assign(9, 1.0F); }},
      {"anchors per place",
       [](ModelInfo& i) {
         for (auto& sizes : i.architecture.anchor_sizes) sizes.assign(4, 32.0F);
         i.architecture.anchor_ratios.assign(5, 1.0F);
       }},
      {"rpn_pre_nms_top_n", [](ModelInfo& i) { i.architecture.rpn_pre_nms_top_n = 0; }},
      {"rpn_post_nms_top_n", [](ModelInfo& i) { i.architecture.rpn_post_nms_top_n = 1000000; }},
      {"rpn_nms_threshold", [](ModelInfo& i) { i.architecture.rpn_nms_threshold = 1.1; }},
      {"classes", [](ModelInfo& i) { i.classes = {}; }},
      {"classes",
       [](ModelInfo& i) {
         i.classes = {"a", ""};
       }},
      {"classes: 'a' comes twice",
       [](ModelInfo& i) {
         i.classes = {"a", "b", "a"};
       }},
      {"classes is not valid UTF-8", [](ModelInfo& i) { i.classes = {"a\xFF"}; }},
      {"classes holds a control character", [](ModelInfo& i) { i.classes = {"a\x1B[2J"}; }},
      {"classes holds a control character", [](ModelInfo& i) { i.classes = {"a\nb"}; }},
      {"classes has 65 bytes", [](ModelInfo& i) { i.classes = {std::string(65, 'a')}; }},
      {"number of classes",
       [](ModelInfo& i) {
         i.classes.clear();
         for (int n = 0; n < 257; ++n) i.classes.push_back(std::to_string(n));
       }},
      {"min_side", [](ModelInfo& i) { i.transform.min_side = 0; }},
      {"max_side", [](ModelInfo& i) { i.transform.max_side = i.transform.min_side - 1; }},
      {"max_side", [](ModelInfo& i) { i.transform.max_side = 1000000; }},
      {"mean", [=](ModelInfo& i) { i.transform.mean[1] = nan; }},
      {"std", [](ModelInfo& i) { i.transform.std[2] = 0; }},
      {"std", [](ModelInfo& i) { i.transform.std[0] = -0.2; }},
      {"contrast", [](ModelInfo& i) { i.transform.adjustment.contrast = -1; }},
      {"brightness", [](ModelInfo& i) { i.transform.adjustment.brightness = 2; }},
      {"unsharp_amount", [](ModelInfo& i) { i.transform.adjustment.unsharp_amount = 1e9; }},
      {"unsharp_sigma", [](ModelInfo& i) { i.transform.adjustment.unsharp_sigma = 0; }},
      {"pixel_size_um", [](ModelInfo& i) { i.pixel_size_um = 0; }},
      {"thresholds.score", [=](ModelInfo& i) { i.thresholds.score = nan; }},
      {"thresholds.nms", [](ModelInfo& i) { i.thresholds.nms = -0.1; }},
      {"max_detections", [](ModelInfo& i) { i.thresholds.max_detections = 0; }},
      {"weak_classes: there is no class 'wcb'", [](ModelInfo& i) { i.weak_classes = {"wcb"}; }},
      {"weak_classes names 'wbc' twice",
       [](ModelInfo& i) {
         i.weak_classes = {"wbc", "wbc"};
       }},
      {"red_cell_sides is 0",
       [](ModelInfo& i) {
         i.red_cell_sides = {0, 10};
       }},
      {"red_cell_sides must be two numbers, the smaller first",
       [](ModelInfo& i) {
         i.red_cell_sides = {20, 10};
       }},
      {"activation_ranges.conv is 0", [](ModelInfo& i) { i.activation_ranges["conv"] = 0; }},
      {"activation_ranges.conv", [](ModelInfo& i) { i.activation_ranges["conv"] = 1e7; }},
      {"activation_ranges.conv", [](ModelInfo& i) { i.activation_ranges["conv"] = std::nan(""); }},
      {"a layer in activation_ranges", [](ModelInfo& i) { i.activation_ranges["a\nb"] = 1; }},
      {"corpus_digest", [](ModelInfo& i) { i.corpus_digest = "abc"; }},
      {"metrics", [=](ModelInfo& i) { i.metrics["AP"] = nan; }},
      {"licence", [](ModelInfo& i) { i.licence = std::string(10001, 'x'); }},
      {"licence holds a control character", [](ModelInfo& i) { i.licence = "\xC2\x9B"; }},
      {"name", [](ModelInfo& i) { i.name = "a\x7F"; }}};
  for (const auto& [message, change] : changes) {
    ModelInfo info = full_info();
    change(info);
    EXPECT_NE(refusal(info).find(message), std::string::npos) << message << " / " << refusal(info);
    EXPECT_EQ(refusal(info).find('\n'), std::string::npos);
    EXPECT_THROW(write_model_info(info), Error) << message;
  }
}

}  // namespace
}  // namespace smearscope
