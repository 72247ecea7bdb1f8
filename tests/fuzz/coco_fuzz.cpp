// The reader of COCO JSON against arbitrary bytes: it may refuse them with Error of one line, and nothing
// else may happen. What it accepts makes sense.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "corpus/coco.h"

namespace smearscope::corpus {
namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void require_sound(const CocoPart& part) {
  const int classes = static_cast<int>(part.classes.size());
  for (const Class& c : part.classes) require(c.parent >= -1 && c.parent < classes);
  for (const Image& image : part.images) {
    const std::filesystem::path name(image.file);
    require(!name.is_absolute() &&
            std::find(name.begin(), name.end(), "..") == name.end());  // "..a" is a name
    for (const Annotation& a : image.annotations) {
      require(a.category >= 0 && a.category < classes);
      require(a.box.x_min >= 0 && a.box.y_min >= 0 && a.box.width() > 0 && a.box.height() > 0);
      require(a.box.x_max <= image.width && a.box.y_max <= image.height);
    }
    for (const int category : image.absent) require(category >= 0 && category < classes);
  }
}

void read(const std::uint8_t* data, std::size_t size) {
  const int descriptor = ::memfd_create("coco", MFD_CLOEXEC);
  require(::write(descriptor, data, size) == static_cast<::ssize_t>(size));
  const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
  try {
    require_sound(read_coco(path, "images"));
  } catch (...) {
    ::close(descriptor);
    throw;
  }
  ::close(descriptor);
}

}  // namespace
}  // namespace smearscope::corpus

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    smearscope::corpus::read(data, size);
  } catch (const smearscope::Error& error) {
    smearscope::corpus::require(std::string_view(error.what()).find('\n') == std::string_view::npos);
  }
  return 0;
}
