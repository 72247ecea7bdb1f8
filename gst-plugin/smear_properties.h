// The properties of smeartestsrc: their documentation, ranges and defaults, and what they set.
#pragma once

#include <glib-object.h>

#include "smear/corpus_writer.h"
#include "smear/microscope.h"
#include "smear/stage.h"

namespace smearscope::smear {

struct TestSrcProperties {
  MicroscopeSettings microscope;
  StageSettings stage;
  CorpusSettings corpus;  // no folder: no corpus
  bool ground_truth = true;
};

constexpr guint prop_is_live = 1;  // belongs to the base class, the element keeps it

void install_properties(GObjectClass* object_class);

// False if there is no property of this id.
bool set_property(TestSrcProperties& properties, guint id, const GValue* value);
bool get_property(const TestSrcProperties& properties, guint id, GValue* value);

}  // namespace smearscope::smear
