// Anti-aliased text as small pictures, each rendered once (Pango and Cairo).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "draw/palette.h"

namespace smearscope::draw {

// A small picture: rows top to bottom, dense, one 0xAARRGGBB word per pixel, colours multiplied by alpha.
struct Patch {
  std::uint64_t serial = 0;  // unique in the process, never used again
  int width = 0, height = 0;
  std::vector<std::uint32_t> pixels;
};

struct TextStyle {
  int size = 12;  // height of the font in pixels
  bool bold = false;
  Color color = white;
  bool filled = false;  // on a plate of `background` with a margin, else on nothing
  Color background = black;
};

// One thread at a time.
class TextCache {
 public:
  // `font`: a Pango family list, such as "Sans" or "DejaVu Sans, Noto Sans".
  explicit TextCache(const std::string& font);
  ~TextCache();
  TextCache(const TextCache&) = delete;
  TextCache& operator=(const TextCache&) = delete;

  // One line of text. Bytes that are not UTF-8 are shown as U+FFFD, line breaks and other control characters
  // as spaces, and more than 40 characters end in an ellipsis. The picture lives until trim().
  const Patch& render(const std::string& text, const TextStyle& style);

  // Forgets all pictures if they have become many. Call it where no picture is in use.
  void trim();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace smearscope::draw
