#include "model/json.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace smearscope {
namespace {

// The message with which `text` is refused, empty if it is accepted.
std::string refusal(const std::string& text) {
  try {
    parse_json(text);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

std::string rewritten(const std::string& text) {
  return write_json(parse_json(text));
}

TEST(Json, ReadsEveryKindOfValue) {
  EXPECT_EQ(rewritten(R"( { "a" : [ 1 , -2.5e3 , true , false , null , "x" ] , "b" : { } , "c" : [ ] } )"),
            R"({"a":[1,-2500,true,false,null,"x"],"b":{},"c":[]})");
}

TEST(Json, KeepsTheOrderOfKeys) {
  EXPECT_EQ(rewritten(R"({"b":1,"a":2})"), R"({"b":1,"a":2})");
}

TEST(Json, NumbersSurviveWritingBitForBit) {
  for (const double number :
       {0.1, 1.0 / 3, 5e-324, 1.7976931348623157e308, -0.0, 1e21, 123456789012345678.0}) {
    EXPECT_EQ(parse_json(write_json(number)).number, number);
  }
  EXPECT_EQ(write_json(static_cast<double>(0.5F)), "0.5");
}

TEST(Json, EscapesAreReadAndWritten) {
  EXPECT_EQ(parse_json(R"("\"\\\/\b\f\n\r\t\u00e9\u20AC\ud83d\ude00")").string,
            "\"\\/\b\f\n\r\t\u00e9\u20ac\U0001F600");
  const std::string text =
      "quote \" backslash \\ line\n tab\t bell\x07 zero" + std::string(1, '\0') + "\u00b5m";
  EXPECT_EQ(parse_json(write_json(text)).string, text);
}

TEST(Json, BrokenTextIsRefused) {
  for (const char* text :
       {"",        " ",         "{",           "[",           "[1",    "[1,",   "[1,]", "{\"a\"",
        "{\"a\":", "{\"a\":1",  "{\"a\":1,}",  "{a:1}",       "{1:1}", "[1 2]", "nul",  "True",
        "tru",     "+1",        "-",           "01",          "1.",    ".5",    "1e",   "1e+",
        "0x10",    "NaN",       "Infinity",    "-Infinity",   "1 1",   "{}x",   "\"a",  "\"\\",
        "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\u-123\"", "'a'",   "[1]]",  "//",   "\"a\nb\""}) {
    EXPECT_NE(refusal(text), "") << text;
  }
}

TEST(Json, MessagesTellTheByte) {
  EXPECT_EQ(refusal("[1,2,x]"), "byte 5: expected a JSON value");
  EXPECT_EQ(refusal("[1,2"), "byte 4: the text ends too early");
}

TEST(Json, DuplicateKeysAreRefused) {
  EXPECT_NE(refusal(R"({"a":1,"b":2,"a":3})").find("key 'a' twice"), std::string::npos);
  EXPECT_NE(refusal(R"({"a":1,"\u0061":3})").find("key 'a' twice"), std::string::npos);
  EXPECT_EQ(refusal(R"({"a":{"a":1}})"), "");
}

TEST(Json, InvalidUtf8IsRefused) {
  for (const char* bytes :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xC3", "\xE0\x80\x80", "\xE2\x82", "\xED\xA0\x80",
        "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "a\xC3z"}) {
    EXPECT_NE(refusal("\"" + std::string(bytes) + "\"").find("not valid UTF-8"), std::string::npos);
  }
  EXPECT_EQ(refusal("\"\xF4\x8F\xBF\xBF \xED\x9F\xBF \xEE\x80\x80 \xC2\x80\""), "");
}

TEST(Json, HalfASurrogatePairIsRefused) {
  for (const char* text :
       {R"("\ud83d")", R"("\ud83dx")", R"("\ud83d\u0041")", R"("\ude00")", R"("\ud83d\ud83d")"}) {
    EXPECT_NE(refusal(text).find("surrogate"), std::string::npos) << text;
  }
}

TEST(Json, NumbersThatNoDoubleHoldsAreRefused) {
  for (const char* text : {"1e309", "-1e309", "1e99999999999999999999", "1e-400"}) {
    EXPECT_NE(refusal(text).find("out of range"), std::string::npos) << text;
  }
}

TEST(Json, DeepNestingIsRefused) {
  const auto nested = [](int depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(refusal(nested(json_depth_limit)), "");
  EXPECT_NE(refusal(nested(json_depth_limit + 2)).find("nested deeper"), std::string::npos);
  EXPECT_NE(refusal(std::string(1000000, '[')).find("nested deeper"), std::string::npos);
  EXPECT_NE(refusal(nested(500000)).find("nested deeper"), std::string::npos);
}

}  // namespace
}  // namespace smearscope
