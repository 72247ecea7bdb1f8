// Writes a model with random weights, for tests in Python: write_random_model BACKBONE FPN HEAD CLASSES SEED OUT
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tiny_model.h"

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fputs("usage: write_random_model BACKBONE FPN_CHANNELS HEAD_WIDTH CLASS_COUNT SEED OUT\n", stderr);
    return 2;
  }
  try {
    smearscope::ModelInfo info = smearscope::testing::tiny_model_info(argv[1]);
    info.architecture.fpn_channels = std::atoi(argv[2]);
    info.architecture.head_width = std::atoi(argv[3]);
    info.classes.clear();
    for (int i = 0; i < std::atoi(argv[4]); ++i) info.classes.push_back("class " + std::to_string(i));
    smearscope::testing::write_random_model(argv[6], info, std::strtoull(argv[5], nullptr, 10));
    return 0;
  } catch (const smearscope::Error& error) {
    std::fprintf(stderr, "write_random_model: %s\n", error.what());
    return 1;
  }
}
