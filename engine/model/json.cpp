#include "model/json.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "model/text.h"

namespace smearscope {
namespace {

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Json document() {
    Json value = parse_value(0);
    skip_white_space();
    if (position_ != text_.size()) fail("text after the end of the JSON value");
    return value;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error("byte " + std::to_string(position_) + ": " + what);
  }

  bool at(char c) const { return position_ < text_.size() && text_[position_] == c; }
  bool at_digit() const {
    return position_ < text_.size() && text_[position_] >= '0' && text_[position_] <= '9';
  }

  bool take(char c) {
    if (!at(c)) return false;
    ++position_;
    return true;
  }

  void expect(char c) {
    if (!take(c))
      fail(position_ == text_.size() ? "the text ends too early" : std::string("expected '") + c + "'");
  }

  void skip_white_space() {
    while (at(' ') || at('\n') || at('\r') || at('\t')) ++position_;
  }

  Json parse_value(int depth) {
    if (depth > json_depth_limit) fail("nested deeper than " + std::to_string(json_depth_limit) + " levels");
    skip_white_space();
    if (position_ == text_.size()) fail("the text ends too early");
    switch (text_[position_]) {
      case '{':
        return parse_object(depth);
      case '[':
        return parse_array(depth);
      case '"':
        return parse_string();
      case 't':
      case 'f':
      case 'n':
        return parse_word();
      default:
        return parse_number();
    }
  }

  Json parse_object(int depth) {
    Json object = Json::object();
    expect('{');
    skip_white_space();
    if (take('}')) return object;
    do {
      skip_white_space();
      std::string key = parse_string();
      skip_white_space();
      expect(':');
      object.append(std::move(key), parse_value(depth + 1));
      skip_white_space();
    } while (take(','));
    expect('}');
    refuse_duplicate_keys(object);
    return object;
  }

  void refuse_duplicate_keys(const Json& object) const {
    std::vector<std::string_view> keys;
    keys.reserve(object.members.size());
    for (const JsonMember& member : object.members) keys.push_back(member.key);
    std::sort(keys.begin(), keys.end());
    const auto twice = std::adjacent_find(keys.begin(), keys.end());
    if (twice != keys.end()) fail("the object that ends here has the key " + quoted(*twice) + " twice");
  }

  Json parse_array(int depth) {
    Json array = Json::array();
    expect('[');
    skip_white_space();
    if (take(']')) return array;
    do {
      array.append(parse_value(depth + 1));
      skip_white_space();
    } while (take(','));
    expect(']');
    return array;
  }

  Json parse_word() {
    const auto take_word = [this](std::string_view word) {
      if (text_.substr(position_, word.size()) != word) return false;
      position_ += word.size();
      return true;
    };
    Json value;
    if (take_word("null")) return value;
    value.kind = Json::Kind::boolean;
    value.boolean = at('t');
    if (!take_word("true") && !take_word("false")) fail("expected a JSON value");
    return value;
  }

  void take_digits() {
    if (!at_digit()) fail("expected a digit");
    while (at_digit()) ++position_;
  }

  Json parse_number() {
    const std::size_t start = position_;
    const bool negative = take('-');
    if (!at_digit()) fail(negative ? "expected a digit" : "expected a JSON value");
    if (!take('0')) take_digits();
    if (take('.')) take_digits();
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      take_digits();
    }
    double number = 0;
    const std::from_chars_result result =
        std::from_chars(text_.data() + start, text_.data() + position_, number);
    if (result.ec != std::errc()) fail("a number out of range");
    return number;
  }

  std::string parse_string() {
    expect('"');
    const std::size_t start = position_;
    std::string out;
    while (!at('"')) {
      if (position_ == text_.size()) fail("the text ends inside a string");
      const char c = text_[position_++];
      if (static_cast<std::uint8_t>(c) < 0x20) fail("a control character in a string");
      if (c == '\\') {
        parse_escape(out);
      } else {
        out += c;
      }
    }
    // Escapes only add well-formed characters, so the string is UTF-8 if its raw bytes are.
    if (!is_utf8(text_.substr(start, position_ - start)))
      fail("the string that ends here is not valid UTF-8");
    ++position_;
    return out;
  }

