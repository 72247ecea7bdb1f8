// A program of somebody else's that uses the installed engine: finds cells in a grey frame with the default model.
#include <cstdio>
#include <vector>

#include "smearscope/detector.h"

int main() {
  try {
    const auto model = smearscope::Model::load(smearscope::find_model(smearscope::default_model));
    smearscope::Detector detector(model, {});
    const std::vector<std::uint8_t> pixels(64 * 64, 128);
    smearscope::Frame frame;
    frame.format = smearscope::PixelFormat::gray8;
    frame.width = frame.height = 64;
    frame.planes[0] = {pixels.data(), 64};
    const std::size_t images = detector.detect({frame}).size();
    std::printf("%s: %zu classes, %zu result\n", model->path().c_str(), model->info().classes.size(), images);
    return 0;
  } catch (const smearscope::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
