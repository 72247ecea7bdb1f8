// Values sorted into buckets that lie on disk, to be taken bucket by bucket.
#pragma once

#include <cstring>
#include <mutex>
#include <type_traits>
#include <vector>

#include "storage/record_file.h"

namespace smearscope::corpus {

// Memory: 1 KiB a bucket, however much is added, and 8 bytes for each 1 KiB. T is trivially copyable.
// Thread-safe. Throws StorageFailed as RecordFile does.
template <class T>
class SpilledBuckets {
 public:
  static_assert(std::is_trivially_copyable_v<T>);

  explicit SpilledBuckets(std::size_t count) : buckets_(count) {}

  std::size_t size() const { return buckets_.size(); }

  // Adds bucket_of(value) to each of the values. What one call adds stays in its order within a bucket.
  template <class BucketOf>
  void add(const std::vector<T>& values, const BucketOf& bucket_of) {
    const std::lock_guard lock(mutex_);
    for (const T& value : values) {
      Bucket& bucket = buckets_[bucket_of(value)];
      bucket.last.reserve(most_in_memory);
      bucket.last.push_back(value);
      if (bucket.last.size() >= most_in_memory) write(bucket);
    }
  }

  // All that was added to the bucket, in that order; it is empty then.
  std::vector<T> take(std::size_t index) {
    Bucket bucket;
    {
      const std::lock_guard lock(mutex_);
      std::swap(bucket, buckets_[index]);
    }
    std::vector<T> values;
    values.reserve(bucket.places.size() * most_in_memory + bucket.last.size());
    for (const RecordFile::Place place : bucket.places) {
      const std::string bytes = file_.read(place);
      values.resize(values.size() + most_in_memory);
      std::memcpy(&*(values.end() - most_in_memory), bytes.data(), bytes.size());
    }
    values.insert(values.end(), bucket.last.begin(), bucket.last.end());
    return values;
  }

 private:
  static constexpr std::size_t most_in_memory = 1024 / sizeof(T);

  struct Bucket {
    std::vector<T> last;
    std::vector<RecordFile::Place> places;  // of the values before, most_in_memory each
  };

  void write(Bucket& bucket) {
    bucket.places.push_back(
        file_.append({reinterpret_cast<const char*>(bucket.last.data()), bucket.last.size() * sizeof(T)}));
    bucket.last.clear();
  }

  std::mutex mutex_;  // guards buckets_
  std::vector<Bucket> buckets_;
  RecordFile file_;
};

}  // namespace smearscope::corpus
