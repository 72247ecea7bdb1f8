#include "evaluate/json_report.h"

#include <nlohmann/json.hpp>

namespace smearscope::training {
namespace {

using json = nlohmann::ordered_json;
using namespace metrics;

json number_or_null(double value) {
  return value == no_figure ? json() : json(value);
}

json coco_json(const CocoFigures& figures) {
  json object;
  for (const CocoFigure& figure : coco_figures()) object[figure.key] = number_or_null(figures.*figure.value);
  return object;
}

json curve_json(const PrecisionRecall& curve) {
  return {{"precision", curve.precision}, {"score", curve.score}};
}

json calibration_json(const Calibration& calibration) {
  json bins = json::array();
  for (std::size_t i = 0; i < calibration_bins; ++i) {
    const Calibration::Bin& bin = calibration.bins[i];
    json row{{"from", double(i) / calibration_bins},
             {"to", double(i + 1) / calibration_bins},
             {"detections", bin.found},
             {"right", bin.right}};
    row["mean_score"] = bin.found > 0 ? json(bin.mean_score()) : json();
    row["precision"] = bin.found > 0 ? json(bin.precision()) : json();
    bins.push_back(row);
  }
  return {{"detections", calibration.found()},
          {"expected_error", number_or_null(calibration.expected_error())},
          {"bins", bins}};
}

json counts_json(const CategoryFigures& figures) {
  const CountErrors& errors = figures.count_errors;
  json truth = json::array(), found = json::array();
  for (const Count& count : figures.counts) {
    truth.push_back(count.known ? json(count.truth) : json());
    found.push_back(count.known ? json(count.found) : json());
  }
  json object{{"images", errors.images}, {"truth", errors.truth}, {"found", errors.found}};
  object["mean_error"] = errors.images > 0 ? json(errors.mean_error) : json();
  object["mean_absolute_error"] = errors.images > 0 ? json(errors.mean_absolute_error) : json();
  object["relative_error_of_total"] = errors.truth > 0 ? json(errors.relative_error_of_total) : json();
  object["truth_by_image"] = truth;
  object["found_by_image"] = found;
  return object;
}

json best_json(const BestThreshold& best) {
  if (best.threshold == no_figure) return {};
  return {
      {"threshold", best.threshold}, {"f1", best.f1}, {"precision", best.precision}, {"recall", best.recall}};
}

json category_json(const Category& category, const CategoryFigures& figures) {
  json object{{"name", category.name}, {"detections", figures.found}, {"coco", coco_json(figures.coco)}};
  object["curves"] = figures.boxes > 0
                         ? json{{"IoU50", curve_json(figures.at_50)}, {"IoU75", curve_json(figures.at_75)}}
                         : json();
  object["best_threshold"] = best_json(figures.best);
  object["counts"] = counts_json(figures);
  object["calibration"] = {{"all", calibration_json(figures.calibration)},
                           {"shown", calibration_json(figures.calibration_shown)}};
  return object;
}

json confusion_json(const Confusion& confusion) {
  json rows = json::array();
  for (std::size_t truth = 0; truth <= confusion.background(); ++truth) {
    json row = json::array();
    for (std::size_t found = 0; found <= confusion.background(); ++found)
      row.push_back(confusion.count(truth, found));
    rows.push_back(row);
  }
  return rows;
}

json figures_json(const std::vector<Category>& categories, const Figures& figures) {
  json of_classes = json::array();
  for (std::size_t i = 0; i < categories.size(); ++i) {
    if (categories[i].evaluated) of_classes.push_back(category_json(categories[i], figures.categories[i]));
  }
  return {{"coco", coco_json(figures.coco)},
          {"classes", of_classes},
          {"calibration",
           {{"all", calibration_json(figures.calibration)},
            {"shown", calibration_json(figures.calibration_shown)}}},
          {"confusion", confusion_json(figures.confusion)}};
}

json model_json(const Measured& m) {
  if (!m.model) return {};
  const ModelInfo& info = m.model->info();
  return {{"name", info.name},
          {"file", m.model->path()},
          {"sha256", m.model->digest()},
          {"classes", info.classes},
          {"corpus_sha256", info.corpus_digest},
          {"classes_unknown_to_corpus", m.unknown_to_corpus}};
}

json settings_json(const Measured& m) {
  json settings{{"through", m.model ? json(m.through) : json()}};
  settings["precision"] = m.model ? json(m.precision) : json();
  settings["score_threshold"] = m.model ? json(m.thresholds.score) : json();
  settings["nms_threshold"] = m.model ? json(m.thresholds.nms) : json();
  settings["max_detections"] = m.model ? json(m.thresholds.max_detections) : json();
  settings["count_threshold"] = m.count_threshold;
  return settings;
}

json images_json(const CorpusPart& part) {
  json images = json::array();
  for (const corpus::Image& image : part.images)
    images.push_back({{"id", image.id}, {"file_name", image.file}});
  return images;
}

json classes_json(const CorpusPart& part, const Figures& figures) {
  json classes = json::array();
  const std::vector<Category>& categories = part.data.categories;
  for (std::size_t i = 0; i < categories.size(); ++i) {
    json object{{"name", categories[i].name}, {"category_id", part.category_ids[i]}};
    const int parent = categories[i].parent;
    object["parent"] = parent < 0 ? json() : json(categories[static_cast<std::size_t>(parent)].name);
    object["evaluated"] = categories[i].evaluated;
    object["images"] = figures.categories[i].images;
    object["boxes"] = figures.categories[i].boxes;
    classes.push_back(object);
  }
  return classes;
}

}  // namespace

std::string json_report(const Measured& m) {
  const CorpusPart& part = *m.part;
  json document{{"format", "smearscope-evaluation"}, {"version", evaluation_format_version}};
  document["created_by"] = "smearscope-train " SMEARSCOPE_VERSION;
  document["model"] = model_json(m);
  document["detections_file"] = m.model ? json() : json(m.detections);
  document["settings"] = settings_json(m);
  document["corpus"] = {{"folder", m.corpus},
                        {"sha256", m.corpus_digest},
                        {"part", part.name},
                        {"boxes", part.boxes()},
                        {"images", images_json(part)}};
  document["classes"] = classes_json(part, m.as_complete);
  document["iou_thresholds"] = iou_thresholds();
  document["recall_levels"] = recall_levels();
  document["coco"] = figures_json(part.data.categories, m.as_complete);
  document["federated"] = figures_json(part.data.categories, m.as_told);
  return document.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace smearscope::training
