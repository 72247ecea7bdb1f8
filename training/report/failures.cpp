#include "report/failures.h"

#include <algorithm>
#include <map>

#include "metrics/pairing.h"

namespace smearscope::training {
namespace {

using metrics::Box;
using metrics::FoundBox;
using metrics::Pair;
using metrics::TruthBox;

constexpr double held = 0.6;        // of a cell's area, for it to be in a detection
constexpr double similar_size = 3;  // of areas: a platelet on a red cell is no cluster
constexpr double touching = 0.02;   // IoU

// The failures of one image.
class ImageFailures {
 public:
  ImageFailures(const ReportData& data, std::size_t run, std::size_t image, std::vector<Failure>& to)
      : data_(data), run_(run), image_(image), to_(to) {
    const Run& r = data.runs[run];
    const metrics::Image& boxes = r.part->data.images[image];
    pairs_ = metrics::pairs_of(boxes, metrics::Labels::as_told, r.measured.count_threshold);
    truth_ = &boxes.truth;
  }

  void find() {
    std::vector<const TruthBox*> explained;  // missed cells that are part of a merger
    for (const Pair& pair : pairs_) {
      if (pair.found != nullptr) find_with_detection(pair, explained);
    }
    for (const Pair& pair : pairs_) {
      if (pair.found != nullptr || !known(*pair.truth)) continue;
      if (std::find(explained.begin(), explained.end(), pair.truth) == explained.end())
        add(kind_of_missed(*pair.truth), {*pair.truth}, {});
    }
  }

 private:
  bool known(const TruthBox& box) const {
    return data_.evaluated(run_, static_cast<std::size_t>(box.category));
  }

  void add(FailureKind kind, std::vector<TruthBox> truth, std::vector<FoundBox> found) {
    to_.push_back({kind, image_, std::move(truth), std::move(found)});
  }

  void find_with_detection(const Pair& pair, std::vector<const TruthBox*>& explained) {
    const std::vector<const TruthBox*> inside = merged_cells(pair);
    if (!inside.empty()) {
      explained.insert(explained.end(), inside.begin(), inside.end());
      std::vector<TruthBox> cells;
      for (const TruthBox* cell : inside) cells.push_back(*cell);
      add(FailureKind::merged, cells, {*pair.found});
    } else if (pair.truth == nullptr) {
      const TruthBox* taken = cell_under(*pair.found);
      if (taken == nullptr) add(FailureKind::false_alarm, {}, {*pair.found});
      if (taken != nullptr) add(FailureKind::found_twice, {*taken}, {*pair.found});
    } else if (known(*pair.truth) && pair.truth->category != pair.found->category &&
               !metrics::is_kind_of(data_.truth().categories, pair.found->category, pair.truth->category)) {
      add(FailureKind::wrong_class, {*pair.truth}, {*pair.found});
    }
  }

  const TruthBox* cell_under(const FoundBox& found) const {
    const auto place = std::find_if(truth_->begin(), truth_->end(), [&](const TruthBox& box) {
      return !box.crowd &&
             metrics::overlap(found.box, box.box, false) >= metrics::iou_thresholds()[metrics::iou_50];
    });
    return place == truth_->end() ? nullptr : &*place;
  }

  // Missed cells inside of the detection, and the one that it took; none if they are no two of a size.
  std::vector<const TruthBox*> merged_cells(const Pair& pair) const {
    std::vector<const TruthBox*> cells;
    for (const Pair& other : pairs_) {
      const bool is_own = pair.truth != nullptr && other.truth == pair.truth;
      const bool is_missed = other.found == nullptr && known(*other.truth);
      if (!is_own && !is_missed) continue;
      const double share = metrics::intersection(other.truth->box, pair.found->box) / other.truth->box.area();
      if (share >= held) cells.push_back(other.truth);
    }
    if (cells.size() < 2) return {};
    const auto by_area = [](const TruthBox* a, const TruthBox* b) { return a->box.area() < b->box.area(); };
    const auto [least, most] = std::minmax_element(cells.begin(), cells.end(), by_area);
    return (*most)->box.area() <= similar_size * (*least)->box.area() ? cells
                                                                      : std::vector<const TruthBox*>();
  }

