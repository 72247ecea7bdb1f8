// What goes wrong, sorted by kind (the paper's IV-F and Fig. 3).
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "report/report_data.h"

namespace smearscope::training {

enum class FailureKind {
  missed_rare,
  merged,
  missed_in_cluster,
  missed,
  wrong_class,
  found_twice,
  false_alarm
};
constexpr std::size_t failure_kinds = 7;
struct FailureText {
  const char *heading, *explanation;
};
const FailureText& text_of(FailureKind kind);

struct Failure {
  FailureKind kind;
  std::size_t image = 0;                 // index into CorpusPart::images
  std::vector<metrics::TruthBox> truth;  // the cells that it is about; none: false alarm
  std::vector<metrics::FoundBox> found;  // the detection; none: missed
};

// Of one run, labels as told, detections above its count threshold, paired with cells as in the confusion
// matrix (metrics/pairing.h). A failure is of one kind only, the first that fits:
//   merged             a detection holds two cells or more of similar size (each by 60% of its area), of
//   which
//                      it has at most one; the others were missed
//   missed_rare        a cell of a rare class (ReportData::is_rare) without a detection
//   missed_in_cluster  one that touches another labelled cell
//   missed             any other
//   wrong_class        a pair of two classes, but for a detection that is a kind of what the label says
//   found_twice        a detection on a cell (IoU 0.5) that a better one has taken
//   false_alarm        a detection where nothing is labelled and labels are complete
// Cells of classes that the model doesn't know are no failures.
std::vector<Failure> failures_of(const ReportData& data, std::size_t run);

// "microcyte → normal_rbc 87%".
std::string description_of(const Failure& failure, const ReportData& data);

std::array<std::size_t, failure_kinds> count_by_kind(const std::vector<Failure>& failures);

// Up to `count` of a kind, as different as possible: each combination of classes once before any comes again,
// the most frequent first, but with missed rare cells the rarest; highest scores first.
std::vector<const Failure*> examples_of(FailureKind kind, const std::vector<Failure>& failures,
                                        const ReportData& data, std::size_t count);

}  // namespace smearscope::training
