// Several processes of smearscope-train that train one network.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "corpus/folder.h"
#include "corpus_files.h"
#include "distributed/device_choice.h"
#include "distributed/layout.h"
#include "temporary_folder.h"

namespace smearscope::training {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using Environment = std::map<std::string, std::string>;

// Sets the variables that decide on the layout, and nothing else of them, for as long as it lives.
class Started {
 public:
  explicit Started(const Environment& variables) {
    for (const char* name :
         {"RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT",
          "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK",
          "OMPI_COMM_WORLD_LOCAL_SIZE", "PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS",
          "SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID", "SLURM_STEP_NODELIST"}) {
      unsetenv(name);
    }
    for (const auto& [name, value] : variables) setenv(name.c_str(), value.c_str(), 1);
    names_ = variables;
  }
  ~Started() {
    for (const auto& [name, value] : names_) unsetenv(name.c_str());
  }
  Started(const Started&) = delete;
  Started& operator=(const Started&) = delete;

 private:
  Environment names_;
};

ProcessLayout layout_of(const Environment& variables) {
  const Started started(variables);
  return layout_from_environment();
}

std::string refusal_of(const Environment& variables) {
  try {
    layout_of(variables);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(ProcessLayout, IsReadFromWhateverStartedTheProcesses) {
  EXPECT_EQ(layout_of({}).count, 1);
  const ProcessLayout torchrun = layout_of({{"RANK", "3"},
                                            {"WORLD_SIZE", "4"},
                                            {"LOCAL_WORLD_SIZE", "2"},
                                            {"MASTER_ADDR", "a"},
                                            {"MASTER_PORT", "29500"}});
  EXPECT_EQ(torchrun.rank, 3);
  EXPECT_EQ(torchrun.count, 4);
  EXPECT_EQ(torchrun.on_this_machine, 2);
  EXPECT_EQ(torchrun.address, "a");
  EXPECT_EQ(torchrun.port, 29501);  // torchrun has the other one
  const ProcessLayout mpi = layout_of(
      {{"OMPI_COMM_WORLD_RANK", "1"}, {"OMPI_COMM_WORLD_SIZE", "2"}, {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}});
  EXPECT_EQ(mpi.rank, 1);
  EXPECT_EQ(mpi.address, "127.0.0.1");
  EXPECT_EQ(layout_of({{"PMI_RANK", "1"}, {"PMI_SIZE", "2"}, {"MASTER_ADDR", "b"}}).address, "b");
  const ProcessLayout slurm =
      layout_of({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "8"}, {"SLURM_STEP_NODELIST", "gpu[07-09]"}});
  EXPECT_EQ(slurm.count, 8);
  EXPECT_EQ(slurm.address, "gpu07");
}

TEST(ProcessLayout, TheLocalRankIsReadFromWhateverStartedTheProcesses) {
  EXPECT_EQ(
      layout_of({{"RANK", "5"}, {"WORLD_SIZE", "8"}, {"LOCAL_RANK", "1"}, {"MASTER_ADDR", "a"}}).local_rank,
      1);
  EXPECT_EQ(layout_of({{"OMPI_COMM_WORLD_RANK", "3"},
                       {"OMPI_COMM_WORLD_SIZE", "4"},
                       {"OMPI_COMM_WORLD_LOCAL_RANK", "3"},
                       {"OMPI_COMM_WORLD_LOCAL_SIZE", "4"}})
                .local_rank,
            3);
  EXPECT_EQ(layout_of({{"PMI_RANK", "3"}, {"PMI_SIZE", "4"}, {"MPI_LOCALRANKID", "0"}, {"MASTER_ADDR", "a"}})
                .local_rank,
            0);
  EXPECT_EQ(layout_of({{"SLURM_PROCID", "9"},
                       {"SLURM_NTASKS", "16"},
                       {"SLURM_LOCALID", "2"},
                       {"SLURM_STEP_NODELIST", "a"}})
                .local_rank,
            2);
  EXPECT_FALSE(layout_of({{"RANK", "1"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "a"}}).local_rank);
  EXPECT_THAT(refusal_of({{"RANK", "2"},
                          {"WORLD_SIZE", "4"},
                          {"LOCAL_RANK", "2"},
                          {"LOCAL_WORLD_SIZE", "2"},
                          {"MASTER_ADDR", "a"}}),
              HasSubstr("LOCAL_RANK is \"2\""));
}

ProcessLayout one_of(int rank, int count) {
  ProcessLayout layout;
  layout.rank = rank;
  layout.count = count;
  return layout;
}

TEST(DeviceChoice, EachProcessOfAMachineTakesTheDeviceOfItsLocalRank) {
  ProcessLayout layout = one_of(5, 8);
  layout.on_this_machine = 4;
  for (int rank = 0; rank < 4; ++rank) {
    layout.local_rank = rank;
    EXPECT_EQ(cuda_index_of(layout, 4), rank);
    EXPECT_EQ(cuda_index_of(layout, 8), rank);
  }
}

TEST(DeviceChoice, MoreProcessesThanDevicesIsAnErrorInAllOfThem) {
  const auto refusal = [](const ProcessLayout& layout, int devices) -> std::string {
    try {
      cuda_index_of(layout, devices);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  ProcessLayout layout = one_of(0, 4);
  EXPECT_THAT(refusal(layout, 4), HasSubstr("set LOCAL_RANK"));
  layout.local_rank = 0;
  EXPECT_EQ(refusal(layout, 1), "no error");  // nobody has said how many there are
  layout.on_this_machine = 4;
  EXPECT_THAT(refusal(layout, 3), HasSubstr("4 or more processes on a machine with 3 CUDA devices"));
  layout.on_this_machine = 1;
  layout.local_rank = 1;
  EXPECT_THAT(refusal(layout, 1), HasSubstr("2 or more processes on a machine with 1 CUDA device;"));
}

TEST(DeviceChoice, OnACpuProcessesShareIt) {
  const ProcessLayout layout = one_of(1, 4);
  EXPECT_TRUE(device_of(layout, "cpu").is_cpu());
  EXPECT_THROW(device_of(layout, "gpu"), Error);
}

TEST(ProcessLayout, ValuesThatMakeNoSenseAreErrors) {
  EXPECT_THAT(refusal_of({{"RANK", "2"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "a"}}),
              HasSubstr("RANK is \"2\""));
  EXPECT_THAT(refusal_of({{"RANK", "0"}, {"WORLD_SIZE", "two"}}), HasSubstr("WORLD_SIZE"));
  EXPECT_THAT(refusal_of({{"RANK", "0"}, {"WORLD_SIZE", "2"}}), HasSubstr("MASTER_ADDR is missing"));
  EXPECT_THAT(
      refusal_of({{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "a"}, {"MASTER_PORT", "65535"}}),
      HasSubstr("MASTER_PORT"));
}

TEST(ProcessLayout, TheFirstOfSlurmsHosts) {
  EXPECT_EQ(first_host("one"), "one");
  EXPECT_EQ(first_host("one,two"), "one");
  EXPECT_EQ(first_host("node[03-05,9],x1"), "node03");
  EXPECT_EQ(first_host("node[7,9]"), "node7");
  EXPECT_EQ(first_host("node[3-5]-ib,x"), "node3-ib");
  EXPECT_EQ(first_host("a,node[3-5]"), "a");
  EXPECT_THROW(first_host("node[3"), Error);
}

// Batch norm trained, images of several sizes, so that everything that a batch shares is shared.
const char* const regimen = R"(
name = "tiny"
[network]
backbone = "resnet18"
fpn_channels = 16
head_width = 32
min_side = 64
max_side = 96
anchor_sizes = [[12], [20], [28], [40], [60]]
[sampling]
proposals_before_nms = 1000
proposals = 1000
rpn_samples = 64
roi_samples = 4000  # all of them: which are drawn would hang on rounding
roi_positive_fraction = 1.0
[training]
epochs = 1
batch_size = 4
learning_rate = 0.001
validate_every = 1
)";

class Distributed : public ::testing::Test {
 protected:
  Distributed() {
    corpus::Corpus corpus;
    corpus.classes = testing::cell_classes();
    for (unsigned i = 0; i < 7; ++i) {  // the last batch has three images
      corpus.images.push_back(
          testing::smear_record(folder_.file("source"), std::to_string(i) + ".png", i + 1));
      if (i == 6) corpus.images.back().part = "val";
    }
    corpus::write_corpus(folder_.file("corpus"), corpus);
    testing::write_text(folder_.file("tiny.toml"), regimen);
  }

  pid_t start(const Environment& variables, const std::string& output, const std::string& more = "") const {
    std::string command = "exec env";
    for (const auto& [name, value] : variables) command += " " + name + "=" + value;
    command += std::string(" ") + std::getenv("SMEARSCOPE_TRAIN_PROGRAM") + " train --threads 1 --corpus " +
               folder_.file("corpus") + " --regimen " + folder_.file("tiny.toml") + " --output " +
               folder_.file(output) + " " + more + " > " +
               folder_.file(output + variables_rank(variables) + ".log") + " 2>&1";
    const pid_t child = fork();
    if (child == 0) {
      execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      _exit(127);
    }
    return child;
  }
  static std::string variables_rank(const Environment& variables) {
    const auto rank = variables.find("RANK");
    return rank == variables.end() ? "" : rank->second;
  }
  static int status_of(pid_t child) {
    int status = -1;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  static Environment one_of_two(int rank) {
    const std::string port = std::to_string(20000 + getpid() % 20000);
    return {{"RANK", std::to_string(rank)},
            {"WORLD_SIZE", "2"},
            {"MASTER_ADDR", "127.0.0.1"},
            {"MASTER_PORT", port}};
  }
  std::string text(const std::string& name) const {
    std::ifstream in(folder_.file(name));
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }
  // Of the rows of train-log.csv: training losses (columns 4 to 8) and validation losses (the last five).
  std::vector<double> losses(const std::string& output) const {
    std::istringstream rows(text(output + "/train-log.csv"));
    std::vector<double> values;
    std::string row, cell;
    std::getline(rows, row);
    while (std::getline(rows, row)) {
      std::istringstream cells(row);
      for (int column = 1; std::getline(cells, cell, ','); ++column) {
        if ((column >= 4 && column <= 8) || column > 10) values.push_back(cell.empty() ? 0 : std::stod(cell));
      }
    }
    return values;
  }
  bool has_gloo() const { return text("two1.log").find("built without Gloo") == std::string::npos; }

  testing::TemporaryFolder folder_;
};

TEST_F(Distributed, TwoProcessesHaveTheLossesOfOneWithTheSameBatch) {
  const pid_t other = start(one_of_two(1), "two");
  const int first = status_of(start(one_of_two(0), "two"));
  const int second = status_of(other);
  if (!has_gloo()) GTEST_SKIP() << text("two1.log");
  EXPECT_EQ(first, 0) << text("two0.log");
  EXPECT_EQ(second, 0) << text("two1.log");
  EXPECT_EQ(status_of(start({}, "one")), 0);
  const std::vector<double> one = losses("one"), two = losses("two");
  ASSERT_EQ(one.size(), 10U);  // training and validation
  ASSERT_EQ(two.size(), one.size());
  for (std::size_t i = 0; i < one.size(); ++i)
    EXPECT_NEAR(two[i], one[i], 1e-4 * (1 + std::abs(one[i]))) << i;
}

TEST_F(Distributed, AProcessThatEndsEndsTheOthersWithAClearLine) {
  const pid_t other = start(one_of_two(1), "two", "--set training.epochs=100000");
  const pid_t first = start(one_of_two(0), "two", "--set training.epochs=100000");
  for (int tenths = 0; tenths < 600 && text("two0.log").find("step 1/") == std::string::npos; ++tenths)
    usleep(100000);
  kill(other, SIGKILL);
  const int status = status_of(first);
  status_of(other);
  if (!has_gloo()) GTEST_SKIP() << text("two1.log");
  EXPECT_EQ(status, 1);
  EXPECT_THAT(text("two0.log"), HasSubstr("another process has ended or can't be reached"));
}

TEST_F(Distributed, DifferentTrainingsDoNotMix) {
  const pid_t other = start(one_of_two(1), "two", "--seed 2");
  const int first = status_of(start(one_of_two(0), "two"));
  const int second = status_of(other);
  if (!has_gloo()) GTEST_SKIP() << text("two1.log");
  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 1);
  EXPECT_THAT(text("two0.log") + text("two1.log"), HasSubstr("have different regimens"));
}

}  // namespace
}  // namespace smearscope::training
