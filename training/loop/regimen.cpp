#include "loop/regimen.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>

#include "loop/regimen_table.h"
#include "toml/parse_toml.h"

namespace smearscope::training {
namespace {

constexpr double any = std::numeric_limits<double>::max();

void read_network(Table table, Regimen& regimen) {
  Architecture& a = regimen.info.architecture;
  Transform& t = regimen.info.transform;
  TrainingSettings& s = regimen.settings;
  table.read("backbone", a.backbone);
  if (a.backbone != "resnet18" && a.backbone != "resnet34" && a.backbone != "resnet50") {
    table.fail("backbone", "is '" + a.backbone + "'; it must be resnet18, resnet34 or resnet50");
  }
  table.read("fpn_channels", a.fpn_channels, 1, 4096);
  table.read("head_width", a.head_width, 1, 1 << 16);
  table.read_anchor_sizes("anchor_sizes", a.anchor_sizes);
  for (const auto& level : a.anchor_sizes) {
    if (level.size() != a.anchor_sizes[0].size())
      table.fail("anchor_sizes", "must have as many sizes on each level");
  }
  table.read("anchor_ratios", a.anchor_ratios, 0.01, 100);
  table.read("proposals_before_nms", a.rpn_pre_nms_top_n, 1);
  table.read("proposals", a.rpn_post_nms_top_n, 1);
  table.read("min_side", t.min_side, 32, 1 << 14);
  table.read("max_side", t.max_side, 32, 1 << 14);
  if (t.max_side < t.min_side) table.fail("max_side", "must not be below min_side");
  table.read("mean", t.mean, -any, any);
  table.read("std", t.std, 1e-6, any);
  table.read("frozen_batch_norm", s.frozen_batch_norm);
  table.read("frozen_stages", s.frozen_stages, 0, 5);
  if (table.has("pixel_size_um")) {
    double pixel_size = 0;
    table.read("pixel_size_um", pixel_size, 1e-6, 1e6);
    regimen.info.pixel_size_um = pixel_size;
  }
  table.refuse_unknown_keys();
}

void read_preprocessing(Table table, ImageAdjustment& adjustment) {
  table.read("contrast", adjustment.contrast, 0, 100);
  table.read("brightness", adjustment.brightness, -1, 1);
  table.read("unsharp_amount", adjustment.unsharp_amount, 0, 100);
  table.read("unsharp_sigma", adjustment.unsharp_sigma, 0.1, 100);
  table.refuse_unknown_keys();
}

void read_thresholds(Table table, Thresholds& thresholds) {
  table.read("score", thresholds.score, 0, 1);
  table.read("nms", thresholds.nms, 0, 1);
  table.read("max_detections", thresholds.max_detections, 1);
  table.refuse_unknown_keys();
}

void read_labels(Table table, Labels& labels) {
  table.read("completeness", labels.completeness);
  table.read("parents", labels.parents);
  table.read("own_name_share", labels.own_name_share, 0, 1);
  table.refuse_unknown_keys();
}

void read_balance(Table table, Balance& balance, ClassificationLoss& loss) {
  table.read("repeat_threshold", balance.repeat_threshold, 0, 1);
  table.read("most_repeats", balance.most_repeats, 1, 1000);
  table.read("effective_number_beta", balance.effective_number_beta, 0, 0.9999999);
  table.read("focal_gamma", loss.focal_gamma, 0, 10);
  table.refuse_unknown_keys();
}

void read_sampling(Table table, TrainingSettings& s) {
  table.read("proposals_before_nms", s.rpn_pre_nms_top_n, 1);
  table.read("proposals", s.rpn_post_nms_top_n, 1);
  table.read("rpn_positive_iou", s.rpn_positive_iou, 0, 1);
  table.read("rpn_negative_iou", s.rpn_negative_iou, 0, 1);
  if (s.rpn_negative_iou > s.rpn_positive_iou)
    table.fail("rpn_negative_iou", "must not be above rpn_positive_iou");
  table.read("rpn_samples", s.rpn_samples, 1);
  table.read("rpn_positive_fraction", s.rpn_positive_fraction, 0, 1);
  table.read("roi_positive_iou", s.roi_positive_iou, 0, 1);
  table.read("roi_samples", s.roi_samples, 1);
  table.read("roi_positive_fraction", s.roi_positive_fraction, 0, 1);
  table.refuse_unknown_keys();
}

// "bf16", "f16" or "none"; true is bf16.
void read_autocast(Table& table, MixedPrecision& autocast) {
  if (table.is_boolean("autocast")) {
    bool on = false;
    table.read("autocast", on);
    autocast = on ? MixedPrecision::bf16 : MixedPrecision::off;
    return;
  }
  std::string precision = "none";
  table.read("autocast", precision);
  if (precision != "none" && precision != "bf16" && precision != "f16") {
    table.fail("autocast", "is '" + precision + "'; it must be bf16, f16 or none");
  }
  autocast = precision == "bf16"  ? MixedPrecision::bf16
             : precision == "f16" ? MixedPrecision::f16
                                  : MixedPrecision::off;
}

void read_optimisation(Table table, Optimisation& o, const Transform& transform) {
  table.read("epochs", o.epochs, 1);
  table.read("batch_size", o.batch_size, 1, 1024);
  table.read("micro_batch", o.micro_batch, 0, 1024);
  table.read("learning_rate", o.learning_rate, 0, 100);
  table.read("momentum", o.momentum, 0, 0.99999);
  table.read("weight_decay", o.weight_decay, 0, 1);
  table.read("warmup_steps", o.warmup_steps, 0);
  std::string schedule = "step";
  table.read("schedule", schedule);
  if (schedule != "step" && schedule != "cosine") {
    table.fail("schedule", "is '" + schedule + "'; it must be step or cosine");
  }
  o.schedule = schedule == "step" ? Schedule::step : Schedule::cosine;
  table.read("milestones", o.milestones, 0, 1);
  if (!std::is_sorted(o.milestones.begin(), o.milestones.end())) table.fail("milestones", "must rise");
  table.read("step_epochs", o.step_epochs, 0);
  table.read("gamma", o.gamma, 0, 1);
  read_autocast(table, o.autocast);
  table.read("gradient_clip", o.gradient_clip, 0, any);
  table.read("ema_decay", o.ema_decay, 0, 0.999999);
  table.read("min_sides", o.min_sides, 32, transform.max_side);
  table.read("validate_every", o.validate_every, 0);
  table.read("early_stop", o.early_stop, 0);
  if (o.early_stop > 0 && o.validate_every == 0) table.fail("early_stop", "needs validate_every");
  table.refuse_unknown_keys();
}

void read_augmentation(Table table, Augmentation& a) {
  table.read("horizontal_flip", a.horizontal_flip);
  table.read("vertical_flip", a.vertical_flip);
  table.read("transpose", a.transpose);
  table.read("brightness", a.brightness, 0, 1);
  table.read("contrast", a.contrast, 0, 1);
  table.read("saturation", a.saturation, 0, 1);
  table.read("hue", a.hue, 0, 0.5);
  if (table.is_empty_list("red_cell_sides"))  // switches off what the file has on
    a.red_cell_sides.clear();
  else
    table.read("red_cell_sides", a.red_cell_sides, 4, 1000);
  if (!a.red_cell_sides.empty() &&
      (a.red_cell_sides.size() != 2 || a.red_cell_sides[0] > a.red_cell_sides[1]))
    table.fail("red_cell_sides", "must be two numbers, the smaller first");
  table.read("red_cell_sides_share", a.red_cell_sides_share, 0, 1);
  table.read("copy_paste", a.copy_paste, 0, 1);
  table.read("copy_paste_cells", a.copy_paste_cells, 1, 100);
  table.refuse_unknown_keys();
}

// "table.key=value": parsed as TOML on its own, then put into the document.
void override_key(toml::table& document, const std::string& setting) {
  toml::table parsed =
      parse_toml(setting, "--set " + setting.substr(0, 200) + ": not table.key=value with a TOML value");
  toml::table* into = &document;
  toml::table* from = &parsed;
  while (true) {
    if (from->size() != 1) throw Error("--set " + setting + ": sets more than one key");
    const std::string key(from->begin()->first.str());
    toml::node& value = from->begin()->second;
    if (!value.is_table()) {
      into->insert_or_assign(key, value);
      return;
    }
    if (!into->contains(key)) into->insert(key, toml::table{});
    into = into->get(key)->as_table();
    if (!into) throw Error("--set " + setting + ": \"" + key + "\" is not a table");
    from = value.as_table();
  }
}

}  // namespace

Regimen read_regimen(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
  const std::string name = file.string();
  if (!std::filesystem::is_regular_file(file)) throw Error(name + ": no such regimen file");
  std::ifstream in(file, std::ios::binary);
  const std::string written{std::istreambuf_iterator<char>(in), {}};
  if (!in) throw Error(name + ": cannot read the file");
  toml::table document = parse_toml(written, name);
  for (const std::string& setting : overrides) override_key(document, setting);

  Regimen regimen;
  Table top(document, "", name);
  top.read("name", regimen.name);
  if (regimen.name.empty()) top.fail("name", "is missing");
  top.read("licence", regimen.licence);
  std::string start = "random";
  top.read("start", start);
  if (start != "random" && start != "weights")
    top.fail("start", "is '" + start + "'; it must be random or weights");
  regimen.starts_with_weights = start == "weights";
  for (const char* table : {"network", "preprocessing", "thresholds", "labels", "balance", "sampling",
                            "training", "augmentation"}) {
    top.allow_table(table);
  }
  top.refuse_unknown_keys();
  const auto table = [&](const char* key) { return Table(document, key, name); };
  read_network(table("network"), regimen);
  read_preprocessing(table("preprocessing"), regimen.info.transform.adjustment);
  read_thresholds(table("thresholds"), regimen.info.thresholds);
  read_labels(table("labels"), regimen.labels);
  read_balance(table("balance"), regimen.balance, regimen.settings.classification);
  read_sampling(table("sampling"), regimen.settings);
  read_optimisation(table("training"), regimen.optimisation, regimen.info.transform);
  read_augmentation(table("augmentation"), regimen.augmentation);
  // What the network sees of all images is what it will know.
  const Augmentation& seen = regimen.augmentation;
  if (!seen.red_cell_sides.empty() && seen.red_cell_sides_share == 1)
    regimen.info.red_cell_sides = {seen.red_cell_sides[0], seen.red_cell_sides[1]};
  std::ostringstream text;
  text << document << '\n';
  regimen.text = text.str();
  regimen.info.name = regimen.name;
  regimen.info.licence = regimen.licence;
  return regimen;
}

}  // namespace smearscope::training
