#include "small_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "smearscope/error.h"

namespace smearscope {

std::string read_small_file(const std::string& property, const std::string& path) {
  constexpr std::size_t largest = 16 << 20;
  std::ifstream file(path, std::ios::binary);
  std::string text;
  char block[4096];
  while (text.size() <= largest && (file.read(block, sizeof block) || file.gcount() > 0))
    text.append(block, static_cast<std::size_t>(file.gcount()));
  if (!file.eof() && text.size() <= largest)
    throw Error(property + ": " + path + ": cannot be read: " + std::strerror(errno));
  if (text.size() > largest) throw Error(property + ": " + path + ": is too large");
  return text;
}

}  // namespace smearscope
