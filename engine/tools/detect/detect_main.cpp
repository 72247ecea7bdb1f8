// smearscope-detect: finds cells in image files.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <numeric>
#include <opencv2/core.hpp>
#include <opencv2/core/utils/logger.hpp>
#include <optional>

#include "smearscope/detector.h"
#include "tools/detect/image_file.h"
#include "tools/detect/image_list.h"
#include "tools/detect/options.h"
#include "tools/detect/progress.h"
#include "tools/detect/results.h"

namespace smearscope::detect {
namespace {

// A path if there is such a file, else the name of an installed model.
std::shared_ptr<const Model> load_model(const std::string& name) {
  std::error_code ignored;
  return Model::load(std::filesystem::exists(name, ignored) ? name : find_model(name));
}

// The file's category for a class, or for the family that it is a kind of.
std::int64_t coco_id(const ModelInfo& info, int label, const CocoFile& coco) {
  const auto& categories = coco.categories();
  for (int at = label; at >= 0; at = info.parents.empty() ? -1 : info.parents[static_cast<std::size_t>(at)]) {
    const auto found = categories.find(info.classes[static_cast<std::size_t>(at)]);
    if (found != categories.end()) return found->second;
  }
  throw Error(coco.path() + ": has no category '" + info.classes[static_cast<std::size_t>(label)] +
              "', which the model finds; --classes leaves it out");
}

// By label. Ids are label + 1, or those of `coco`.
std::vector<Category> categories_of(const ModelInfo& info, const std::vector<std::string>& wanted,
                                    const std::optional<CocoFile>& coco) {
  std::vector<bool> kept(info.classes.size(), true);
  try {
    if (!wanted.empty()) kept = with_kinds(info, wanted);
  } catch (const Error& error) {
    throw UsageError(std::string("--classes: ") + error.what());
  }
  std::vector<Category> categories;
  for (std::size_t label = 0; label < info.classes.size(); ++label) {
    Category category{info.classes[label], static_cast<std::int64_t>(label) + 1, kept[label],
                      is_weak(info, static_cast<int>(label))};
    if (coco && kept[label]) category.id = coco_id(info, static_cast<int>(label), *coco);
    categories.push_back(category);
  }
  return categories;
}

// Detections of the wanted classes, of which at most `max_detections` count.
class ImageDetector {
 public:
  ImageDetector(const Options& options, const std::shared_ptr<const Model>& model,
                std::vector<Category> categories)
      : detector_(model, options.detector),
        categories_(std::move(categories)),
        thresholds_(model->info().thresholds),
        naming_(options.naming) {
    thresholds_.score = options.score_threshold.value_or(thresholds_.score);
    thresholds_.nms = options.nms_threshold.value_or(thresholds_.nms);
    max_detections_ = options.max_detections.value_or(thresholds_.max_detections);
    // Cells of other classes and second names must not crowd out the wanted ones.
    const bool all =
        std::all_of(categories_.begin(), categories_.end(), [](const Category& c) { return c.wanted; });
    if (!all || naming_.agnostic_nms < 1)
      thresholds_.max_detections = std::max(max_detections_, 100000);
    else
      thresholds_.max_detections = max_detections_;
  }

  // "smearscope-cells, int8 on cpu": what counted; and which classes it calls weak.
  std::string description() const {
    const ModelInfo& info = detector_.model().info();
    std::string text = (info.name.empty() ? detector_.model().path() : info.name) + ", " +
                       name_of(detector_.options().precision) + " on " +
                       detector_.options().device.to_string();
    for (const std::string& name : info.weak_classes)
      text += (name == info.weak_classes.front() ? "; often missed or misnamed: " : ", ") + name;
    return text;
  }

  Detections detect(const Image& image) {
    // Before the classes: a cell whose best name is an unwanted one does not come back under its second.
    Detections found = find_cells(detector_, image.frame(), thresholds_, naming_);
    const auto unwanted = [&](const Detection& d) {
      return !categories_.at(static_cast<std::size_t>(d.label)).wanted;
    };
    found.erase(std::remove_if(found.begin(), found.end(), unwanted), found.end());
    if (found.size() > static_cast<std::size_t>(max_detections_))
      found.resize(static_cast<std::size_t>(max_detections_));
    return found;
  }

 private:
  Detector detector_;
  std::vector<Category> categories_;
  Thresholds thresholds_;
  Naming naming_;
  int max_detections_ = 0;
};

// Cells and images with such cells, per class.
struct Tally {
  std::vector<std::size_t> cells, images;
  std::size_t read = 0, skipped = 0;

