// Stands in for the CPU backend in a build without it.
#include "network/backend.h"

namespace smearscope {

std::unique_ptr<Backend> make_cpu_backend(const Model&, Precision, int, Observer) {
  throw Error(
      "device cpu asked for, but this build has no CPU engine; configure with -Dcpu=enabled (needs oneDNN)");
}

}  // namespace smearscope
