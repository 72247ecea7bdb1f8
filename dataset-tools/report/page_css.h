// report/page.css, embedded by the build (page_css.cpp.in).
#pragma once

namespace smearscope::corpus {

extern const char* const page_css;

}  // namespace smearscope::corpus
