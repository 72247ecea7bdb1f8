#include "report/paper_figures.h"

#include <algorithm>

namespace smearscope::training::paper {
namespace {

template <typename List>
auto named(const List& list, const std::string& name) -> decltype(list.data()) {
  const auto found =
      std::find_if(list.begin(), list.end(), [&](const auto& entry) { return entry.name == name; });
  return found == list.end() ? nullptr : &*found;
}

}  // namespace

std::optional<Pair> figure(double metrics::CocoFigures::*which) {
  using metrics::CocoFigures;
  static const std::vector<std::pair<double CocoFigures::*, Pair>> table{
      {&CocoFigures::ap, {0.2618, 0.2832}},        {&CocoFigures::ap50, {0.4437, 0.4476}},
      {&CocoFigures::ap75, {0.2911, 0.3316}},      {&CocoFigures::ap_small, {0.1935, 0.1866}},
      {&CocoFigures::ap_medium, {0.1490, 0.1578}}, {&CocoFigures::ap_large, {0.5113, 0.5618}},
      {&CocoFigures::ar100, {0.3989, 0.4133}}};
  for (const auto& [member, pair] : table) {
    if (member == which) return pair;
  }
  return {};
}

const std::array<ClassScore, 25> class_scores{{{"lymphocyte", {0.6620, 0.7023}},
                                               {"neutrophil", {0.6743, 0.6759}},
                                               {"eosinophil", {0.6390, 0.6797}},
                                               {"erythroblast", {0.6270, 0.6698}},
                                               {"immature_granulocytes", {0.5583, 0.6720}},
                                               {"monocyte", {0.5913, 0.6461}},
                                               {"segmented_neutrophil", {0.4032, 0.5930}},
                                               {"rbc", {0.5213, 0.5462}},
                                               {"platelet", {0.3704, 0.3839}},
                                               {"normal_rbc", {0.1150, 0.1896}},
                                               {"target_cell", {0.1536, 0.1173}},
                                               {"spherocyte", {0.2787, 0.3431}},
                                               {"macrocyte", {0.2475, 0.1630}},
                                               {"elliptocyte", {0.4420, 0.4269}},
                                               {"sickle_cell", {0.1140, 0.0702}},
                                               {"schistocyte", {0.0769, 0.1033}},
                                               {"teardrop", {0.0000, 0.0105}},
                                               {"burr_cell", {0.0000, 0.0053}},
                                               {"ovalocyte", {0.0089, 0.0044}},
                                               {"basophil", {0.0000, 0.0000}},
                                               {"microcyte", {0.0069, 0.0000}},
                                               {"hypochromia", {0.0031, 0.0425}},
                                               {"stomatocyte", {0.0517, 0.0356}},
                                               {"uncategorized", {0.0000, 0.0000}},
                                               {"wbc", {0.0000, 0.0000}}}};

const ClassScore* class_score(const std::string& name) {
  return named(class_scores, name);
}

const std::array<RareClass, 5> rare_classes{{{"basophil", 1221, 0.0000},
                                             {"uncategorized", 184, 0.0000},
                                             {"microcyte", 481, 0.0000},
                                             {"burr_cell", 785, 0.0053},
                                             {"teardrop", 307, 0.0105}}};

const RareClass* rare_class(const std::string& name) {
  return named(rare_classes, name);
}

const std::array<EpochLosses, 6> losses{{{1, {0.15953, 0.10625}, {0.12298, 0.09845}},
                                         {5, {0.11450, 0.09987}, {0.10834, 0.10290}},
                                         {10, {0.10704, 0.08577}, {0.10549, 0.09094}},
                                         {15, {0.09882, 0.08111}, {0.10232, 0.08686}},
                                         {20, {0.09995, 0.08122}, {0.09595, 0.08713}},
                                         {25, {0.10611, 0.08093}, {0.10756, 0.08666}}}};

}  // namespace smearscope::training::paper
