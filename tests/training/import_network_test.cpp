// Which networks are recognised in a checkpoint, and what of their weights fits another network.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include "checkpoint_bytes.h"
#include "expect_error.h"
#include "import/network_weights.h"
#include "import/pickle.h"
#include "import/recognise.h"
#include "import/state_dict.h"
#include "model_files.h"
#include "temporary_folder.h"
#include "tiny_model.h"

namespace smearscope::checkpoint {
namespace {

using testing::expect_error;
using testing::PickleWriter;
using Tensors = std::vector<NamedWeights>;

const std::string body = "backbone.body.";

bool starts_with(const std::string& text, const std::string& start) {
  return text.compare(0, start.size(), start) == 0;
}

Tensors random_tensors(const ModelInfo& info, std::uint64_t seed = 1) {
  const testing::RandomTensors random(info, seed);
  Tensors tensors;
  for (const TensorView& view : random.views()) tensors.push_back({view.name, view.shape, to_f32(view)});
  return tensors;
}

// The ResNet alone, with its classifier.
Tensors backbone_alone(const Tensors& detector) {
  Tensors tensors;
  for (const NamedWeights& tensor : detector) {
    if (starts_with(tensor.name, body))
      tensors.push_back({tensor.name.substr(body.size()), tensor.shape, tensor.values});
  }
  tensors.push_back({"fc.weight", {2, 3}, std::vector<float>(6, 1)});
  return tensors;
}

// A dict of tensors, each with a storage of its own.
PickleWriter dict_of(const Tensors& tensors, std::vector<testing::StoredNumbers>& storages) {
  PickleWriter dict;
  dict.name("collections", "OrderedDict").raw(")R(");
  for (const NamedWeights& tensor : tensors) {
    const std::string key = std::to_string(storages.size());
    std::string bytes(tensor.values.size() * sizeof(float), '\0');
    std::memcpy(bytes.data(), tensor.values.data(), bytes.size());
    storages.push_back({key, bytes, tensor.values.size()});
    dict.text(tensor.name)
        .tensor(key, "FloatStorage", static_cast<std::int64_t>(tensor.values.size()), 0, tensor.shape,
                testing::dense_strides(tensor.shape));
  }
  return dict.raw("u");
}

Shapes shapes_of(const std::string& backbone, int fpn, int head, std::size_t classes) {
  Architecture architecture;
  architecture.backbone = backbone;
  architecture.fpn_channels = fpn;
  architecture.head_width = head;
  Shapes shapes;
  for (const TensorSpec& spec : expected_tensors(architecture, classes)) shapes[spec.name] = spec.shape;
  return shapes;
}

class Import : public ::testing::Test {
 protected:
  std::string write(const Tensors& tensors) {
    std::vector<testing::StoredNumbers> storages;
    const std::string pickle = dict_of(tensors, storages).end();
    testing::write_bytes(folder_.file("a.pth"), testing::checkpoint(pickle, storages));
    return folder_.file("a.pth");
  }
  const ModelInfo info_ = testing::tiny_model_info();
  testing::TemporaryFolder folder_;
};

TEST(Recognise, DetectorsOfEverySizeAreKnownByTheirTensors) {
  for (const char* backbone : {"resnet18", "resnet34", "resnet50"}) {
    const Layout layout = recognise(shapes_of(backbone, 64, 128, 5));
    EXPECT_EQ(layout.backbone, backbone);
    EXPECT_TRUE(layout.is_detector);
    EXPECT_EQ(layout.fpn_channels, 64);
    EXPECT_EQ(layout.head_width, 128);
    EXPECT_EQ(layout.anchors_per_place, 3);
    EXPECT_EQ(layout.class_count, 5);
    EXPECT_TRUE(layout.frozen_batch_norm);
  }
  Shapes counting = shapes_of("resnet18", 64, 128, 1);
  counting[body + "bn1.num_batches_tracked"] = {};
  EXPECT_FALSE(recognise(counting).frozen_batch_norm);
}

TEST(Recognise, BackbonesAloneAreKnownAndTheirClassifierDoesNotMatter) {
  for (const char* backbone : {"resnet18", "resnet34", "resnet50"}) {
    Shapes alone;
    for (const auto& [name, shape] : shapes_of(backbone, 64, 128, 5))
      if (starts_with(name, body)) alone[name.substr(body.size())] = shape;
    alone["fc.weight"] = {1000, 512};
    alone["bn1.num_batches_tracked"] = {};
    const Layout layout = recognise(alone);
    EXPECT_EQ(layout.backbone, backbone);
    EXPECT_FALSE(layout.is_detector);
    alone["layer1.0.se.fc1.weight"] = {4};
    expect_error([&] { recognise(alone); }, "'layer1.0.se.fc1.weight': has no place");
  }
}

TEST(Recognise, OtherNetworksAreCalledByTheirNames) {
  const auto with = [](Shapes shapes, const std::string& name) {
    shapes[name] = {4};
    return shapes;
  };
  const Shapes detector = shapes_of("resnet50", 64, 128, 3);
  const std::pair<Shapes, const char*> others[] = {
      {with(detector, "roi_heads.mask_head.mask_fcn1.weight"), "a Mask R-CNN"},
      {with(detector, "roi_heads.keypoint_head.0.weight"), "a Keypoint R-CNN"},
      {with(detector, "rpn.head.conv.1.0.weight"), "fasterrcnn_resnet50_fpn_v2"},
      {{{"head.classification_head.cls_logits.weight", {4}}}, "a RetinaNet"},
      {{{"head.classification_head.conv.0.weight", {4}}, {"head.regression_head.bbox_ctrness.weight", {4}}},
       "an FCOS"},
      {{{"head.classification_head.module_list.0.weight", {4}}}, "an SSD"},
      {{{"backbone.body.0.0.weight", {4}}, {"roi_heads.box_head.fc6.weight", {4}}}, "MobileNet"},
      {{{"backbone.stem.weight", {4}}, {"roi_heads.box_head.fc6.weight", {4}}}, "another backbone"},
      {{{"features.0.weight", {4}}}, "another classifier"},
      {{{"transformer.encoder.layers.0.norm1.weight", {4}}}, "a DETR"},
      {{{"backbone.bottom_up.stem.conv1.weight", {4}}}, "a Detectron2"},
      {{{"encoder.layers.encoder_layer_0.ln_1.weight", {4}}}, "a Vision Transformer"},
      {{{"some.weight", {4}}}, "that this program doesn't know"}};
  for (const auto& [shapes, name] : others) {
    expect_error([&, &s = shapes] { recognise(s); }, name);
    expect_error([&, &s = shapes] { recognise(s); }, "can be imported");
  }
}

TEST(Recognise, OtherResNetsAreCalledByTheirNames) {
  Shapes alone;
  for (const auto& [name, shape] : shapes_of("resnet50", 64, 128, 5))
    if (starts_with(name, body)) alone[name.substr(body.size())] = shape;
  Shapes deep = alone, wide = alone, next = alone, odd = alone;
  for (int i = 6; i < 23; ++i) deep["layer3." + std::to_string(i) + ".conv1.weight"] = {256, 1024, 1, 1};
  expect_error([&] { recognise(deep); }, "a ResNet-101");
  wide["layer1.0.conv2.weight"] = {128, 128, 3, 3};
  expect_error([&] { recognise(wide); }, "a Wide ResNet");
  next["layer1.0.conv2.weight"] = {128, 4, 3, 3};
  expect_error([&] { recognise(next); }, "a ResNeXt");
  odd["layer4.3.conv1.weight"] = {4};
  expect_error([&] { recognise(odd); }, "unusual depth");
}

TEST(Recognise, WhatIsMissingMisshapenOrTooMuchIsNamed) {
  const Shapes good = shapes_of("resnet18", 64, 128, 3);
  const auto refuse = [&](const std::function<void(Shapes&)>& change, const std::string& part) {
    Shapes shapes = good;
    change(shapes);
    expect_error([&] { recognise(shapes); }, part);
  };
  refuse([](Shapes& s) { s.erase("rpn.head.bbox_pred.bias"); }, "'rpn.head.bbox_pred.bias' is missing");
  refuse([](Shapes& s) { s.erase("roi_heads.box_head.fc6.weight"); }, "fc6.weight' is missing");
  refuse([](Shapes& s) { s["roi_heads.box_head.fc7.weight"] = {128}; },
         "'roi_heads.box_head.fc7.weight': has shape [128]");
  refuse([](Shapes& s) { s["roi_heads.extra.weight"] = {1}; }, "'roi_heads.extra.weight': has no place");
  refuse(
      [](Shapes& s) {
        s["backbone.fpn.inner_blocks.0.0.weight"] = {100000, 64, 1, 1};
      },
      "must be 1 to 1024");
  refuse([](Shapes& s) { s["roi_heads.box_head.fc6.weight"] = {}; }, "must be 1 to 4096");
  refuse([](Shapes& s) { s["rpn.head.cls_logits.weight"] = {0, 64, 1, 1}; }, "must be 1 to 16");
  refuse([](Shapes& s) { s["roi_heads.box_predictor.cls_score.weight"] = {1, 128}; }, "no classes");
  refuse([](Shapes& s) { s["backbone.body.layer1.0.conv1.weight"] = {64, 64}; }, "has shape [64, 64]");
}

const char* const one_tensor = "FloatStorage";

TEST(StateDicts, AreFoundInTheEntriesOfTrainingPrograms) {
  const auto inner = [](const std::string& name) {
    PickleWriter dict;
    dict.raw("}").text(name).tensor("0", one_tensor, 4, 0, {4}, {1}).raw("s");
    return dict.end().substr(2, dict.end().size() - 3);
  };
  const auto found = [](const std::string& pickle) {
    const Pickle read = read_pickle(pickle);
    const StateDict dict = find_state_dict(read);
    return dict.entry + ":" + dict.tensors.begin()->first;
  };
  EXPECT_EQ(found(PickleWriter().raw(inner("conv1.weight")).end()), ":conv1.weight");
  for (const char* entry : {"model", "state_dict", "model_state_dict", "ema"})
    EXPECT_EQ(found(PickleWriter()
                        .raw("}")
                        .text("epoch")
                        .raw("K\x01s")
                        .text(entry)
                        .raw(inner("a.weight") + "s")
                        .end()),
              std::string(entry) + ":a.weight");
  EXPECT_EQ(
      found(PickleWriter().raw("}").text("ema").raw("}").text("module").raw(inner("a.weight") + "ss").end()),
      "ema.module:a.weight");
  EXPECT_EQ(found(PickleWriter().raw(inner("module._orig_mod.conv1.weight")).end()), ":conv1.weight");
  EXPECT_EQ(found(PickleWriter().raw(inner("backbone.fpn.inner_blocks.3.bias")).end()),
            ":backbone.fpn.inner_blocks.3.0.bias");
  EXPECT_EQ(found(PickleWriter().raw(inner("backbone.fpn.layer_blocks.0.weight")).end()),
            ":backbone.fpn.layer_blocks.0.0.weight");
  EXPECT_EQ(found(PickleWriter().raw(inner("rpn.head.conv.weight")).end()), ":rpn.head.conv.0.0.weight");
  const auto refuse = [](const std::string& pickle, const std::string& part) {
    const Pickle read = read_pickle(pickle);
    expect_error([&] { find_state_dict(read); }, part);
  };
  refuse(PickleWriter().raw("}").text("epoch").raw("K\x01s").end(),
         "no state dict of a network; it has the entries 'epoch'");
  refuse(PickleWriter().raw("N").end(), "no state dict");
  refuse(PickleWriter().raw("}q\x01").text("model").raw("h\x01s").end(),
         "no state dict");  // itself its entry
  const std::string twice = inner("a.weight").substr(1);
  refuse(PickleWriter().raw("}" + twice + twice).end(), "'a.weight': comes twice");
}

TEST_F(Import, ADetectorComesBackWhole) {
  Tensors tensors = random_tensors(info_);
  const NetworkWeights weights = import_checkpoint(write(tensors));
  EXPECT_EQ(weights.class_count, 3);
  EXPECT_TRUE(weights.classes.empty());
  EXPECT_EQ(weights.digest.size(), 64U);
  ASSERT_EQ(weights.tensors.size(), tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    EXPECT_EQ(weights.tensors[i].name, tensors[i].name);
    EXPECT_TRUE(weights.tensors[i].values == tensors[i].values) << tensors[i].name;
  }
  const InitialWeights initial = fit(weights, info_);
  EXPECT_EQ(initial.summary(), "all weights taken");
  EXPECT_EQ(initial.tensors.size(), tensors.size());
}

TEST_F(Import, ValuesThatAreNotFiniteAreRefused) {
  Tensors tensors = random_tensors(info_);
  tensors[3].values[5] = NAN;
  const std::string path = write(tensors);
  expect_error([&] { import_checkpoint(path); }, path + ": tensor '" + tensors[3].name + "': value 5 is NaN");
}

TEST_F(Import, ModelFilesAndCheckpointsAreToldApart) {
  const Tensors tensors = random_tensors(info_);
  ModelInfo info = info_;
  info.parents = {-1, -1, 0};
  info.weak_classes = {info.classes[1]};
  testing::write_random_model(folder_.file("m.safetensors"), info, 1);
  const NetworkWeights model = read_weights(folder_.file("m.safetensors"));
  EXPECT_EQ(model.classes, info_.classes);
  EXPECT_EQ(model.parents, info.parents);
  EXPECT_EQ(model.weak_classes, info.weak_classes);
  EXPECT_EQ(model.tensors.size(), tensors.size());
  EXPECT_EQ(read_weights(write(tensors)).tensors.size(), tensors.size());
  expect_error([&] { read_weights(folder_.file("none")); }, "none: cannot open");
  testing::write_bytes(folder_.file("text"), "neither the one nor the other");
  expect_error([&] { read_weights(folder_.file("text")); }, "not a model file");
  expect_error([&] { import_checkpoint(folder_.file("m.safetensors")); },
               "m.safetensors: is no PyTorch checkpoint");
}

NetworkWeights weights_of(const ModelInfo& info, const Tensors& tensors) {
  NetworkWeights weights;
  weights.backbone = info.architecture.backbone;
  weights.is_detector = true;
  weights.fpn_channels = info.architecture.fpn_channels;
  weights.head_width = info.architecture.head_width;
  weights.anchors_per_place = 3;
  weights.class_count = static_cast<int>(info.classes.size());
  weights.classes = info.classes;
  weights.tensors = tensors;
  return weights;
}

TEST_F(Import, PartsThatDoNotFitAreMadeAnewWithAllThatBuildsOnThem) {
  const NetworkWeights weights = weights_of(info_, random_tensors(info_));
  const auto summary = [&](const std::function<void(ModelInfo&)>& change) {
    ModelInfo info = info_;
    change(info);
    return fit(weights, info).summary();
  };
  EXPECT_EQ(summary([](ModelInfo& i) {
              i.classes = {"wbc", "rbc"};
            }),
            "taken: backbone, FPN, RPN, RPN predictor, box head; made anew with random values: box predictor "
            "(classes 2, not 3)");
  EXPECT_EQ(summary([](ModelInfo& i) {
              i.classes = {"rbc", "wbc", "platelet"};
            }),
            "taken: backbone, FPN, RPN, RPN predictor, box head; made anew with random values: box predictor "
            "(other classes)");
  EXPECT_EQ(summary([](ModelInfo& i) { i.architecture.head_width = 64; }),
            "taken: backbone, FPN, RPN, RPN predictor; made anew with random values: box head (width 64, not "
            "32), box "
            "predictor");
  EXPECT_EQ(summary([](ModelInfo& i) { i.architecture.anchor_ratios = {1}; }),
            "taken: backbone, FPN, RPN, box head, box predictor; made anew with random values: RPN predictor "
            "(anchors per "
            "place 1, not 3)");
  EXPECT_EQ(summary([](ModelInfo& i) { i.architecture.fpn_channels = 32; }),
            "taken: backbone; made anew with random values: FPN (channels 32, not 16), RPN, RPN predictor, "
            "box head, box "
            "predictor");
  ModelInfo deep = info_;
  deep.architecture.backbone = "resnet34";
  expect_error([&] { fit(weights, deep); }, "its backbone is a resnet18, but a resnet34 is wanted");
}

TEST_F(Import, ClassesWithoutNamesFitByTheirNumber) {
  NetworkWeights weights = weights_of(info_, random_tensors(info_));
  weights.classes.clear();
  EXPECT_EQ(fit(weights, info_).summary(), "all weights taken");
}

TEST_F(Import, ABackboneAloneLeavesTheRestToChance) {
  const Tensors detector = random_tensors(info_);
  const NetworkWeights weights = import_checkpoint(write(backbone_alone(detector)));
  EXPECT_FALSE(weights.is_detector);
  EXPECT_EQ(weights.batch_norm_eps, 1e-5);
  const InitialWeights initial = fit(weights, info_);
  EXPECT_EQ(
      initial.summary(),
      "taken: backbone; made anew with random values: FPN, RPN, RPN predictor, box head, box predictor");
  for (const NamedWeights& tensor : initial.tensors) {
    const auto same =
        std::find_if(detector.begin(), detector.end(), [&](const auto& t) { return t.name == tensor.name; });
    ASSERT_NE(same, detector.end());
    EXPECT_TRUE(same->values == tensor.values) << tensor.name;
  }
}

TEST_F(Import, FrozenBatchNormsHaveTheEpsilonOfTheirKind) {
  ModelInfo info = info_;
  info.architecture.backbone = "resnet50";
  info.classes = coco_classes();
  Tensors tensors = random_tensors(info);
  NetworkWeights weights = import_checkpoint(write(tensors));
  EXPECT_EQ(weights.batch_norm_eps, 0);
  EXPECT_EQ(weights.classes, coco_classes());
  EXPECT_NE(weights.notes.at(1).find("as torchvision's COCO_V1"), std::string::npos);
  EXPECT_EQ(import_checkpoint(folder_.file("a.pth"), 1e-5).batch_norm_eps, 1e-5);
  for (NamedWeights& tensor : tensors) {  // now of two classes
    const bool scores = starts_with(tensor.name, "roi_heads.box_predictor.cls_score");
    if (!scores && !starts_with(tensor.name, "roi_heads.box_predictor.bbox_pred")) continue;
    tensor.values.resize(tensor.values.size() / static_cast<std::size_t>(tensor.shape[0]) *
                         (scores ? 3 : 12));
    tensor.shape[0] = scores ? 3 : 12;
  }
  weights = import_checkpoint(write(tensors));
  EXPECT_EQ(weights.batch_norm_eps, 1e-5);
  EXPECT_NE(weights.notes.at(1).find("--batch-norm-eps 0"), std::string::npos);
  EXPECT_EQ(import_checkpoint(write(random_tensors(info_))).notes.size(),
            1U);  // no ResNet-50: nothing to wonder about
}

// Tiny variances too, where the epsilon decides.
TEST_F(Import, BatchNormsComputeTheSameWithAnotherEpsilon) {
  Tensors tensors = random_tensors(info_);
  const auto find = [](Tensors& in, const std::string& name) -> std::vector<float>& {
    return std::find_if(in.begin(), in.end(), [&](const auto& t) { return t.name == name; })->values;
  };
  find(tensors, body + "bn1.running_var")[0] = 1e-12F;
  find(tensors, body + "bn1.running_var")[1] = 5e-45F;  // as in ImageNet's weights
  NetworkWeights weights = weights_of(info_, tensors);
  weights.batch_norm_eps = 0;
  InitialWeights initial = fit(weights, info_);
  for (const char* norm : {"bn1", "layer2.0.downsample.1", "layer4.1.bn2"}) {
    const std::string name = body + norm;
    const std::vector<float>& variance = find(tensors, name + ".running_var");
    for (std::size_t i = 0; i < variance.size(); ++i) {
      const double before = find(tensors, name + ".weight")[i] / std::sqrt(static_cast<double>(variance[i]));
      const double after =
          find(initial.tensors, name + ".weight")[i] /
          std::sqrt(static_cast<double>(find(initial.tensors, name + ".running_var")[i]) + 1e-5);
      EXPECT_NEAR(after, before, 1e-7 * std::abs(before)) << name << " " << i;
    }
  }
  find(weights.tensors, body + "bn1.running_var")[2] = 0;
  expect_error([&] { fit(weights, info_); }, "'backbone.body.bn1.running_var': value 2 is 0");
}

TEST(CocoClasses, AreNinetyDifferentNames) {
  const std::vector<std::string> classes = coco_classes();
  EXPECT_EQ(std::set<std::string>(classes.begin(), classes.end()).size(), 90U);
  EXPECT_EQ(classes[0], "person");
  EXPECT_EQ(classes[11], "N/A-12");
  EXPECT_EQ(classes[89], "toothbrush");
}

}  // namespace
}  // namespace smearscope::checkpoint
