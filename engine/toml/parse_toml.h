// TOML that users write: tables, settings, regimens.
#pragma once

#include <toml++/toml.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "smearscope/error.h"

namespace smearscope {

// toml::parse for a text that may be anything. toml++ bounds how deep values nest (256), but not how many
// levels a key has (a.a.a...), and takes its tables apart by recursion: a key of 30,000 levels overflows the
// stack. So a line may have 100 dots at most. Throws Error of one line, `name` and the line first.
inline toml::table parse_toml(std::string_view text, const std::string& name) {
  const auto place = [&name](std::size_t line) { return name + ": line " + std::to_string(line) + ": "; };
  constexpr std::ptrdiff_t most_dots = 100;
  for (std::size_t begin = 0, line = 1; begin < text.size(); ++line) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view content = text.substr(begin, end - begin);
    if (std::count(content.begin(), content.end(), '.') > most_dots)
      throw Error(place(line) + "has more than 100 dots, which no key or list needs");
    begin = end + 1;
  }
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& problem) {
    std::string what(problem.description());
    // It may quote the text, with characters that a terminal obeys.
    std::replace_if(
        what.begin(), what.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    throw Error(place(problem.source().begin.line) + what);
  }
}

}  // namespace smearscope