  explicit Tally(std::size_t classes) : cells(classes), images(classes) {}

  void add(const Detections& detections) {
    std::vector<bool> seen(cells.size());
    for (const Detection& detection : detections) {
      const auto label = static_cast<std::size_t>(detection.label);
      ++cells[label];
      seen[label] = true;
    }
    for (std::size_t i = 0; i < seen.size(); ++i) images[i] += seen[i] ? 1 : 0;
    ++read;
  }

  void print(const std::vector<Category>& categories) const {
    std::size_t width = 5;
    for (const Category& category : categories) width = std::max(width, category.name.size());
    const auto line = [width](const std::string& name, const std::string& count, const std::string& images) {
      std::printf("%-*s %9s %9s\n", static_cast<int>(width), name.c_str(), count.c_str(), images.c_str());
    };
    line("class", "cells", "images");
    for (std::size_t i = 0; i < categories.size(); ++i) {
      if (categories[i].wanted) line(categories[i].name, std::to_string(cells[i]), std::to_string(images[i]));
    }
    line("total", std::to_string(std::accumulate(cells.begin(), cells.end(), std::size_t{0})),
         std::to_string(read));
  }
};

std::vector<ListedImage> list(const Options& options, const std::optional<CocoFile>& coco) {
  return coco ? list_images(options.inputs, *coco) : list_images(options.inputs);
}

volatile std::sig_atomic_t interrupted = 0;

void interrupt(int) {
  interrupted = 1;
}

// Returns the exit status.
int run(const Options& options) {
  const std::shared_ptr<const Model> model = load_model(options.model);
  std::optional<CocoFile> coco;
  if (!options.coco_images.empty()) coco.emplace(options.coco_images);
  const std::vector<Category> categories = categories_of(model->info(), options.classes, coco);
  const std::vector<ListedImage> images = list(options, coco);
  ImageDetector detector(options, model, categories);

  // Opened before the work, so that a wrong name is known at once.
  std::optional<CocoResults> coco_results;
  std::optional<CsvResults> csv;
  std::optional<AnnotatedImages> annotated;
  if (!options.coco_results.empty()) coco_results.emplace(options.coco_results, categories);
  if (!options.csv.empty()) csv.emplace(options.csv, categories);
  if (!options.annotated.empty()) annotated.emplace(options.annotated, images, categories);

  Tally tally(categories.size());
  {
    Progress progress(images.size());
    for (const ListedImage& listed : images) {
      if (interrupted != 0)
        throw Error("interrupted after " + std::to_string(tally.read) + " images; no results are kept");
      Image image;
      Detections detections;
      try {
        image = read_image(listed.path);
        detections = detector.detect(image);
      } catch (const Error& error) {
        const std::string what = error.what();
        progress.message(what.rfind(listed.path, 0) == 0 ? what : listed.path + ": " + what);
        ++tally.skipped;
        progress.advance();
        continue;
      }
      if (!image.warning.empty()) progress.message(listed.path + ": " + image.warning);
      if (coco_results) coco_results->add(listed, detections);
      if (csv) csv->add(listed, detections);
      if (annotated) annotated->write(listed, image.pixels, detections);
      tally.add(detections);
      progress.advance();
    }
  }
  if (coco_results) coco_results->commit();
  if (csv) csv->commit();
  tally.print(categories);
  std::printf("by %s\n", detector.description().c_str());
  if (tally.skipped == 0) return 0;
  std::fprintf(stderr, "smearscope-detect: %zu of %zu images were skipped\n", tally.skipped, images.size());
  return 1;
}

int run(const std::vector<std::string>& words) {
  const Options options = parse_options(words);
  int status = 0;
  if (options.help) {
    std::fputs(help_text, stdout);
  } else if (options.version) {
    std::puts("smearscope-detect " SMEARSCOPE_VERSION);
  } else {
    status = run(options);
  }
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
    throw Error("cannot write to the standard output");
  return status;
}

}  // namespace
}  // namespace smearscope::detect

int main(int argc, char** argv) {
  // A file grown too large is an error of its write, not the program's end.
  std::signal(SIGXFSZ, SIG_IGN);
  // An interrupt ends the work between two images, so that nothing half-written stays behind.
  std::signal(SIGINT, smearscope::detect::interrupt);
  std::signal(SIGTERM, smearscope::detect::interrupt);
  cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
  try {
    return smearscope::detect::run({argv + 1, argv + argc});
  } catch (const smearscope::detect::UsageError& error) {
    std::fprintf(stderr, "smearscope-detect: %s (see smearscope-detect --help)\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "smearscope-detect: %s\n", error.what());
    return 1;
  }
}
