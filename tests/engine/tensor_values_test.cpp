#include "model/tensor_values.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "model/checksum.h"

namespace smearscope {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

// Value of binary16 or bfloat16 bits from their definition: sign, biased exponent, fraction.
double value_of(std::uint16_t bits, int exponent_bits, int fraction_bits) {
  const int exponent = (bits >> fraction_bits) & ((1 << exponent_bits) - 1);
  const int fraction = bits & ((1 << fraction_bits) - 1);
  const int bias = (1 << (exponent_bits - 1)) - 1;
  double magnitude = 0;
  if (exponent == (1 << exponent_bits) - 1) {
    magnitude = fraction == 0 ? infinity : std::nan("");
  } else if (exponent == 0) {
    magnitude = std::ldexp(fraction, 1 - bias - fraction_bits);
  } else {
    magnitude = std::ldexp(fraction + (1 << fraction_bits), exponent - bias - fraction_bits);
  }
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

float f32_of(DType dtype, std::uint16_t bits) {
  return to_f32({"x", dtype, {1}, &bits, 2})[0];
}

TEST(TensorValues, EverySixteenBitValueBecomesItsF32) {
  for (int i = 0; i <= 0xFFFF; ++i) {
    const auto bits = static_cast<std::uint16_t>(i);
    const double half = value_of(bits, 5, 10);
    const double brain = value_of(bits, 8, 7);
    if (std::isnan(half)) {
      ASSERT_TRUE(std::isnan(f32_of(DType::f16, bits)));
    } else {
      ASSERT_EQ(f32_of(DType::f16, bits), half) << i;
      ASSERT_EQ(f16_from_f32(static_cast<float>(half)), bits);
    }
    if (std::isnan(brain)) {
      ASSERT_TRUE(std::isnan(f32_of(DType::bf16, bits)));
    } else {
      ASSERT_EQ(f32_of(DType::bf16, bits), brain) << i;
      ASSERT_EQ(bf16_from_f32(static_cast<float>(brain)), bits);
    }
  }
}

// Between two neighbours: below the middle goes down, above it up, the middle itself to the even one.
TEST(TensorValues, RoundingIsToNearestEven) {
  const auto check = [](std::uint16_t (*round)(float), int exponent_bits, int fraction_bits) {
    const int largest = ((1 << exponent_bits) - 1) << fraction_bits;  // infinity
    for (int i = 0; i + 1 < largest; ++i) {
      const auto low = static_cast<std::uint16_t>(i);
      const auto high = static_cast<std::uint16_t>(i + 1);
      const double middle =
          (value_of(low, exponent_bits, fraction_bits) + value_of(high, exponent_bits, fraction_bits)) / 2;
      const auto exact = static_cast<float>(middle);
      if (exact != middle) continue;  // bfloat16 subnormals below what f32 holds
      ASSERT_EQ(round(exact), i % 2 == 0 ? low : high) << i;
      ASSERT_EQ(round(std::nextafter(exact, 0.0F)), low) << i;
      ASSERT_EQ(round(std::nextafter(exact, infinity)), high) << i;
      ASSERT_EQ(round(-exact), (i % 2 == 0 ? low : high) | 0x8000) << i;
    }
  };
  check(f16_from_f32, 5, 10);
  check(bf16_from_f32, 8, 7);
}

TEST(TensorValues, TooLargeBecomesInfinityAndNanStaysNan) {
  EXPECT_EQ(f16_from_f32(65519.996F), 0x7BFF);
  EXPECT_EQ(f16_from_f32(65520.0F), 0x7C00);
  EXPECT_EQ(f16_from_f32(-infinity), 0xFC00);
  EXPECT_EQ(bf16_from_f32(3.3961776e38F), 0x7F80);
  EXPECT_EQ(bf16_from_f32(infinity), 0x7F80);
  EXPECT_TRUE(std::isnan(value_of(f16_from_f32(std::nanf("")), 5, 10)));
  EXPECT_TRUE(std::isnan(value_of(bf16_from_f32(std::nanf("")), 8, 7)));
  float signalling = 0;
  const std::uint32_t bits = 0x7F800001U;
  std::memcpy(&signalling, &bits, sizeof bits);
  EXPECT_TRUE(std::isnan(value_of(bf16_from_f32(signalling), 8, 7)));
}

TEST(TensorValues, TheFirstValueThatIsNotFiniteIsNamed) {
  std::vector<float> values(10000, 1.0F);
  const TensorView tensor{"fc", DType::f32, {10000}, values.data(), values.size() * sizeof(float)};
  EXPECT_NO_THROW(check_finite(tensor));
  values[9999] = infinity;
  values[4097] = std::nanf("");
  try {
    check_finite(tensor);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "tensor 'fc': value 4097 is NaN");
  }
}

TEST(TensorValues, ConversionRefusesWhatDoesNotFit) {
  std::vector<float> values{1.0F, 70000.0F};
  const TensorView tensor{"fc", DType::f32, {2}, values.data(), values.size() * sizeof(float)};
  try {
    store_as(tensor, DType::f16);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("'fc': value 1 (70000.000000) is too large for F16"),
              std::string::npos);
  }
  EXPECT_EQ(store_as(tensor, DType::bf16).size(), 4U);
}

// Check value of the CRC catalogue and of FIPS 180-4's examples.
TEST(Checksum, KnownSums) {
  EXPECT_EQ(crc32("123456789", 9), 0xCBF43926U);
  const auto sha256 = [](const std::string& text) {
    Sha256 sum;
    sum.add(text.data(), text.size());
    return sum.finish();
  };
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Checksum, PartsSumLikeTheWhole) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += static_cast<char>(i * 7);
  Sha256 whole;
  whole.add(text.data(), text.size());
  const std::string expected = whole.finish();
  for (std::size_t step : {1U, 3U, 63U, 64U, 65U, 200U}) {
    Sha256 parts;
    std::uint32_t crc = 0;
    for (std::size_t i = 0; i < text.size(); i += step) {
      const std::string part = text.substr(i, step);
      parts.add(part.data(), part.size());
      crc = crc32(part.data(), part.size(), crc);
    }
    EXPECT_EQ(parts.finish(), expected);
    EXPECT_EQ(crc, crc32(text.data(), text.size()));
  }
}

}  // namespace
}  // namespace smearscope
