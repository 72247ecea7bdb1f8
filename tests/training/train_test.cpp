// Whole training runs of a tiny network on two synthetic images.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <torch/types.h>

#include <fstream>
#include <sstream>

#include "corpus/folder.h"
#include "corpus/image_io.h"
#include "corpus_files.h"
#include "loop/checkpoint.h"
#include "loop/trainer.h"
#include "memory_limit.h"
#include "network/faster_rcnn.h"
#include "smearscope/detector.h"
#include "temporary_folder.h"

namespace smearscope::training {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::TemporaryFolder;

const char* const tiny_regimen = R"(
name = "tiny"
[network]
backbone = "resnet18"
fpn_channels = 16
head_width = 32
min_side = 64
max_side = 96
anchor_sizes = [[12], [20], [28], [40], [60]]
proposals_before_nms = 100
proposals = 50
[sampling]
proposals_before_nms = 100
proposals = 50
rpn_samples = 64
roi_samples = 32
[training]
epochs = 2
batch_size = 1
learning_rate = 0.01
warmup_steps = 2
ema_decay = 0.9
gradient_clip = 10.0
min_sides = [64, 80]
validate_every = 1
[augmentation]
transpose = true
brightness = 0.1
)";

std::string bytes_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::stringstream bytes;
  bytes << in.rdbuf();
  return bytes.str();
}

class Train : public ::testing::Test {
 protected:
  Train() {
    corpus_.classes = testing::cell_classes();
    corpus_.classes[2].parent = 0;
    for (unsigned i = 0; i < 2; ++i) {
      corpus_.images.push_back(
          testing::smear_record(folder_.file("source"), std::to_string(i) + ".png", i + 1));
    }
    corpus_.images.push_back(testing::smear_record(folder_.file("source"), "val.png", 3));
    corpus_.images.back().part = "val";
    corpus::write_corpus(folder_.file("corpus"), corpus_);
    testing::write_text(folder_.file("tiny.toml"), tiny_regimen);
  }
  TrainOptions options(const std::string& output) const {
    TrainOptions o;
    o.corpora = {{folder_.file("corpus"), 1}};
    o.regimen = folder_.file("tiny.toml");
    o.output = folder_.file(output);
    o.threads = 1;
    return o;
  }
  std::string error_of(const TrainOptions& o) {
    try {
      train(o);
    } catch (const Error& problem) {
      EXPECT_EQ(std::string(problem.what()).find('\n'), std::string::npos) << problem.what();
      return problem.what();
    }
    return "no error";
  }
  TemporaryFolder folder_;
  corpus::Corpus corpus_;
};

TEST_F(Train, AResumedRunEndsWithTheSameWeightsBitForBit) {
  EXPECT_EQ(train(options("whole")), TrainEnd::finished);
  TrainOptions pieces = options("pieces");
  pieces.max_minutes = 1e-9;  // each call does one step: stops come in the middle of epochs and at their ends
  EXPECT_EQ(train(pieces), TrainEnd::time_is_up);
  pieces.resume = true;
  pieces.seed = 99;  // a resumed run keeps the seed it was begun with
  for (int i = 0; i < 2; ++i) EXPECT_EQ(train(pieces), TrainEnd::time_is_up);
  EXPECT_EQ(train(pieces), TrainEnd::finished);
  EXPECT_TRUE(bytes_of(folder_.file("whole/model.safetensors")) ==
              bytes_of(folder_.file("pieces/model.safetensors")));
  const Checkpoint a = read_checkpoint(folder_.file("whole/checkpoint.safetensors"));
  const Checkpoint b = read_checkpoint(folder_.file("pieces/checkpoint.safetensors"));
  EXPECT_EQ(a.step, 4U);
  EXPECT_EQ(b.step, 4U);
  ASSERT_EQ(a.tensors.size(), b.tensors.size());
  for (std::size_t i = 0; i < a.tensors.size(); ++i) {
    EXPECT_TRUE(a.tensors[i].values == b.tensors[i].values) << a.tensors[i].name;
  }
  TrainOptions other_seed = options("other");
  other_seed.seed = 2;
  train(other_seed);
  EXPECT_FALSE(bytes_of(folder_.file("other/model.safetensors")) ==
               bytes_of(folder_.file("whole/model.safetensors")));
}

