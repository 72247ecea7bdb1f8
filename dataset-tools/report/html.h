// Pieces of a page that needs nothing else, no network and no script.
#pragma once

#include <opencv2/core/mat.hpp>
#include <string>

#include "report/tables.h"

namespace smearscope::corpus {

// Text with &, <, >, " and ' as HTML entities, and control characters as spaces.
std::string escaped(const std::string& text);

// From the doctype to the opened body; `title` is text, `css` follows report/page.css. The page ends with
// page_end.
std::string page_begin(const std::string& title, const std::string& css = "");
extern const char* const page_end;

// Heading and a paragraph under it, both HTML.
std::string section(const std::string& heading, const std::string& explanation);

// A table that scrolls sideways where it is too wide; all cells are text.
std::string html_table(const Table& table);

// A number over what it counts.
std::string tile(std::size_t number, const std::string& what);

// The picture (BGR) as a JPEG inside the page, `caption` (HTML) below it; `alternative` is text for those who
// don't see it.
std::string figure(const cv::Mat& picture, const std::string& alternative, const std::string& caption);

}  // namespace smearscope::corpus
