// The headers of a record: names and values in their order, in one byte string. So a record that is read into again
// reuses its memory, and a row of the embedded log takes them over as they are. One thread; the views of a header live
// until the next change.
#pragma once

#include <initializer_list>

#include "shared/base/bytes.h"

namespace granary::journal {

struct Header {
  BytesView name, value;
};

class Headers {
 public:
  // Goes over whole headers only: those of a Headers.
  class Iterator {
   public:
    explicit Iterator(BytesView rest) : rest_(rest) {}
    Header operator*() const;
    Iterator& operator++();
    bool operator==(const Iterator& other) const { return rest_.size() == other.rest_.size(); }

   private:
    BytesView rest_;
  };

  Headers() = default;
  Headers(std::initializer_list<Header> headers);

  void add(BytesView name, BytesView value);
  // Adds those of `others` after these.
  void add(const Headers& others);
  void clear() { bytes_.clear(); }
  // For bytes() of `bytes` bytes.
  void reserve(std::size_t bytes) { bytes_.reserve(bytes); }

  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  [[nodiscard]] std::size_t size() const { return empty() ? 0 : read_u32(bytes_); }
  [[nodiscard]] Iterator begin() const { return Iterator(empty() ? BytesView() : BytesView(bytes_).substr(kCount)); }
  [[nodiscard]] Iterator end() const { return Iterator(BytesView()); }

  // As they are stored in a row: u32 number, then name and value of each as parts (append_part).
  void encode(Bytes& out) const;
  // Takes encoded headers off the front of `bytes`. False: there are none, and the object's content is undefined.
  bool take(BytesView& bytes);

  bool operator==(const Headers&) const = default;

 private:
  static constexpr std::size_t kCount = 4;

  void count_up(std::size_t more);

  Bytes bytes_;  // as encoded; empty if there is no header
};

}  // namespace granary::journal