TEST_F(Train, TheModelFileSaysWhatItWasTrainedOn) {
  TrainOptions o = options("run");
  o.overrides = {"training.epochs=1", "licence=\"MIT\""};
  o.dtype = DType::f16;
  train(o);
  const auto model = Model::load(folder_.file("run/model.safetensors"));
  EXPECT_EQ(model->info().name, "tiny");
  EXPECT_EQ(model->info().classes, corpus::class_names(corpus_));
  EXPECT_THAT(model->info().parents, ElementsAre(-1, -1, 0));
  EXPECT_EQ(model->info().corpus_digest, corpus::digest_of(corpus::read_corpus(folder_.file("corpus"))));
  EXPECT_EQ(model->info().licence, "MIT");
  EXPECT_THAT(model->info().regimen, AllOf(HasSubstr("epochs = 1"), HasSubstr("seed 1")));
  EXPECT_THAT(model->info().created_by, HasSubstr("smearscope-train"));
  EXPECT_EQ(model->find("backbone.body.conv1.weight")->dtype, DType::f16);
  EXPECT_THAT(bytes_of(folder_.file("run/train-log.csv")), HasSubstr("val_total"));
}

// The value of a column in each line of the log that has one.
std::vector<double> logged(const std::string& log, const std::string& column) {
  std::istringstream lines(log);
  std::string line;
  std::getline(lines, line);
  const auto cells = [](const std::string& row) {
    std::vector<std::string> result;
    std::istringstream in(row);
    for (std::string cell; std::getline(in, cell, ',');) result.push_back(cell);
    return result;
  };
  const std::vector<std::string> names = cells(line);
  const auto place = static_cast<std::size_t>(std::find(names.begin(), names.end(), column) - names.begin());
  std::vector<double> values;
  while (std::getline(lines, line)) {
    const std::vector<std::string> row = cells(line);
    if (place < row.size() && !row[place].empty()) values.push_back(std::stod(row[place]));
  }
  return values;
}

TEST_F(Train, TwoImagesAreLearnedByHeart) {
  TrainOptions o = options("run");
  o.corpora[0].weight = 160;
  o.overrides = {"training.epochs=1",
                 "training.batch_size=2",
                 "training.min_sides=[64]",
                 "training.validate_every=0",
                 "augmentation.transpose=false",
                 "augmentation.horizontal_flip=false",
                 "augmentation.vertical_flip=false",
                 "augmentation.brightness=0.0"};
  train(o);
  const std::vector<double> total = logged(bytes_of(folder_.file("run/train-log.csv")), "total");
  ASSERT_GE(total.size(), 4U);
  EXPECT_LT(total.back(), 0.75 * total.front());
}

struct Finding {
  Box box;
  float score = 0;
  int label = 0;
};

std::vector<Finding> network_finds(const Model& model, const cv::Mat& rgb) {
  FasterRcnn network(model.info());
  load_weights(network, model);
  network->eval();
  const torch::Tensor image = torch::from_blob(rgb.data, {rgb.rows, rgb.cols, 3}, torch::kUInt8)
                                  .permute({2, 0, 1})
                                  .to(torch::kFloat) /
                              255;
  const Found found = network->detect({image}).front();
  std::vector<Finding> findings;
  for (std::int64_t i = 0; i < found.scores.size(0); ++i) {
    const auto side = [&](int k) { return found.boxes[i][k].item<float>(); };
    findings.push_back({{side(0), side(1), side(2), side(3)},
                        found.scores[i].item<float>(),
                        static_cast<int>(found.labels[i].item<std::int64_t>()) - 1});
  }
  return findings;
}

