#include "network/memory_layout.h"

#include <algorithm>

namespace smearscope::network {
namespace {

std::size_t end_of(const Lifetime& buffer) {
  return buffer.offset + (buffer.bytes + 63) / 64 * 64;
}

}  // namespace

std::size_t lay_out(std::vector<Lifetime>& buffers) {
  std::vector<Lifetime*> order;
  for (Lifetime& buffer : buffers) order.push_back(&buffer);
  std::stable_sort(order.begin(), order.end(),
                   [](const Lifetime* a, const Lifetime* b) { return a->first < b->first; });
  std::vector<const Lifetime*> alive;  // by rising offset
  std::size_t total = 0;
  for (Lifetime* buffer : order) {
    alive.erase(std::remove_if(alive.begin(), alive.end(),
                               [&](const Lifetime* other) { return other->last < buffer->first; }),
                alive.end());
    buffer->offset = 0;
    auto place = alive.begin();
    while (place != alive.end() && end_of(*buffer) > (*place)->offset) buffer->offset = end_of(**place++);
    alive.insert(place, buffer);
    total = std::max(total, end_of(*buffer));
  }
  return total;
}

}  // namespace smearscope::network
