#include "detection/class_filter.h"

#include <gtest/gtest.h>

#include "smearscope/error.h"

namespace smearscope {
namespace {

ModelInfo model_of(std::vector<std::string> classes, std::vector<int> parents = {}) {
  ModelInfo model;
  model.classes = std::move(classes);
  model.parents = std::move(parents);
  return model;
}

const ModelInfo known = model_of({"wbc", "rbc", "platelet"});

// Saying nothing keeps everything.
TEST(ClassFilter, EmptyListKeepsAll) {
  for (const char* wanted : {"", "  "}) {
    const ClassFilter filter(wanted, known);
    EXPECT_TRUE(filter.keeps_all());
    EXPECT_TRUE(filter.keeps(0) && filter.keeps(1) && filter.keeps(2));
  }
}

// Blanks around names are a person's habit, not part of the name.
TEST(ClassFilter, KeepsNamedClassesAlone) {
  const ClassFilter filter("platelet, wbc", known);
  EXPECT_FALSE(filter.keeps_all());
  EXPECT_TRUE(filter.keeps(0));
  EXPECT_FALSE(filter.keeps(1));
  EXPECT_TRUE(filter.keeps(2));
}

// Who asks for white cells wants the neutrophils, too, whatever the depth; but not the other way round.
TEST(ClassFilter, AClassStandsForItsKinds) {
  const ModelInfo model = model_of({"segmented", "wbc", "rbc", "neutrophil"}, {3, -1, -1, 1});
  const ClassFilter white("wbc", model), neutrophils("neutrophil", model);
  EXPECT_TRUE(white.keeps(0) && white.keeps(1) && white.keeps(3));
  EXPECT_FALSE(white.keeps(2));
  EXPECT_TRUE(neutrophils.keeps(0) && neutrophils.keeps(3));
  EXPECT_FALSE(neutrophils.keeps(1) || neutrophils.keeps(2));
}

// A misspelt class must not silently find nothing.
TEST(ClassFilter, UnknownNameIsRefusedWithThoseKnown) {
  for (const char* wanted : {"wcb", "WBC", "wbc rbc", "wbc,,rbc", ","}) {
    try {
      const ClassFilter filter(wanted, known);
      ADD_FAILURE() << "took \"" << wanted << '"';
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("wbc, rbc, platelet"), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace smearscope
