// Runs the tests if there is a GPU; says why not, and exits with 77 (skipped), if there is none.
#include <gtest/gtest.h>

#include <cstdio>

#include "smearscope/detector.h"

int main(int count, char** arguments) {
  ::testing::InitGoogleTest(&count, arguments);
  const std::string reason = smearscope::why_no_cuda();
  if (!reason.empty()) {
    std::printf("skipped: %s\n", reason.c_str());
    return 77;
  }
  return RUN_ALL_TESTS();
}