  void parse_escape(std::string& out) {
    if (position_ == text_.size()) fail("the text ends inside a string");
    switch (text_[position_++]) {
      case '"':
        out += '"';
        return;
      case '\\':
        out += '\\';
        return;
      case '/':
        out += '/';
        return;
      case 'b':
        out += '\b';
        return;
      case 'f':
        out += '\f';
        return;
      case 'n':
        out += '\n';
        return;
      case 'r':
        out += '\r';
        return;
      case 't':
        out += '\t';
        return;
      case 'u':
        append_utf8(out, parse_code_point());
        return;
      default:
        fail("an unknown escape in a string");
    }
  }

  std::uint32_t parse_four_hex_digits() {
    if (text_.size() - position_ < 4) fail("the text ends inside a string");
    std::uint32_t code = 0;
    const char* end = text_.data() + position_ + 4;
    const std::from_chars_result result = std::from_chars(text_.data() + position_, end, code, 16);
    if (result.ec != std::errc() || result.ptr != end) fail("\\u needs four hexadecimal digits");
    position_ += 4;
    return code;
  }

  std::uint32_t parse_code_point() {
    const std::uint32_t code = parse_four_hex_digits();
    if (code < 0xD800 || code > 0xDFFF) return code;
    if (code > 0xDBFF || !take('\\') || !take('u')) fail("half a surrogate pair in a string");
    const std::uint32_t low = parse_four_hex_digits();
    if (low < 0xDC00 || low > 0xDFFF) fail("half a surrogate pair in a string");
    return 0x10000 + ((code - 0xD800) << 10U) + (low - 0xDC00);
  }

  static void append_utf8(std::string& out, std::uint32_t code) {
    const auto tail = [&out](std::uint32_t bits) { out += static_cast<char>(0x80U | (bits & 0x3FU)); };
    if (code < 0x80) {
      out += static_cast<char>(code);
    } else if (code < 0x800) {
      out += static_cast<char>(0xC0U | (code >> 6U));
      tail(code);
    } else if (code < 0x10000) {
      out += static_cast<char>(0xE0U | (code >> 12U));
      tail(code >> 6U);
      tail(code);
    } else {
      out += static_cast<char>(0xF0U | (code >> 18U));
      tail(code >> 12U);
      tail(code >> 6U);
      tail(code);
    }
  }

  std::string_view text_;
  std::size_t position_ = 0;
};

void write_string(std::string& out, std::string_view text) {
  constexpr const char* digits = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20) {
      out += {'\\', 'u', '0', '0', digits[byte >> 4U], digits[byte & 15U]};
    } else {
      out += c;
    }
  }
  out += '"';
}

void write_number(std::string& out, double number) {
  char buffer[32];
  const std::to_chars_result result = std::to_chars(buffer, buffer + sizeof buffer, number);
  out.append(buffer, result.ptr);
}

void write_value(std::string& out, const Json& value) {
  const char* separator = "";
  switch (value.kind) {
    case Json::Kind::null:
      out += "null";
      break;
    case Json::Kind::boolean:
      out += value.boolean ? "true" : "false";
      break;
    case Json::Kind::number:
      write_number(out, value.number);
      break;
    case Json::Kind::string:
      write_string(out, value.string);
      break;
    case Json::Kind::array:
      out += '[';
      for (const Json& item : value.items) {
        out += std::exchange(separator, ",");
        write_value(out, item);
      }
      out += ']';
      break;
    case Json::Kind::object:
      out += '{';
      for (const JsonMember& member : value.members) {
        out += std::exchange(separator, ",");
        write_string(out, member.key);
        out += ':';
        write_value(out, member.value);
      }
      out += '}';
      break;
  }
}

}  // namespace

void Json::append(Json value) {
  items.push_back(std::move(value));
}

void Json::append(std::string key, Json value) {
  members.push_back({std::move(key), std::move(value)});
}

Json parse_json(std::string_view text) {
  return Parser(text).document();
}

std::string write_json(const Json& value) {
  std::string out;
  write_value(out, value);
  return out;
}

}  // namespace smearscope
