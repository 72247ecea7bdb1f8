// A regimen: everything that decides how a model is trained, but the data and the seed. A TOML file; every
// key and its meaning is in training/README.md and in regimens/cells.toml.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "network/training_settings.h"
#include "smearscope/error.h"
#include "smearscope/model.h"

namespace smearscope::training {

struct Augmentation {
  bool horizontal_flip = true;  // each with probability one half
  bool vertical_flip = true;
  bool transpose = false;  // with both flips: all eight orientations of the square
  // Half-widths of the uniform ranges; 0: off.
  double brightness = 0.0;  // factor 1 +- this
  double contrast = 0.0;    // factor 1 +- this, around the image's mean grey
  double saturation = 0.0;  // factor 1 +- this
  double hue = 0.0;         // +- this many turns of the colour wheel, up to 0.5
  // Pixels in the network's input, smallest and largest: images of known scale are cropped so that their red
  // cells get a side drawn from this range (if they are smaller). Empty: off.
  std::vector<double> red_cell_sides;
  double red_cell_sides_share = 1;  // of the images; the others are seen whole
  // How likely it is that cells of rare classes are pasted into an image, and how many at most.
  double copy_paste = 0.0;
  int copy_paste_cells = 3;
};

// Learning from labels that don't tell everything; off: what has no box is background, and a class is itself
// alone.
struct Labels {
  bool completeness = false;  // use the corpus's ignore regions and what it says of classes
  bool parents = false;       // a general label asks for the sum of its kinds
  double own_name_share = 0;  // of a general label's loss, how much asks for the general name itself
};

// Against rare classes being drowned.
struct Balance {
  // Images are repeated max over their classes of sqrt(threshold / frequency), frequency being the share of
  // images that have the class (Gupta et al., 2019: LVIS). 0: off.
  double repeat_threshold = 0;
  double most_repeats = 10;
  // Class weights in the loss, (1 - beta) / (1 - beta^n) for n boxes (Cui et al., 2019), scaled to a mean of
  // 1 over the boxes; background has 1. 0: off.
  double effective_number_beta = 0;
};

enum class Schedule { step, cosine };

struct Optimisation {
  int epochs = 1;
  int batch_size = 4;
  int micro_batch =
      0;  // images at a time, where memory doesn't hold a batch: gradients add up; 0: all at once
  double learning_rate = 0.02;
  double momentum = 0.9;
  double weight_decay = 1e-4;
  int warmup_steps = 0;  // linear, from a thousandth of the rate
  Schedule schedule = Schedule::step;
  std::vector<double> milestones;  // fractions of all steps, rising; at each the rate is multiplied by gamma
  int step_epochs = 0;             // StepLR: also every so many epochs; 0: off
  double gamma = 0.1;
  MixedPrecision autocast = MixedPrecision::off;  // where LibTorch's autocast says so
  double gradient_clip = 0.0;                     // largest L2 norm of all gradients together; 0: off
  double ema_decay = 0.0;      // moving average of the weights, which is what is saved; 0: off
  std::vector<int> min_sides;  // one is drawn per batch; empty: the network's min_side
  int validate_every = 0;      // epochs; 0: never
  int early_stop =
      0;  // end after so many validations without a lower loss, with the weights of the lowest; 0: off
};

struct Regimen {
  std::string name;
  std::string licence;
  bool starts_with_weights = false;  // another model's weights have to be given
  ModelInfo info;  // architecture, transform, thresholds, pixel size; the rest is filled in by the trainer
  TrainingSettings settings;
  Optimisation optimisation;
  Augmentation augmentation;
  Labels labels;
  Balance balance;
  std::string text;  // as a TOML document, with all overrides in it
};

// `overrides` are "table.key=value" with a TOML value, later ones win. Throws Error, naming file and key, if
// the file can't be read, isn't TOML, or has an unknown key, a wrong type, or a value out of range.
Regimen read_regimen(const std::filesystem::path& file, const std::vector<std::string>& overrides = {});

}  // namespace smearscope::training
