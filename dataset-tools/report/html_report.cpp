#include "report/html_report.h"

#include <algorithm>
#include <cmath>

#include "report/charts.h"
#include "report/html.h"
#include "report/samples.h"
#include "report/tables.h"

namespace smearscope::corpus {
namespace {

constexpr std::size_t samples_per_source = 9;
constexpr std::size_t listed_files = 200;

std::string legend(const Statistics& statistics) {
  std::string text = "<div class=\"legend\">";
  for (std::size_t s = 0; s < statistics.sources.size(); ++s) {
    text += "<span><i style=\"background:" + series_color(s) + "\"></i>" +
            escaped(statistics.sources[s].name) + "</span>";
  }
  return text + "</div>\n";
}

// Indices of the classes that have boxes, most boxes first.
std::vector<std::size_t> classes_by_count(const Statistics& statistics) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < statistics.classes.size(); ++i) {
    if (statistics.total.per_class[i].boxes > 0) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return statistics.total.per_class[a].boxes > statistics.total.per_class[b].boxes;
  });
  return order;
}

std::string summary(const PageTitle& title, const Statistics& statistics) {
  std::size_t left_out = 0;
  for (const auto& [rule, count] : statistics.total.left_out) left_out += count;
  return "<h1>Corpus " + escaped(title.name) + "</h1>\n<p>Blood cells in microscope images, from " +
         grouped(statistics.sources.size()) + (statistics.sources.size() == 1 ? " source" : " sources") +
         ". Digest <code>" + escaped(title.digest) + "</code></p>\n<div class=\"tiles\">" +
         tile(statistics.total.images, "images") + tile(statistics.total.boxes, "boxes") +
         tile(statistics.total.classes, "classes") + tile(left_out, "files left out") + "</div>\n";
}

std::string class_counts(const Statistics& statistics) {
  std::vector<std::string> names;
  for (const SourceStatistics& s : statistics.sources) names.push_back(s.name);
  std::vector<Bar> bars;
  for (const std::size_t i : classes_by_count(statistics)) {
    Bar bar{statistics.classes[i].name, {}};
    for (const SourceStatistics& s : statistics.sources) bar.parts.push_back(s.per_class[i].boxes);
    bars.push_back(std::move(bar));
  }
  return section("Classes",
                 "Boxes of each class, by source. A box counts once, for the finest class that its label "
                 "names.") +
         legend(statistics) + bar_chart(bars, names) + html_table(classes_table(statistics));
}

std::string box_sizes(const Statistics& statistics) {
  std::vector<float> sides;
  for (const auto& c : statistics.total.per_class)
    sides.insert(sides.end(), c.box_sides.begin(), c.box_sides.end());
  std::sort(sides.begin(), sides.end());
  // A round number that nearly all are below; those above count in the last bar.
  const double high = std::max(40.0, 40 * std::ceil(quantile(sides, 0.998) / 40));
  std::string text = section("Box sizes",
                             "Side of the square of the same area, in pixels of the image; colours as "
                             "above. Sources differ in scale: see the pixel sizes below.");
  text += legend(statistics) + "<div class=\"charts\">\n";
  for (const std::size_t i : classes_by_count(statistics)) {
    std::vector<Series> series;
    for (std::size_t s = 0; s < statistics.sources.size(); ++s) {
      series.push_back({s, &statistics.sources[s].per_class[i].box_sides});
    }
    text += histogram(statistics.classes[i].name, series, 0, high, 40, "px") + "\n";
  }
  return text + "</div>\n";
}

std::string pixel_sizes(const Statistics& statistics) {
  std::string text = section("Pixel sizes",
                             "Micrometres of slide per pixel, estimated for each image from its red "
                             "cells (7.5 µm across); no estimate where too few can be measured.");
  text += html_table(pixel_sizes_table(statistics));
  if (statistics.total.pixel_sizes.empty()) return text;
  const double high = 0.05 * std::ceil(statistics.total.pixel_sizes.back() / 0.05);
  text += "<div class=\"charts\">\n";
  for (std::size_t s = 0; s < statistics.sources.size(); ++s) {
    const SourceStatistics& source = statistics.sources[s];
    if (source.pixel_sizes.empty()) continue;
    text += histogram(source.name, {{s, &source.pixel_sizes}}, 0, high, 50, "µm/px") + "\n";
  }
  return text + "</div>\n";
}

