// A list of records that lie on disk: 8 bytes of memory a record, and 256 KiB for the list.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "storage/index_iterator.h"
#include "storage/record_bytes.h"
#include "storage/record_file.h"

namespace smearscope::corpus {

// T is trivially copyable or has a visit function (record_bytes.h). Records are handed out by value, and are
// changed by setting them anew; operator[] throws std::out_of_range. Copies of a list share its file, not its
// contents. Several threads may read at once, and set different records. All that reads or writes records
// throws StorageFailed as RecordFile does.
template <class T>
class StoredList {
 public:
  StoredList() = default;
  StoredList(const std::vector<T>& records) {  // NOLINT(google-explicit-constructor): a list is a list
    for (const T& record : records) push_back(record);
  }

  std::size_t size() const { return places_.size(); }
  bool empty() const { return places_.empty(); }

  // Const, so that nobody changes a record that is then thrown away.
  // NOLINTBEGIN(readability-const-return-type)
  const T operator[](std::size_t index) const {
    const std::string bytes = file_->read(places_.at(index));
    T record{};
    RecordReader reader(bytes);
    reader(record);
    return record;
  }
  const T front() const { return (*this)[0]; }
  const T back() const { return (*this)[size() - 1]; }
  // NOLINTEND(readability-const-return-type)

  void push_back(const T& record) {
    make_file();
    places_.push_back(keep(record));
  }
  void set(std::size_t index, const T& record) { places_[index] = keep(record); }
  template <class Change>
  void change(std::size_t index, const Change& change) {
    T record = (*this)[index];
    change(record);
    set(index, record);
  }

  // New places have no record until one is set.
  void resize(std::size_t size) {
    make_file();
    places_.resize(size, nowhere);
  }
  bool has(std::size_t index) const { return places_[index] != nowhere; }

  // All of another list, behind what is here.
  void append(StoredList other) {
    if (empty()) {
      *this = std::move(other);
      return;
    }
    for (const RecordFile::Place place : other.places_)
      places_.push_back(file_->append(other.file_->read(place)));
  }
  // The list has then, for each entry of `order`, what was record index_of(entry).
  template <class Entry, class IndexOf>
  void reorder(const std::vector<Entry>& order, const IndexOf& index_of) {
    std::deque<RecordFile::Place> places;
    for (const Entry& entry : order) places.push_back(places_[index_of(entry)]);
    places_ = std::move(places);
  }

  using Iterator = IndexIterator<StoredList, T>;
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, size()}; }

 private:
  static constexpr RecordFile::Place nowhere = ~RecordFile::Place(0);

  void make_file() {
    if (!file_) file_ = std::make_shared<RecordFile>();
  }
  RecordFile::Place keep(const T& record) {
    RecordWriter writer;
    writer(const_cast<T&>(record));  // visit names fields for both directions; a writer changes none
    return file_->append(writer.take());
  }

  std::shared_ptr<RecordFile> file_;
  std::deque<RecordFile::Place> places_;
};

}  // namespace smearscope::corpus