bool same(const Finding& a, const Detection& b) {
  const auto near = [](float x, float y) { return std::abs(x - y) < 0.1F; };
  return a.label == b.label && std::abs(a.score - b.score) < 1e-3F && near(a.box.x_min, b.box.x_min) &&
         near(a.box.y_min, b.box.y_min) && near(a.box.x_max, b.box.x_max) && near(a.box.y_max, b.box.y_max);
}

// The engine shares no code with the network that was trained.
TEST_F(Train, TheEngineFindsWhatTheTrainedNetworkFinds) {
  TrainOptions o = options("run");
  o.corpora[0].weight = 20;
  o.overrides = {"training.validate_every=0", "thresholds.score=0.2"};
  train(o);
  const auto model = Model::load(folder_.file("run/model.safetensors"));
  Detector detector(model, DetectorOptions());
  for (const corpus::Image& image : corpus_.images) {
    const cv::Mat rgb = corpus::read_image(image.path);
    Frame frame;
    frame.width = rgb.cols;
    frame.height = rgb.rows;
    frame.planes[0] = {rgb.data, static_cast<std::ptrdiff_t>(rgb.step)};
    const Detections by_engine = detector.detect({frame}).front();
    const std::vector<Finding> by_network = network_finds(*model, rgb);
    ASSERT_GT(by_network.size(), 3U) << image.file;
    // A score at the threshold, or two boxes that overlap by exactly as much as NMS allows, may go either
    // way.
    const auto found_by_engine = std::count_if(by_network.begin(), by_network.end(), [&](const Finding& a) {
      return std::any_of(by_engine.begin(), by_engine.end(), [&](const Detection& b) { return same(a, b); });
    });
    EXPECT_GE(found_by_engine + 1, static_cast<std::ptrdiff_t>(by_network.size())) << image.file;
    EXPECT_NEAR(static_cast<double>(by_engine.size()), static_cast<double>(by_network.size()), 1)
        << image.file;
  }
}

TEST_F(Train, TooLittleMemorySaysWhatToLower) {
  if (!testing::memory_can_be_limited) GTEST_SKIP() << "a sanitizer maps more memory than any limit";
  TrainOptions o = options("run");
  o.overrides = {"network.min_side=2000", "network.max_side=3000", "training.min_sides=[2000]"};
  std::string error;
  {
    const testing::MemoryLimit limit(400 << 20);
    error = error_of(o);
  }
  EXPECT_THAT(error, AllOf(HasSubstr("out of memory"), HasSubstr("training.micro_batch")));
}

TEST_F(Train, ALossThatIsNotFiniteStopsWithTheBatchsImages) {
  TrainOptions o = options("run");
  o.overrides = {"training.epochs=50", "training.learning_rate=100.0", "training.warmup_steps=0",
                 "training.gradient_clip=0.0", "training.validate_every=0"};
  EXPECT_THAT(error_of(o), AllOf(HasSubstr("not finite"), HasSubstr("learning_rate"), HasSubstr(".png")));
}

TEST_F(Train, BadRequestsFailBeforeTheFirstStep) {
  TrainOptions o = options("run");
  o.corpora = {{folder_.file("nowhere"), 1}};
  EXPECT_THAT(error_of(o), HasSubstr("nowhere"));
  o = options("run");
  o.regimen = folder_.file("nowhere.toml");
  EXPECT_THAT(error_of(o), HasSubstr("nowhere.toml"));
  o = options("run");
  o.resume = true;
  EXPECT_THAT(error_of(o), HasSubstr("checkpoint.safetensors"));
  o = options("run");
  o.init = folder_.file("nowhere.safetensors");
  EXPECT_THAT(error_of(o), HasSubstr("nowhere.safetensors"));
  o = options("run");
  o.overrides = {"training.autocast='f16'"};
  EXPECT_THAT(error_of(o), AllOf(HasSubstr("training.autocast"), HasSubstr("--device cuda")));
  EXPECT_FALSE(std::filesystem::exists(folder_.file("run")));
  testing::write_text(folder_.file("file"), "");
  EXPECT_THAT(error_of(options("file")), HasSubstr("output folder"));
}

