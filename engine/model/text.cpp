#include "model/text.h"

#include <cstddef>
#include <cstdint>

namespace smearscope {
namespace {

// Length of the well-formed character at the start of `text`, 0 if there is none.
std::size_t utf8_character_length(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  if (text.empty()) return 0;
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  // Only the second byte's range depends on the first.
  const std::uint8_t lowest = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const std::uint8_t highest = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < lowest || byte(1) > highest) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if (byte(i) < 0x80 || byte(i) > 0xBF) return 0;
  }
  return length;
}

bool is_control(std::string_view character) {
  const auto lead = static_cast<std::uint8_t>(character[0]);
  if (character.size() == 1) return lead < 0x20 || lead == 0x7F;
  return character.size() == 2 && lead == 0xC2 && static_cast<std::uint8_t>(character[1]) < 0xA0;
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_character_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

bool has_control_characters(std::string_view text, LineBreaks line_breaks) {
  while (!text.empty()) {
    const std::size_t length = utf8_character_length(text);
    if (length == 0) return true;
    const char first = text[0];
    const bool line_break = first == '\n' || first == '\r' || first == '\t';
    if (is_control(text.substr(0, length)) && !(line_break && line_breaks == LineBreaks::allowed))
      return true;
    text.remove_prefix(length);
  }
  return false;
}

std::string quoted(std::string_view text) {
  constexpr std::size_t longest = 80;
  constexpr const char* digits = "0123456789abcdef";
  std::string out = "'";
  while (!text.empty()) {
    if (out.size() > longest) return out + "...'";
    const std::size_t length = utf8_character_length(text);
    if (length > 0 && !is_control(text.substr(0, length))) {
      out += text.substr(0, length);
      text.remove_prefix(length);
    } else {
      const auto byte = static_cast<std::uint8_t>(text[0]);
      out += {'\\', 'x', digits[byte >> 4U], digits[byte & 15U]};
      text.remove_prefix(1);
    }
  }
  return out + "'";
}

}  // namespace smearscope
