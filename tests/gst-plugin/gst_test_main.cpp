// main() of the element tests: GStreamer first, then GoogleTest. Exits with 77 (skipped) if every test was
// skipped.
#include <gst/gst.h>
#include <gtest/gtest.h>

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  testing::InitGoogleTest(&argc, argv);
  const int failed = RUN_ALL_TESTS();
  gst_deinit();
  const testing::UnitTest& tests = *testing::UnitTest::GetInstance();
  const bool skipped = tests.skipped_test_count() > 0 && tests.successful_test_count() == 0;
  return failed == 0 && skipped ? 77 : failed;
}
