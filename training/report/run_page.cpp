#include "report/run_page.h"

#include <filesystem>
#include <opencv2/imgcodecs.hpp>

#include "model/file_writer.h"
#include "report/html.h"
#include "report/paper_figures.h"
#include "report/pictures.h"
#include "report/run_charts.h"
#include "report/run_page_css.h"
#include "report/run_tables.h"
#include "report/statistics.h"

namespace smearscope::training {
namespace {

using corpus::escaped;
using corpus::grouped;
using corpus::html_table;
using corpus::section;
using metrics::CocoFigures;
using metrics::Labels;

constexpr double png_scale = 2;                 // pixels of a PNG file to one of the page
constexpr std::size_t pictures_per_source = 3;  // Fig. 2
constexpr std::size_t examples_per_kind = 6;    // Fig. 3

// Letters that are safe in file names everywhere.
std::string file_part(const std::string& name) {
  std::string text;
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    text += plain ? c : '_';
  }
  return text;
}

std::string paragraph(const std::string& html) {
  return "<p class=\"note\">" + html + "</p>\n";
}

class Page {
 public:
  explicit Page(const ReportData& data) : data_(data) {}

  std::vector<ReportFile> files() {
    std::string html = corpus::page_begin("Training report", run_page_css);
    html += summary() + settings() + figures() + classes() + rare_classes() + losses() + precision_recall() +
            confusion() + counts() + calibration() + predictions() + failures() + corpus::page_end;
    files_.push_back({"report.html", html});
    return std::move(files_);
  }

 private:
  // On the page, and as a file.
  std::string chart(const std::string& name, const Drawing& drawing) {
    files_.push_back({name + ".png", png(drawing, png_scale)});
    return "<div class=\"chart\">" + svg(drawing) + "</div>\n";
  }
  void picture_file(const std::string& name, const std::vector<PictureRow>& rows, std::size_t columns) {
    std::vector<unsigned char> bytes;
    cv::imencode(".png", sheet_of(rows, columns), bytes);
    files_.push_back({name + ".png", std::string(bytes.begin(), bytes.end())});
  }
  // Number of the run in names of files, where there are several.
  std::string mark(std::size_t run) const {
    return data_.runs.size() > 1 ? std::to_string(run + 1) + "-" + file_part(data_.runs[run].name)
                                 : file_part(data_.runs[run].name);
  }

  std::string summary() const;
  std::string settings() const;
  std::string figures() const;
  std::string classes();
  std::string rare_classes() const;
  std::string losses();
  std::string precision_recall();
  std::string confusion();
  std::string counts();
  std::string calibration();
  std::string predictions();
  std::string failures();
  std::string failures_of_run(std::size_t run);

