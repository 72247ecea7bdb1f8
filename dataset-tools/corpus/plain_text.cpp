#include "corpus/plain_text.h"

#include <cstdio>

namespace smearscope::corpus {
namespace {

constexpr std::size_t longest_shown = 60;  // bytes

bool is_continuation(const std::string& text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
}

// Bytes of the character that begins at `at`; 0 if none does (Unicode 15, table 3-7).
std::size_t character_length(const std::string& text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  if (first < 0x80) return first >= ' ' && first != 0x7F ? 1 : 0;
  const std::size_t length = first >= 0xC2 && first <= 0xDF   ? 2
                             : (first & 0xF0) == 0xE0         ? 3
                             : first >= 0xF0 && first <= 0xF4 ? 4
                                                              : 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (!is_continuation(text, at + i)) return 0;
  }
  if (length == 0) return 0;
  const unsigned char second = byte(at + 1);
  const bool wrong = (first == 0xC2 && second < 0xA0) ||  // C1 control characters
                     (first == 0xE0 && second < 0xA0) || (first == 0xED && second >= 0xA0) ||
                     (first == 0xF0 && second < 0x90) || (first == 0xF4 && second >= 0x90);
  return wrong ? 0 : length;
}

std::string escaped(const std::string& text, std::size_t most) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    if (at >= most) return result + "...";
    const std::size_t length = character_length(text, at);
    if (length > 0) {
      result += text.substr(at, length);
      at += length;
    } else {
      char code[8];
      std::snprintf(code, sizeof code, "\\x%02X", static_cast<unsigned char>(text[at++]));
      result += code;
    }
  }
  return result;
}

}  // namespace

bool is_plain_text(const std::string& text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = character_length(text, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

std::string shown(const std::string& text) {
  return escaped(text, longest_shown);
}

std::string in_one_line(const std::string& text) {
  return escaped(text, text.size());
}

}  // namespace smearscope::corpus