TEST_F(Train, ARunIsNotOverwrittenAndResumesOnlyWithItsOwnRegimenAndCorpus) {
  TrainOptions o = options("run");
  o.max_minutes = 1e-9;
  train(o);
  EXPECT_THAT(error_of(o), HasSubstr("--resume"));
  o.resume = true;
  o.overrides = {"training.epochs=9"};
  EXPECT_THAT(error_of(o), HasSubstr("another regimen"));
  o.overrides = {};
  corpus_.classes[2].parent = -1;  // the same images, another tree
  std::filesystem::remove_all(folder_.file("corpus"));
  corpus::write_corpus(folder_.file("corpus"), corpus_);
  EXPECT_THAT(error_of(o), HasSubstr("another corpus"));
  corpus_.classes[2].parent = 0;
  std::filesystem::remove_all(folder_.file("corpus"));
  corpus::write_corpus(folder_.file("corpus"), corpus_);
  std::filesystem::remove(folder_.file("corpus/annotations/val.json"));
  EXPECT_THAT(error_of(o), HasSubstr("another corpus"));
}

TEST_F(Train, ADamagedCheckpointIsAnErrorWithItsName) {
  TrainOptions o = options("run");
  o.max_minutes = 1e-9;
  train(o);
  const std::string file = folder_.file("run/checkpoint.safetensors");
  const std::string whole = bytes_of(file);
  o.resume = true;
  for (const std::string& damaged :
       {std::string(), whole.substr(0, 5), whole.substr(0, 1000), whole.substr(0, whole.size() - 1),
        whole + "x", std::string(100, '\xff'), bytes_of(folder_.file("run/model.safetensors"))}) {
    std::ofstream(file, std::ios::binary) << damaged;
    EXPECT_THAT(error_of(o), HasSubstr("checkpoint.safetensors"));
  }
}

TEST_F(Train, AFullDiskIsAnErrorAndLeavesNoHalfFile) {
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  signal(SIGXFSZ, SIG_IGN);  // then a write beyond the limit fails, as on a full disk
  rlimit small = before;
  small.rlim_cur = 1 << 20;
  setrlimit(RLIMIT_FSIZE, &small);
  const std::string problem = error_of(options("run"));
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_THAT(problem, AllOf(HasSubstr("checkpoint.safetensors"), HasSubstr("cannot write")));
  for (const auto& entry : std::filesystem::directory_iterator(folder_.file("run"))) {
    const std::string name = entry.path().filename().string();
    const bool log = name == "train-log.csv" || name.rfind("events.out.tfevents.", 0) == 0;
    EXPECT_TRUE(name == "regimen.toml" || log)
        << name;  // what grows line by line, and is readable at any end
  }
}

TEST_F(Train, AStopRequestSavesARunThatGoesOn) {
  request_stop();
  TrainOptions o = options("run");
  EXPECT_EQ(train(o), TrainEnd::interrupted);
  EXPECT_EQ(read_checkpoint(folder_.file("run/checkpoint.safetensors")).step, 1U);
  o.resume = true;
  EXPECT_EQ(train(o), TrainEnd::finished);
}

