#include "model/safetensors.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "model/json.h"
#include "model/tensor_values.h"
#include "model/text.h"

namespace smearscope {
namespace {

// 2^53: whole numbers up to here are exact in a JSON number (a double).
constexpr double largest_integer = 9007199254740992.0;

[[noreturn]] void fail(const std::string& tensor, const std::string& what) {
  throw Error("tensor " + quoted(tensor) + ": " + what);
}

// Bytes per element, 0 for a dtype that safetensors does not have.
std::uint64_t element_bytes(std::string_view dtype) {
  static const std::map<std::string_view, std::uint64_t> sizes = {
      {"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F16", 2}, {"BF16", 2}, {"I16", 2}, {"U16", 2},
      {"F32", 4},  {"I32", 4}, {"U32", 4}, {"F64", 8}, {"I64", 8},  {"U64", 8}};
  const auto found = sizes.find(dtype);
  return found == sizes.end() ? 0 : found->second;
}

std::uint64_t whole_number(const Json& value, const std::string& tensor, const char* what) {
  const double number = value.number;
  if (value.kind != Json::Kind::number || number < 0 || number > largest_integer ||
      number != static_cast<double>(static_cast<std::uint64_t>(number))) {
    fail(tensor, std::string(what) + " must be whole numbers from 0 to 2^53");
  }
  return static_cast<std::uint64_t>(number);
}

const std::vector<Json>& array_of(const Json& value, const std::string& tensor, const char* what) {
  if (value.kind != Json::Kind::array) fail(tensor, std::string(what) + " must be an array");
  return value.items;
}

// Bytes that the shape takes; fails if they pass 2^53.
std::uint64_t bytes_of(const TensorPlace& place) {
  std::uint64_t bytes = element_bytes(place.dtype);
  if (bytes == 0) fail(place.name, "unknown dtype " + quoted(place.dtype));
  constexpr auto limit = static_cast<std::uint64_t>(largest_integer);
  for (const std::int64_t size : place.shape) {
    if (size > 0 && bytes > limit / static_cast<std::uint64_t>(size)) {
      fail(place.name, "the shape " + shape_to_string(place.shape) + " is absurdly large");
    }
    bytes *= static_cast<std::uint64_t>(size);
  }
  return bytes;
}

TensorPlace parse_place(const JsonMember& member) {
  TensorPlace place;
  place.name = member.key;
  if (member.value.kind != Json::Kind::object) fail(place.name, "its entry must be an object");
  const Json *dtype = nullptr, *shape = nullptr, *offsets = nullptr;
  for (const JsonMember& field : member.value.members) {
    if (field.key == "dtype")
      dtype = &field.value;
    else if (field.key == "shape")
      shape = &field.value;
    else if (field.key == "data_offsets")
      offsets = &field.value;
    else
      fail(place.name, "unknown field " + quoted(field.key));
  }
  if (dtype == nullptr || shape == nullptr || offsets == nullptr) {
    fail(place.name, "its entry needs dtype, shape and data_offsets");
  }
  if (dtype->kind != Json::Kind::string) fail(place.name, "dtype must be a string");
  place.dtype = dtype->string;
  for (const Json& size : array_of(*shape, place.name, "shape")) {
    place.shape.push_back(static_cast<std::int64_t>(whole_number(size, place.name, "shape")));
  }
  const std::vector<Json>& ends = array_of(*offsets, place.name, "data_offsets");
  if (ends.size() != 2) fail(place.name, "data_offsets must be two numbers");
  place.begin = whole_number(ends[0], place.name, "data_offsets");
  place.end = whole_number(ends[1], place.name, "data_offsets");
  return place;
}

void check_extent(const TensorPlace& place) {
  if (place.end < place.begin) fail(place.name, "ends before it begins");
  const std::uint64_t needed = bytes_of(place);
  if (place.end - place.begin != needed) {
    fail(place.name, "has " + std::to_string(place.end - place.begin) + " bytes, but " + place.dtype + " " +
                         shape_to_string(place.shape) + " takes " + std::to_string(needed));
  }
  if (place.begin % element_bytes(place.dtype) != 0) {
    fail(place.name,
         "begins at byte " + std::to_string(place.begin) + ", which is not a multiple of its element size");
  }
}

void check_order(const std::vector<TensorPlace>& tensors) {
  std::uint64_t end = 0;
  for (const TensorPlace& place : tensors) {
    if (place.begin < end) {
      fail(place.name, "begins at byte " + std::to_string(place.begin) + ", inside the tensor before it");
    }
    if (place.begin > end) {
      fail(place.name, "begins at byte " + std::to_string(place.begin) + ", which leaves a gap after byte " +
                           std::to_string(end));
    }
    end = place.end;
  }
}

std::map<std::string, std::string> parse_metadata(const Json& value) {
  if (value.kind != Json::Kind::object) throw Error("__metadata__ must be an object");
  std::map<std::string, std::string> metadata;
  for (const JsonMember& member : value.members) {
    if (member.value.kind != Json::Kind::string) {
      throw Error("__metadata__: the value of " + quoted(member.key) + " must be a string");
    }
    metadata[member.key] = member.value.string;
  }
  return metadata;
}

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view json) {
  if (json.empty() || json[0] != '{') throw Error("the header does not begin with '{'");
  Json document;
  try {
    document = parse_json(json);
  } catch (const Error& error) {
    throw Error(std::string("header, ") + error.what());
  }
  SafetensorsHeader header;
  for (const JsonMember& member : document.members) {
    if (member.key == "__metadata__") {
      header.metadata = parse_metadata(member.value);
    } else {
      header.tensors.push_back(parse_place(member));
      check_extent(header.tensors.back());
    }
  }
  std::sort(header.tensors.begin(), header.tensors.end(), [](const TensorPlace& a, const TensorPlace& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  check_order(header.tensors);
  return header;
}

std::string write_safetensors_header(const SafetensorsHeader& header) {
  Json document = Json::object();
  Json metadata = Json::object();
  for (const auto& [key, value] : header.metadata) metadata.append(key, value);
  document.append("__metadata__", std::move(metadata));
  for (const TensorPlace& place : header.tensors) {
    Json entry = Json::object();
    entry.append("dtype", place.dtype);
    Json shape = Json::array();
    for (const std::int64_t size : place.shape) shape.append(static_cast<double>(size));
    entry.append("shape", std::move(shape));
    Json offsets = Json::array();
    offsets.append(static_cast<double>(place.begin));
    offsets.append(static_cast<double>(place.end));
    entry.append("data_offsets", std::move(offsets));
    document.append(place.name, std::move(entry));
  }
  std::string json = write_json(document);
  while ((8 + json.size()) % 64 != 0) json += ' ';
  std::string out;
  for (unsigned i = 0; i < 8; ++i) out += static_cast<char>(json.size() >> (8 * i));
  return out + json;
}

std::uint64_t read_u64(const unsigned char* data) {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < 8; ++i) value |= static_cast<std::uint64_t>(data[i]) << (8 * i);
  return value;
}

}  // namespace smearscope
