#include <sys/stat.h>

#include <cstdlib>

#include "model/text.h"
#include "smearscope/model.h"

namespace smearscope {
namespace {

bool exists(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0;
}

}  // namespace

std::string find_model(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    if (!exists(name)) throw Error(name + ": no such model file");
    return name;
  }
  const char* variable = std::getenv("SMEARSCOPE_MODEL_DIR");
  const std::string folder = variable != nullptr && *variable != '\0' ? variable : SMEARSCOPE_MODEL_DIR;
  for (const char* ending : {"", ".safetensors"}) {
    std::string path = folder + "/" + name + ending;
    if (!name.empty() && exists(path)) return path;
  }
  throw Error("no model " + quoted(name) + " in " + folder +
              " (SMEARSCOPE_MODEL_DIR names another folder; a file of your own needs a slash, as in "
              "./mine.safetensors)");
}

}  // namespace smearscope