  const ReportData& data_;
  std::vector<ReportFile> files_;
};

std::string Page::summary() const {
  const CorpusPart& part = data_.part();
  std::string text =
      "<h1>Training report</h1>\n<p>" + grouped(data_.runs.size()) +
      (data_.runs.size() == 1 ? " run" : " runs") + ", measured on the part <b>" + escaped(part.name) +
      "</b> of <code>" + escaped(data_.corpus) + "</code> (digest <code>" + escaped(data_.corpus_digest) +
      "</code>).</p>\n<div class=\"tiles\">" + corpus::tile(part.images.size(), "images") +
      corpus::tile(part.boxes(), "boxes") + corpus::tile(data_.shown_classes().size(), "classes with boxes") +
      "</div>\n<ul class=\"runs\">\n";
  for (std::size_t r = 0; r < data_.runs.size(); ++r) {
    const Run& run = data_.runs[r];
    const Color color = run_color(r);
    text += "<li><i style=\"background:rgb(" + std::to_string(color.red) + "," + std::to_string(color.green) +
            "," + std::to_string(color.blue) + ")\"></i><b>" + escaped(run.name) + "</b>: model " +
            escaped(run.model->info().name) +
            (run.measured.through == "libtorch" ? ", through LibTorch" : ", through the engine") + " in " +
            escaped(run.measured.precision) + "</li>\n";
  }
  return text + "</ul>\n";
}

std::string Page::settings() const {
  std::string text = section("Settings",
                             "Table II. A setting that a regimen doesn't name is \u2013 here and has its "
                             "default.");
  const Table differing = differing_settings(data_);
  if (!differing.rows.empty()) text += "<h3>Where the runs differ</h3>\n" + html_table(differing);
  const Table shared = shared_settings(data_);
  if (shared.rows.empty()) return text;
  return text + (data_.runs.size() > 1 ? "<h3>The same in all</h3>\n" : "") + html_table(shared);
}

std::string Page::figures() const {
  std::string text =
      section("Accuracy",
              "Table III. COCO\u2019s figures, means over the classes that a model knows and the part has "
              "boxes of; change is against the first run, where both know the same classes.");
  if (is_papers_task(data_)) {
    text += paragraph(
        "The paper\u2019s figures (R1: random start, R2: COCO start) are of its own split of its own "
        "corpus: beside ours for orientation.");
  }
  if (!data_.labels_matter()) return text + html_table(figures_table(data_, Labels::as_complete));
  text += "<h3>COCO: labels taken as complete</h3>\n" + html_table(figures_table(data_, Labels::as_complete));
  return text + "<h3>Federated: labels taken as the corpus tells them</h3>\n" +
         paragraph(
             "Where a source doesn\u2019t label a class, or only its parent, a detection there is neither "
             "right nor "
             "wrong. What follows uses these figures unless it says otherwise.") +
         html_table(figures_table(data_, Labels::as_told));
}

std::string Page::classes() {
  std::string text =
      section("Classes", "Table IV. AP (IoU .50:.95) of each class, those with most boxes first.") +
      chart("classes", class_chart(data_));
  if (data_.labels_matter()) text += "<h3>AP, federated</h3>\n";
  text += html_table(class_table(data_, Labels::as_told, &CocoFigures::ap));
  text += paragraph(
      "The paper\u2019s text calls the scores of its Table IV mAP@.50; their means are just its mAP "
      "(IoU .50:.95), so they stand here as AP.");
  if (data_.labels_matter())
    text += "<h3>AP, labels taken as complete (COCO)</h3>\n" +
            html_table(class_table(data_, Labels::as_complete, &CocoFigures::ap));
  return text + "<h3>AP at IoU .50</h3>\n" +
         html_table(class_table(data_, Labels::as_told, &CocoFigures::ap50));
}

std::string Page::rare_classes() const {
  std::string text =
      section("Rare and failing classes",
              "Table V. Classes with less than 1 % of the boxes to train, those that no run finds (AP at "
              "IoU .50 below 0.1), and those of the paper\u2019s table.");
  const Table table = rare_table(data_);
  return text + (table.rows.empty() ? paragraph("There are none.") : html_table(table));
}

std::string Page::losses() {
  std::string text = section("Losses",
                             "Tables VI and VII. Sum of the four losses of Faster R-CNN; training: mean over "
                             "the epoch\u2019s steps.");
  std::string without;
  bool any = false;
  for (const Run& run : data_.runs) {
    any = any || !run.log.empty();
    if (run.log.empty()) without += (without.empty() ? "" : ", ") + escaped(run.name);
  }
  if (!without.empty()) text += paragraph("No train-log.csv: " + without + ".");
  if (!any) return text;
  text += chart("loss", loss_chart(data_)) + html_table(loss_table(data_));
  return text +
         paragraph(
             "Losses compare between runs only where network, sampling and loss functions are the same.");
}

std::string Page::precision_recall() {
  return section("Precision and recall",
                 "Mean over the classes, then each class at IoU .5 with the number of its boxes.") +
         chart("precision-recall", mean_precision_recall(data_)) +
         chart("precision-recall-classes", class_precision_recall(data_));
}

std::string Page::confusion() {
  std::string text = section("Confusion",
                             "What was labelled (rows) and what was found there (columns): detections above "
                             "the score threshold, paired with boxes at IoU .5 whatever their class. "
                             "Shade: share of the row.");
  for (std::size_t r = 0; r < data_.runs.size(); ++r) {
    if (data_.runs.size() > 1) text += "<h3>" + escaped(data_.runs[r].name) + "</h3>\n";
    text += chart("confusion-" + mark(r), confusion_chart(data_, r));
  }
  return text;
}

std::string Page::counts() {
  return section("Counts",
                 "Cells found above the score threshold against cells labelled, over the images where all "
                 "cells of the class are labelled. &ldquo;An image&rdquo;: mean absolute error.") +
         chart("counts", counts_chart(data_)) + html_table(counts_table(data_));
}

std::string Page::calibration() {
  return section("Calibration",
                 "Of detections with a score near 0.9, nine of ten should be right. The error is the "
                 "mean distance from that (expected calibration error, 15 bins); best F1: what score "
                 "threshold suits the class on this part.") +
         chart("calibration", calibration_chart(data_)) + html_table(thresholds_table(data_));
}

std::string Page::predictions() {
  std::string text = section("Predictions",
                             "Fig. 2. Images of every source that between them show as many classes as "
                             "possible: labelled, and found above the score threshold.");
  std::vector<PictureRow> all;
  for (const SourcePictures& source : prediction_pictures(data_, pictures_per_source)) {
    text += "<h3>" + escaped(source.source.empty() ? "without a source" : source.source) + "</h3>\n";
    for (const PictureRow& row : source.rows) {
      text += "<div class=\"row of" + std::to_string(std::min<std::size_t>(4, row.pictures.size())) + "\">\n";
      for (std::size_t i = 0; i < row.pictures.size(); ++i) {
        const std::string what = i == 0 ? "labelled" : data_.runs[i - 1].name;
        text += corpus::figure(row.pictures[i], row.caption + ", " + what,
                               i == 0 ? "labelled: " + escaped(row.caption) : escaped(what));
      }
      text += "</div>\n";
      all.push_back(row);
    }
  }
  picture_file("predictions", all, 1);
  return text;
}

std::string Page::failures() {
  std::string text =
      section("Failures",
              "Fig. 3. What goes wrong, by kind. Left: labelled, right: found; thin and dashed: cells "
              "that the failure is not about.");
  for (std::size_t r = 0; r < data_.runs.size(); ++r) text += failures_of_run(r);
  return text;
}

std::string Page::failures_of_run(std::size_t run) {
  const std::vector<Failure> failures = training::failures_of(data_, run);
  const auto counts = count_by_kind(failures);
  Table table{{"kind", "how often"}, {}};
  std::string cards;
  std::vector<PictureRow> all;
  for (std::size_t k = 0; k < failure_kinds; ++k) {
    const FailureText& about = text_of(static_cast<FailureKind>(k));
    table.rows.push_back({about.heading, grouped(counts[k])});
    if (counts[k] == 0) continue;
    cards += std::string("<h3>") + about.heading + "</h3>\n<p>" + about.explanation +
             "</p>\n<div class=\"cards\">\n";
    for (const Failure* failure :
         examples_of(static_cast<FailureKind>(k), failures, data_, examples_per_kind)) {
      PictureRow row = failure_picture(data_, run, *failure);
      const std::string what = description_of(*failure, data_);
      cards += "<div class=\"card\"><div class=\"row of2\">" +
               corpus::figure(row.pictures[0], "labelled", "") +
               corpus::figure(row.pictures[1], "found", "") + "</div><p><b>" + escaped(what) + "</b><br/>" +
               escaped(row.caption) + "</p></div>\n";
      row.caption = what;
      all.push_back(std::move(row));
    }
    cards += "</div>\n";
  }
  if (!all.empty()) picture_file("failures-" + mark(run), all, 3);
  const std::string heading = data_.runs.size() > 1 ? "<h3>" + escaped(data_.runs[run].name) + "</h3>\n" : "";
  return heading + html_table(table) + cards;
}

}  // namespace

std::vector<ReportFile> report_files(const ReportData& data) {
  return Page(data).files();
}

void write_report(const std::string& folder, const std::vector<ReportFile>& files) {
  for (const ReportFile& file : files) {
    const std::string path = (std::filesystem::path(folder) / file.name).string();
    replace_file(path, {{file.bytes.data(), file.bytes.size()}});
  }
}

}  // namespace smearscope::training
