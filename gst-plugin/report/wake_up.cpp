#include "report/wake_up.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace smearscope {

WakeUp::WakeUp() : descriptor_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

WakeUp::~WakeUp() {
  close(descriptor_);
}

// It fails only where it would make no difference: when it has rung very often.
void WakeUp::ring() {
  (void)!eventfd_write(descriptor_, 1);
}

void WakeUp::clear() {
  eventfd_t rings = 0;
  (void)!eventfd_read(descriptor_, &rings);
}

}  // namespace smearscope