TEST_F(Train, GradientsOfMicroBatchesAddUpToTheBatchs) {
  // The same picture twice, or the two would not weigh the same; all samples, or each would draw its own; and
  // batch norm would tell a batch from its parts.
  corpus_.images.erase(corpus_.images.begin() + 1, corpus_.images.end());
  corpus_.images.push_back(corpus_.images[0]);
  corpus_.images[1].file = "again.png";
  corpus::write_corpus(folder_.file("twice"), corpus_);
  const auto losses = [&](const std::string& run, const char* micro) {
    TrainOptions o = options(run);
    o.corpora = {{folder_.file("twice"), 1}};
    o.overrides = {"training.epochs=4",
                   "training.batch_size=2",
                   "training.min_sides=[64]",
                   "training.ema_decay=0.0",
                   "network.frozen_batch_norm=true",
                   "sampling.rpn_samples=100000",
                   "sampling.rpn_positive_fraction=1.0",
                   "sampling.roi_samples=100000",
                   "sampling.roi_positive_fraction=1.0",
                   "augmentation.horizontal_flip=false",
                   "augmentation.vertical_flip=false",
                   "augmentation.transpose=false",
                   "augmentation.brightness=0.0",
                   micro};
    train(o);
    return logged(bytes_of(folder_.file(run + "/train-log.csv")), "total");
  };
  const std::vector<double> whole = losses("whole", "training.micro_batch=0");
  const std::vector<double> parts = losses("parts", "training.micro_batch=1");
  ASSERT_EQ(whole.size(), 4U);
  EXPECT_GT(std::abs(whole.back() - whole.front()), 0.01) << "the weights must have moved";
  for (std::size_t i = 0; i < whole.size(); ++i) EXPECT_NEAR(parts[i], whole[i], 1e-3 * whole[i]);
}

TEST_F(Train, EarlyStopKeepsTheBestWeights) {
  TrainOptions o = options("run");
  // So fast that it gets worse at once.
  o.overrides = {"training.epochs=40",     "training.learning_rate=0.05", "training.warmup_steps=0",
                 "training.ema_decay=0.0", "training.gradient_clip=0.5",  "training.early_stop=2"};
  EXPECT_EQ(train(o), TrainEnd::finished);
  const std::vector<double> losses = logged(bytes_of(folder_.file("run/train-log.csv")), "val_total");
  ASSERT_GE(losses.size(), 3U);
  EXPECT_LT(losses.size(), 40U);
  const auto best = std::min_element(losses.begin(), losses.end());
  EXPECT_EQ(losses.end() - best, 3) << "two validations after the best";
  const std::string regimen = Model::load(folder_.file("run/model.safetensors"))->info().regimen;
  EXPECT_THAT(regimen, HasSubstr(", " + std::to_string(2 * (losses.size() - 2)) + " of 80 steps"));
  o.resume = true;
  EXPECT_EQ(train(o), TrainEnd::finished) << "there is nothing to go on with";
}

TEST_F(Train, ARegimenThatBeginsWithWeightsAsksForThem) {
  TrainOptions o = options("run");
  o.overrides = {"start='weights'"};
  EXPECT_THAT(error_of(o), HasSubstr("--init"));
}

TEST_F(Train, InitBeginsWithAnotherModelsWeights) {
  train(options("first"));
  TrainOptions o = options("second");
  o.init = folder_.file("first/model.safetensors");
  o.overrides = {"training.learning_rate=0.0", "training.ema_decay=0.0"};
  train(o);
  const auto first = Model::load(o.init), second = Model::load(folder_.file("second/model.safetensors"));
  EXPECT_EQ(to_f32(*first->find("backbone.body.conv1.weight")),
            to_f32(*second->find("backbone.body.conv1.weight")));
  // What doesn't fit is made anew.
  o.output = folder_.file("third");
  o.overrides.push_back("network.head_width=48");
  train(o);
  const auto third = Model::load(folder_.file("third/model.safetensors"));
  EXPECT_EQ(to_f32(*first->find("rpn.head.bbox_pred.bias")), to_f32(*third->find("rpn.head.bbox_pred.bias")));
  EXPECT_EQ(third->find("roi_heads.box_head.fc6.weight")->shape[0], 48);
  o.output = folder_.file("fourth");
  o.overrides = {"network.backbone=\"resnet34\""};
  EXPECT_THAT(error_of(o),
              AllOf(HasSubstr("model.safetensors"), HasSubstr("a resnet18, but a resnet34 is wanted")));
}

}  // namespace
}  // namespace smearscope::training
