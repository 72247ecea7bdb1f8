// The slide as pixels: how much light each place lets through, painted once, tile by tile, where the stage
// goes.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <utility>
#include <vector>

#include "smear/slide.h"
#include "smear/stain.h"

namespace smearscope::smear {

// Transmitted light is stored as 16-bit fixed point: this is the empty field (values above it are brighter).
constexpr float transmission_one = 32768;

// Sharp as the objective's diffraction limit allows (NA 1.25, Gaussian of 0.09 um standard deviation), best
// focus. Not thread-safe. Remembers the tiles used last, at least enough for two fields of the size asked for
// last.
class Tiles {
 public:
  static constexpr int side = 256;  // pixels

  Tiles(const SlideSettings& slide, const Stain& stain, double pixel_um);

  // Copies `width` x `height` pixels (3 channels, no padding) whose top left one is pixel (column, row) of
  // the slide; pixel (0, 0) has its top left corner at the slide's origin.
  void copy(std::int64_t column, std::int64_t row, int width, int height, std::vector<std::uint16_t>& out);

  Slide& slide() { return slide_; }

 private:
  using Place = std::pair<std::int64_t, std::int64_t>;
  struct Tile {
    std::vector<std::uint16_t> transmission;
    std::list<Place>::iterator used;
  };

  const std::uint16_t* tile(Place place);
  std::vector<std::uint16_t> paint_tile(Place place);

  Slide slide_;
  Stain stain_;
  std::uint32_t background_texture_;
  double pixel_um_;
  std::map<Place, Tile> tiles_;
  std::list<Place> used_;  // longest unused first
};

}  // namespace smearscope::smear
