// Text and numbers in comma-separated values.
#pragma once

#include <charconv>
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

// With so many digits after the point, which is a point in every locale: a comma would be one column more.
inline std::string decimal(double value, int digits) {
  char text[400];  // the largest double has 309 digits
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, digits);
  return {text, end.ptr};
}

}  // namespace smearscope::csv
