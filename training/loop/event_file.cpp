#include "loop/event_file.h"

#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>

namespace smearscope::training {
namespace {

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

template <typename T>
std::string little_endian(T value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);  // every machine that this runs on is
  return bytes;
}

// Protocol buffers' wire format (protobuf.dev/programming-guides/encoding).
std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7U) bytes += static_cast<char>((value & 0x7FU) | 0x80U);
  return bytes + static_cast<char>(value);
}
std::string field(unsigned number, unsigned wire_type, const std::string& value) {
  return varint(number << 3U | wire_type) + value;
}
std::string fixed64(unsigned number, double value) {
  return field(number, 1, little_endian(value));
}
std::string fixed32(unsigned number, float value) {
  return field(number, 5, little_endian(value));
}
std::string bytes_field(unsigned number, const std::string& bytes) {
  return field(number, 2, varint(bytes.size()) + bytes);
}

std::uint32_t masked_crc(const std::string& data) {
  const std::uint32_t crc = crc32c(data);
  return (crc >> 15U | crc << 17U) + 0xA282EAD8U;
}

}  // namespace

std::uint32_t crc32c(const std::string& data) {
  static const std::array<std::uint32_t, 256> table = [] {
    std::array<std::uint32_t, 256> t{};
    for (std::uint32_t i = 0; i < t.size(); ++i) {
      t[i] = i;
      for (int bit = 0; bit < 8; ++bit) t[i] = t[i] & 1U ? t[i] >> 1U ^ 0x82F63B78U : t[i] >> 1U;
    }
    return t;
  }();
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char c : data) crc = table[(crc ^ static_cast<unsigned char>(c)) & 0xFFU] ^ crc >> 8U;
  return ~crc;
}

EventFile::EventFile(const std::string& folder) {
  const double now = seconds_now();
  path_ = folder + "/events.out.tfevents." + std::to_string(static_cast<std::int64_t>(now)) + "." +
          std::to_string(::getpid());
  out_.open(path_, std::ios::binary | std::ios::app);
  write_record(fixed64(1, now) + bytes_field(3, "brain.Event:2"));
}

void EventFile::add(const std::string& name, double value, std::uint64_t step) {
  const std::string summary = bytes_field(1, bytes_field(1, name) + fixed32(2, static_cast<float>(value)));
  write_record(fixed64(1, seconds_now()) + field(2, 0, varint(step)) + bytes_field(5, summary));
}

void EventFile::write_record(const std::string& message) {
  const std::string length = little_endian(static_cast<std::uint64_t>(message.size()));
  out_ << length << little_endian(masked_crc(length)) << message << little_endian(masked_crc(message));
  if (!out_.flush()) throw Error(path_ + ": cannot write the file (is the disk full?)");
}

namespace {

void add_to(EventFile& events, const std::string& part, const LossValues& losses, std::uint64_t step) {
  events.add(part + "/loss", losses.total(), step);
  events.add(part + "/objectness", losses.objectness, step);
  events.add(part + "/rpn_box", losses.rpn_box, step);
  events.add(part + "/classification", losses.classification, step);
  events.add(part + "/box", losses.box, step);
}

}  // namespace

void add_to(EventFile& events, const Report& r, const std::optional<LossValues>& validation) {
  add_to(events, "train", r.losses, r.step);
  if (validation) add_to(events, "val", *validation, r.step);
  events.add("learning_rate", r.learning_rate, r.step);
  events.add("images_per_second", r.images_per_second, r.step);
}

}  // namespace smearscope::training
