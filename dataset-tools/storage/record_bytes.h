// Records as bytes, for StoredList: each field in turn, as it lies in memory; texts and lists begin with
// their length. For use within one process: the bytes are not a file format.
//
// A record type has one function that names its fields, for both directions:
//
//   template <class Fields>
//   void visit(Fields& fields, Thing& thing) { fields(thing.name, thing.sizes); }
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace smearscope::corpus {

class RecordWriter {
 public:
  template <class... T>
  void operator()(T&... values) {
    (write(values), ...);
  }
  std::string take() { return std::move(bytes_); }

 private:
  template <class T>
  void write(T& value) {
    if constexpr (std::is_trivially_copyable_v<T>) {
      bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    } else {
      visit(*this, value);
    }
  }
  void write(std::string& text) {
    write_size(text.size());
    bytes_.append(text);
  }
  void write(std::filesystem::path& path) {
    write_size(path.native().size());
    bytes_.append(path.native());
  }
  template <class T>
  void write(std::vector<T>& list) {
    write_size(list.size());
    for (T& value : list) write(value);
  }
  void write_size(std::size_t size) {
    auto count = static_cast<std::uint32_t>(size);  // RecordFile takes no record for which this isn't enough
    write(count);
  }

  std::string bytes_;
};

class RecordReader {
 public:
  // `bytes`: all that a RecordWriter wrote; they must outlive this.
  explicit RecordReader(std::string_view bytes) : bytes_(bytes) {}

  template <class... T>
  void operator()(T&... values) {
    (read(values), ...);
  }

 private:
  template <class T>
  void read(T& value) {
    if constexpr (std::is_trivially_copyable_v<T>) {
      std::memcpy(&value, bytes_.data(), sizeof value);
      bytes_.remove_prefix(sizeof value);
    } else {
      visit(*this, value);
    }
  }
  void read(std::string& text) { text = read_text(); }
  void read(std::filesystem::path& path) { path = read_text(); }
  template <class T>
  void read(std::vector<T>& list) {
    list.resize(read_size());
    for (T& value : list) read(value);
  }
  std::size_t read_size() {
    std::uint32_t count = 0;
    read(count);
    return count;
  }
  std::string_view read_text() {
    const std::size_t size = read_size();
    const std::string_view text = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return text;
  }

  std::string_view bytes_;
};

}  // namespace smearscope::corpus
