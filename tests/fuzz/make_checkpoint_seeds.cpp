// Writes the seed corpus of checkpoint_fuzz into a new or existing folder: make_checkpoint_seeds FOLDER
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "checkpoint_bytes.h"
#include "smearscope/model.h"

namespace smearscope::testing {
namespace {

const std::string numbers(48, '\x3f');
const std::vector<StoredNumbers> storages{{"0", numbers, 12}};

// A state dict of two views of one storage, as it is and in the entry of a training program.
std::string small_pickle() {
  return PickleWriter()
      .raw("}(")
      .text("model")
      .name("collections", "OrderedDict")
      .raw(")R(")
      .text("module.conv1.weight")
      .tensor("0", "FloatStorage", 12, 0, {3, 4}, {4, 1})
      .text("module.bn1.bias")
      .name("torch._utils", "_rebuild_parameter")
      .raw("(")
      .tensor("0", "FloatStorage", 12, 3, {2, 2}, {1, 4})
      .raw("\x88")
      .name("collections", "OrderedDict")
      .raw(")RtRu}")
      .text("_metadata")
      .raw("}sb")
      .text("args")
      .name("argparse", "Namespace")
      .raw(")\x81}b")
      .text("epoch")
      .raw("K\x03u")
      .end();
}

// All names and shapes of a detector; each tensor is the same number again and again.
std::string detector_pickle() {
  Architecture architecture;
  architecture.backbone = "resnet18";
  architecture.fpn_channels = 8;
  architecture.head_width = 8;
  PickleWriter dict;
  dict.raw("}(");
  for (const TensorSpec& spec : expected_tensors(architecture, 3))
    dict.text(spec.name).tensor("0", "FloatStorage", 12, 0, spec.shape,
                                std::vector<std::int64_t>(spec.shape.size(), 0));
  return dict.raw("u").end();
}

void write_seeds(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  const auto write = [&folder](const char* name, const std::string& bytes) {
    std::ofstream file(folder / name, std::ios::binary);
    file << bytes;
    if (!file.flush()) throw Error("cannot write " + (folder / name).string());
  };
  write("zip", "F" + checkpoint(small_pickle(), storages));
  write("zip-plain",
        "F" + zip_archive({{"a/data.pkl", small_pickle()}, {"a/data/0", numbers}}, ZipStyle::plain));
  write("zip-big-endian", "F" + checkpoint(small_pickle(), storages, "big"));
  std::vector<ZipEntry> entries{{"a/data.pkl", small_pickle()}, {"a/data/0", numbers}};
  entries[1].size = entries[1].packed = INT64_MAX;
  write("zip-wide", "F" + zip_archive(entries));
  write("legacy", "F" + legacy_checkpoint(small_pickle(), storages));
  write("script", "F" + zip_archive({{"a/data.pkl", "N."}, {"a/constants.pkl", "N."}}));
  write("pickle", "P" + small_pickle());
  write("pickle-detector", "P" + detector_pickle());
  write("pickle-system", "P" + PickleWriter().name("posix", "system").text("true").raw("\x85R").end());
  write("pickle-itself", "P" + PickleWriter()
                                   .raw("]q\x01h\x01"
                                        "a")
                                   .end());
  write("pickle-old", "P" + PickleWriter()
                                .name("torch.nn.parameter", "Parameter")
                                .raw(")\x81(")
                                .tensor("0", "FloatStorage", 12, 0, {12}, {1})
                                .raw("N}\x88\x89tb")
                                .end());
  write("pickle-protocol-4", "P" + std::string("\x80\x04\x95\x10\0\0\0\0\0\0\0}\x94(\x8c\x01"
                                               "a\x94\x8f(K\x01\x90u.",
                                               31));
}

}  // namespace
}  // namespace smearscope::testing

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: make_checkpoint_seeds FOLDER\n", stderr);
    return 2;
  }
  try {
    smearscope::testing::write_seeds(argv[1]);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "make_checkpoint_seeds: %s\n", error.what());
    return 1;
  }
}
