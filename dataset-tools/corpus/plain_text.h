// Texts that come from files of strangers and go into tables, JSON and messages.
#pragma once

#include <string>

namespace smearscope::corpus {

// UTF-8 (no surrogates, no overlong forms) without control characters?
bool is_plain_text(const std::string& text);

// For messages: in one line and not long; bytes that are no plain text as \xNN, what is cut as "...".
std::string shown(const std::string& text);
std::string shown_name(const std::string& name);  // whole, however long: names of files are to be found again

}  // namespace smearscope::corpus
