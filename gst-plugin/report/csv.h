// Text in comma-separated values.
#pragma once

#include <string>

namespace smearscope::csv {

// With quotes where RFC 4180 needs them.
inline std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

}  // namespace smearscope::csv
