// report/page.css of the training report, embedded by the build (run_page_css.cpp.in).
#pragma once

namespace smearscope::training {

extern const char* const run_page_css;

}  // namespace smearscope::training
