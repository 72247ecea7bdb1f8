// The scale of the loss in f16 training, judged by torch.amp.GradScaler's rule in plain numbers.
#include "loop/loss_scale.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "on_device.h"

namespace smearscope::training {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

// GradScaler.update.
struct ReferenceScale {
  float scale = 65536;
  int good_steps = 0;
  void update(bool overflow, int growth_interval) {
    if (overflow) {
      scale *= 0.5F;
      good_steps = 0;
    } else if (++good_steps == growth_interval) {
      if (std::isfinite(scale * 2)) scale *= 2;
      good_steps = 0;
    }
  }
};

float number(const LossScale& scale, const char* name) {
  return scale.state().at(name).item<float>();
}

class LossScaleOn : public testing::OnDevice {
 protected:
  at::Tensor tensor(const std::vector<float>& values) const { return at::tensor(values).to(device()); }
};

INSTANTIATE_TEST_SUITE_P(Devices, LossScaleOn, ::testing::Values("cpu", "cuda"), testing::device_of_test);

TEST_P(LossScaleOn, TheScaleFollowsGradScaler) {
  LossScaleOptions options;
  options.growth_interval = 3;
  LossScale scale(device(), options);
  ReferenceScale reference;
  std::mt19937 random(5);
  int overflows = 0;
  for (int step = 0; step < 60; ++step) {
    const bool overflow = random() % 5 == 0;
    overflows += overflow ? 1 : 0;
    std::vector<at::Tensor> gradients{tensor({1, 2, 3}), tensor({4, 5})};
    if (overflow) gradients[random() % 2][1] = random() % 2 ? infinity : not_a_number;
    scale.unscale(gradients);
    scale.update();
    reference.update(overflow, options.growth_interval);
    ASSERT_EQ(number(scale, "scale"), reference.scale) << "step " << step;
    ASSERT_EQ(number(scale, "good_steps"), static_cast<float>(reference.good_steps)) << "step " << step;
  }
  EXPECT_GT(overflows, 3);
}

TEST_P(LossScaleOn, BeginsAsGradScalerDoes) {
  const LossScale scale(device());
  EXPECT_EQ(number(scale, "scale"), 65536);
  EXPECT_EQ(LossScaleOptions().growth_interval, 2000);
  EXPECT_EQ(scale.scaled(tensor({2})[0]).item<float>(), 131072);
}

TEST_P(LossScaleOn, AScaleThatWouldBeInfiniteDoesNotGrow) {
  LossScaleOptions options;
  options.initial = std::ldexp(1.0, 127);
  options.growth_interval = 1;
  LossScale scale(device(), options);
  scale.unscale({tensor({1})});
  scale.update();
  EXPECT_EQ(number(scale, "scale"), std::ldexp(1.0F, 127));
  EXPECT_EQ(number(scale, "good_steps"), 0);
}

TEST_P(LossScaleOn, GradientsAreDividedExactlyAndTheLargestFiniteOneIsNoOverflow) {
  LossScale scale(device());
  const std::vector<float> values{1.1F, -3e-7F, 0, std::numeric_limits<float>::max()};
  const at::Tensor gradients = tensor(values);
  scale.unscale({gradients});
  for (std::size_t i = 0; i < values.size(); ++i)
    EXPECT_EQ(gradients[static_cast<std::int64_t>(i)].item<float>(), values[i] / 65536);
  scale.update();
  EXPECT_EQ(number(scale, "scale"), 65536);
}

TEST_P(LossScaleOn, ValuesAreRestoredAfterAnOverflowAlone) {
  for (const float bad : {infinity, -infinity, not_a_number, 1.0F}) {
    LossScale scale(device());
    const at::Tensor value = tensor({not_a_number, 2}), before = tensor({3, 4});
    scale.unscale({tensor({1, bad})});
    scale.restore_after_overflow({value}, {before});
    EXPECT_EQ(value[1].item<float>(), std::isfinite(bad) ? 2 : 4) << bad;
    if (!std::isfinite(bad)) {
      EXPECT_EQ(value[0].item<float>(), 3) << bad;
    }
  }
}

}  // namespace
}  // namespace smearscope::training
