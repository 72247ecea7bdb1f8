// Texts that come from files of strangers and go into tables, JSON and messages.
#pragma once

#include <string>

namespace smearscope::corpus {

// UTF-8 (no surrogates, no overlong forms) without control characters?
bool is_plain_text(const std::string& text);

// For messages: bytes that are no plain text as \xNN. `shown` cuts long texts, and says so with "...".
std::string in_one_line(const std::string& text);
std::string shown(const std::string& text);

}  // namespace smearscope::corpus
