// fetch/sources.toml, embedded by the build (sources_toml.cpp.in).
#pragma once

namespace smearscope::corpus {

extern const char* const sources_toml;

}  // namespace smearscope::corpus
