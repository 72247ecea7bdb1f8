// A SHA-256 in half the bytes of its digits.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace smearscope::corpus {

// Digests are in the same order as their digits.
using Digest = std::array<std::uint8_t, 32>;

// Of 64 lower-case hexadecimal digits.
inline Digest digest_of_digits(const std::string& digits) {
  Digest digest{};
  const auto value = [](char digit) { return digit <= '9' ? digit - '0' : digit - 'a' + 10; };
  for (std::size_t i = 0; i < digest.size(); ++i)
    digest[i] = static_cast<std::uint8_t>(value(digits[2 * i]) * 16 + value(digits[2 * i + 1]));
  return digest;
}

}  // namespace smearscope::corpus
