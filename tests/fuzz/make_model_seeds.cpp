// Writes the seed corpus of model_file_fuzz into a new or existing folder: make_model_seeds FOLDER
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "model/model_info.h"
#include "model/safetensors.h"
#include "smearscope/model.h"

namespace smearscope {
namespace {

// The header of a complete f16 model without its weights.
std::string model_header(const std::string& backbone) {
  ModelInfo info;
  info.name = "seed";
  info.architecture.backbone = backbone;
  info.architecture.fpn_channels = 8;
  info.architecture.head_width = 8;
  info.classes = {"wbc", "rbc", "platelet", "lymphocyte"};
  info.parents = {-1, -1, -1, 0};
  info.weak_classes = {"platelet"};
  info.metrics = {{"val/AP50", 0.5}};
  info.licence = "CC BY 4.0\nno patient data";
  SafetensorsHeader header;
  header.metadata = {
      {"format", "pt"}, {"smearscope", write_model_info(info)}, {"smearscope_crc32", "00000000"}};
  std::uint64_t end = 0;
  for (const TensorSpec& spec : expected_tensors(info.architecture, info.classes.size())) {
    std::uint64_t bytes = 2;
    for (const std::int64_t size : spec.shape) bytes *= static_cast<std::uint64_t>(size);
    header.tensors.push_back({spec.name, "F16", spec.shape, end, end + bytes});
    end += bytes;
  }
  return write_safetensors_header(header);
}

void write_seeds(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  const auto write = [&folder](const char* name, const std::string& bytes) {
    std::ofstream file(folder / name, std::ios::binary);
    file << bytes;
    if (!file.flush()) throw Error("cannot write " + (folder / name).string());
  };
  const std::string whole = model_header("resnet18");
  const std::string header = whole.substr(8);
  write("file", "F" + whole);
  write("file-cut-short", "F" + whole.substr(0, whole.size() / 2));
  std::string quantised = model_header("resnet18");
  const std::string name = "\"backbone.body.conv1.weight\":{\"dtype\":\"F16\"";
  const std::size_t at = quantised.find(name);
  if (at != std::string::npos) quantised.replace(at + name.size() - 4, 4, "I8\" ");
  write("header-int8", "H" + quantised.substr(8));
  write("file-zip", "FPK\x03\x04 and so on");
  write("file-two-tensors",
        "F" +
            write_safetensors_header(
                {{{"smearscope", "{}"}}, {{"a", "F32", {2, 3}, 0, 24}, {"b", "I8", {}, 24, 25}}}) +
            std::string(25, '\0'));
  write("header", "H" + header);
  write("header-resnet50", "H" + model_header("resnet50").substr(8));
  write("header-overlap", R"(H{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                          R"("b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}})");
  write("header-zero-sized", R"(H{"a":{"dtype":"U8","shape":[0,7],"data_offsets":[0,0]}})");
  write("document", "D" + parse_safetensors_header(header).metadata.at("smearscope"));
  write("document-version", R"(D{"version":2})");
  write("json", R"(J{"a":[1,-2.5e-3,true,false,null,"\ud83d\ude00\n\"\\ \u00e9"],"b":{},"c":[[[]]]})");
  write("json-numbers", "J[0,-0,1e308,5e-324,0.1,123456789012345678901234567890]");
}

}  // namespace
}  // namespace smearscope

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: make_model_seeds FOLDER\n", stderr);
    return 2;
  }
  try {
    smearscope::write_seeds(argv[1]);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "make_model_seeds: %s\n", error.what());
    return 1;
  }
}
