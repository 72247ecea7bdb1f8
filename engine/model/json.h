// JSON (RFC 8259), as much as the model file needs, strict: the input is a stranger's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "smearscope/error.h"

namespace smearscope {

struct JsonMember;

// A value and everything under it. `items` belongs to arrays, `members` (in file order) to objects.
struct Json {
  enum class Kind { null, boolean, number, string, array, object };

  Json() = default;
  Json(double number) : kind(Kind::number), number(number) {}
  Json(std::string text) : kind(Kind::string), string(std::move(text)) {}
  static Json array() { return Json(Kind::array); }
  static Json object() { return Json(Kind::object); }

  // For building: appends to an array, to an object. The caller sees to it that keys are unique.
  void append(Json value);
  void append(std::string key, Json value);

  Kind kind = Kind::null;
  bool boolean = false;
  double number = 0;
  std::string string;
  std::vector<Json> items;
  std::vector<JsonMember> members;

 private:
  explicit Json(Kind kind) : kind(kind) {}
};

struct JsonMember {
  std::string key;
  Json value;
};

// Deeper nesting than this is refused, so that a file can't exhaust the stack.
inline constexpr int json_depth_limit = 32;

// Parses one value with nothing but white space around it. Refuses invalid UTF-8, lone surrogates, control
// characters in strings, duplicate keys, numbers that no double holds, and nesting beyond json_depth_limit.
// Throws Error whose text begins with the byte offset.
Json parse_json(std::string_view text);

// Compact UTF-8 text; numbers with as many digits as it takes to read the same double. Numbers must be
// finite.
std::string write_json(const Json& value);

}  // namespace smearscope