  FailureKind kind_of_missed(const TruthBox& cell) const {
    if (data_.is_rare(static_cast<std::size_t>(cell.category))) return FailureKind::missed_rare;
    const bool touches = std::any_of(truth_->begin(), truth_->end(), [&](const TruthBox& other) {
      return &other != &cell && metrics::overlap(other.box, cell.box, false) > touching;
    });
    return touches ? FailureKind::missed_in_cluster : FailureKind::missed;
  }

  const ReportData& data_;
  std::size_t run_, image_;
  std::vector<Failure>& to_;
  std::vector<Pair> pairs_;
  const std::vector<TruthBox>* truth_ = nullptr;
};

// Class labelled and class found, -1 for none.
std::pair<int, int> classes_of(const Failure& failure) {
  return {failure.truth.empty() ? -1 : failure.truth.front().category,
          failure.found.empty() ? -1 : failure.found.front().category};
}

double score_of(const Failure& failure) {
  return failure.found.empty() ? 0 : failure.found.front().score;
}

}  // namespace

const FailureText& text_of(FailureKind kind) {
  static const std::array<FailureText, failure_kinds> texts{{
      {"Missed rare cells", "Nothing was found on a cell of a class that is rare in training."},
      {"Merged cells in clusters", "One box around several cells."},
      {"Missed in a cluster", "Nothing was found on a cell that touches others."},
      {"Missed, standing alone", "Nothing was found on any other cell."},
      {"Wrong class", "The cell was found, but taken for another."},
      {"Found twice", "A second box on a cell that a better one, mostly of another class, has taken."},
      {"False alarms", "A cell was found where none is labelled, though labels are complete there."},
  }};
  return texts[static_cast<std::size_t>(kind)];
}

std::vector<Failure> failures_of(const ReportData& data, std::size_t run) {
  std::vector<Failure> failures;
  for (std::size_t image = 0; image < data.runs[run].part->images.size(); ++image)
    ImageFailures(data, run, image, failures).find();
  return failures;
}

std::string description_of(const Failure& failure, const ReportData& data) {
  std::string text;
  for (const TruthBox& cell : failure.truth)
    text += (text.empty() ? "" : " + ") + data.class_name(static_cast<std::size_t>(cell.category));
  if (text.empty()) text = "nothing";
  if (failure.found.empty()) return text + ", missed";
  const FoundBox& found = failure.found.front();
  return text + " → " + data.class_name(static_cast<std::size_t>(found.category)) + " " +
         std::to_string(static_cast<int>(100 * found.score)) + "%";
}

std::array<std::size_t, failure_kinds> count_by_kind(const std::vector<Failure>& failures) {
  std::array<std::size_t, failure_kinds> counts{};
  for (const Failure& failure : failures) ++counts[static_cast<std::size_t>(failure.kind)];
  return counts;
}

std::vector<const Failure*> examples_of(FailureKind kind, const std::vector<Failure>& failures,
                                        const ReportData& data, std::size_t count) {
  std::map<std::pair<int, int>, std::vector<const Failure*>> by_classes;
  for (const Failure& failure : failures) {
    if (failure.kind == kind) by_classes[classes_of(failure)].push_back(&failure);
  }
  std::vector<std::vector<const Failure*>> groups;
  for (auto& [classes, group] : by_classes) {
    std::stable_sort(group.begin(), group.end(),
                     [](const Failure* a, const Failure* b) { return score_of(*a) > score_of(*b); });
    groups.push_back(std::move(group));
  }
  const auto rank = [&](const std::vector<const Failure*>& group) {
    const auto category = static_cast<std::size_t>(std::max(0, classes_of(*group.front()).first));
    if (kind != FailureKind::missed_rare) return -static_cast<double>(group.size());
    return static_cast<double>(data.train_boxes.empty() ? data.boxes(category) : data.train_boxes[category]);
  };
  std::stable_sort(groups.begin(), groups.end(),
                   [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  std::vector<const Failure*> examples;
  for (std::size_t round = 0; examples.size() < count; ++round) {
    const std::size_t before = examples.size();
    for (const auto& group : groups) {
      if (round < group.size() && examples.size() < count) examples.push_back(group[round]);
    }
    if (examples.size() == before) break;
  }
  return examples;
}

}  // namespace smearscope::training