std::string sample_figure(const Image& image, const std::vector<Class>& classes) {
  const cv::Mat picture = drawn_sample(image, classes, {}, 480, 480, 1.4);  // shown at two thirds
  const std::string name = image.source_file.empty() ? image.file : image.source_file;
  return figure(picture, name + " with its boxes",
                escaped(name) + (image.part.empty() ? "" : " (" + escaped(image.part) + ")"));
}

std::string samples(const StoredCorpus& corpus, const Statistics& statistics) {
  std::string text = section("Samples",
                             "Images of each source that between them show as many of its classes as "
                             "possible. A dashed box is a stand-in of the usual size.");
  for (const SourceStatistics& source : statistics.sources) {
    if (source.images == 0) continue;
    text += "<h3>" + escaped(source.name) + "</h3>\n<div class=\"samples\">\n";
    for (const std::size_t index : sample_images(corpus, {source.name, -1}, samples_per_source))
      text += sample_figure(corpus.images[index], corpus.classes);
    text += "</div>\n";
  }
  return text;
}

std::string completeness_cell(const SourceStatistics& source, std::size_t category) {
  const auto& c = source.per_class[category];
  const std::size_t known = c.exhaustive + c.absent;
  const std::string tip = grouped(c.exhaustive) + " images with every cell boxed, " + grouped(c.absent) +
                          " without such cells, " + grouped(c.partial) + " boxed in part, of " +
                          grouped(source.images);
  const char* style = known == source.images && known > 0 ? "all" : known + c.partial > 0 ? "some" : "none";
  const std::string text = known > 0 ? percent(known, source.images) : c.partial > 0 ? "in part" : "unknown";
  return std::string("<td class=\"state ") + style + "\" title=\"" + tip + "\">" + text + "</td>";
}

std::string completeness(const Statistics& statistics) {
  std::string text = section("Completeness of labels",
                             "Of how many images it is known that every cell of the class has a box, or that "
                             "there is none. &ldquo;In "
                             "part&rdquo;: some have boxes, others may lack one. &ldquo;Unknown&rdquo;: the "
                             "source doesn't label this class. "
                             "What is not known to be complete must not count as background.");
  text += "<div class=\"wide\"><table><thead><tr><th>class</th>";
  for (const SourceStatistics& s : statistics.sources) text += "<th>" + escaped(s.name) + "</th>";
  text += "</tr></thead><tbody>\n";
  for (std::size_t i = 0; i < statistics.classes.size(); ++i) {
    text += "<tr><td>" + escaped(statistics.classes[i].name) + "</td>";
    for (const SourceStatistics& s : statistics.sources) text += completeness_cell(s, i);
    text += "</tr>\n";
  }
  return text + "</tbody></table></div>\n";
}

std::string changes(const StoredCorpus& corpus, const Statistics& statistics) {
  const Table table = changes_table(statistics);
  std::string text =
      section("Repairs and files left out",
              "How often each was done; <code>provenance.csv</code> in the corpus says to what and why.");
  text += table.rows.empty() ? "<p>Nothing is recorded.</p>\n" : html_table(table);
  if (corpus.left_out.empty()) return text;
  text += "<details><summary>Files left out</summary>\n";
  Table files{{"file", "why"}, {}, false};
  for (std::size_t i = 0; i < std::min(listed_files, corpus.left_out.size()); ++i) {
    const LeftOut file = corpus.left_out[i];
    files.rows.push_back(
        {file.source + " " + file.source_file, file.change.rule + ": " + file.change.detail});
  }
  text += html_table(files);
  if (corpus.left_out.size() > listed_files) {
    text += "<p>and " + grouped(corpus.left_out.size() - listed_files) + " more.</p>\n";
  }
  return text + "</details>\n";
}

}  // namespace

std::string html_report(const PageTitle& title, const StoredCorpus& corpus, const Statistics& statistics) {
  return page_begin("Corpus " + title.name) + summary(title, statistics) +
         section("Sources", "What each source contributes.") + html_table(sources_table(statistics)) +
         html_table(origins_table(statistics)) + class_counts(statistics) + box_sizes(statistics) +
         pixel_sizes(statistics) + samples(corpus, statistics) + completeness(statistics) +
         changes(corpus, statistics) + page_end;
}

}  // namespace smearscope::corpus
