#include "metrics/confusion.h"

#include "metrics/pairing.h"

namespace smearscope::metrics {

Confusion confusion_of(const Data& data, Labels labels, double threshold) {
  Confusion confusion(data.categories.size());
  const auto place = [&](const auto* box) {
    return box ? static_cast<std::size_t>(box->category) : confusion.background();
  };
  for (const Image& image : data.images) {
    for (const Pair& pair : pairs_of(image, labels, threshold))
      confusion.add(place(pair.truth), place(pair.found));
  }
  return confusion;
}

}  // namespace smearscope::metrics
