#include "tools/commands.h"

namespace smearscope::corpus {

int run_fetch(const Arguments&) {
  throw Error("this smearscope-corpus was built without fetch: build it where libcurl and libarchive are");
}

}  // namespace smearscope::corpus
