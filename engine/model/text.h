// Text from outside: is it UTF-8, and how to show it in one line of a message.
#pragma once

#include <string>
#include <string_view>

namespace smearscope {

// Well-formed UTF-8 (Unicode 15, table 3-7): no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text);

enum class LineBreaks { allowed, refused };

// True if valid UTF-8 `text` holds C0 or C1 control characters or DEL, which a terminal might obey. Tabs and
// line breaks count unless allowed.
bool has_control_characters(std::string_view text, LineBreaks line_breaks);

// `text` in single quotes for a message: bytes that are not printable UTF-8 as \xNN, at most about 80 bytes.
std::string quoted(std::string_view text);

}  // namespace smearscope
