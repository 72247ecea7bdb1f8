// Two sums over bytes: CRC-32 to notice damage quickly, SHA-256 to name a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace smearscope {

// CRC-32 of ISO 3309 (reflected polynomial 0xEDB88320), as zlib's crc32: `previous` is the sum of the bytes
// before.
std::uint32_t crc32(const void* data, std::size_t bytes, std::uint32_t previous = 0);

// SHA-256 (FIPS 180-4), over any number of add calls.
class Sha256 {
 public:
  void add(const void* data, std::size_t bytes);
  std::string finish();  // 64 lower-case hexadecimal digits; call once, last

 private:
  void add_block(const std::uint8_t* block);

  std::uint32_t state_[8] = {0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A,
                             0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19};
  std::uint8_t pending_[64] = {};
  std::size_t pending_bytes_ = 0;
  std::uint64_t total_bytes_ = 0;
};

}  // namespace smearscope
