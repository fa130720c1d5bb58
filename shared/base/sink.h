// Bytes that are being put together from many short pieces: appending to a Sink is a few inline instructions, to a
// std::string a call into its library. As long as they are few they are in the object itself, so make one where it is
// needed, on the stack, and append its view() to where the bytes go. One thread; view() lives until the next change.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>

#include "shared/base/bytes.h"

namespace granary {

class Sink {
 public:
  Sink() {}  // NOLINT(modernize-use-equals-default): the bytes stay as they are
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  [[nodiscard]] BytesView view() const { return {data_, size_}; }
  [[nodiscard]] std::size_t size() const { return size_; }

  // Room for so many bytes behind the last, for the caller to write to; grow_to() tells how far it came.
  char* room(std::size_t bytes) {
    if (capacity_ - size_ < bytes) enlarge(bytes);
    return data_ + size_;
  }
  void grow_to(const char* end) { size_ = static_cast<std::size_t>(end - data_); }

  void push_back(char byte) {
    *room(1) = byte;
    ++size_;
  }
  void append(BytesView bytes) { size_ += bytes.copy(room(bytes.size()), bytes.size()); }

 private:
  void enlarge(std::size_t bytes) {
    const std::size_t capacity = std::max(capacity_ * 2, size_ + bytes);
    auto larger = std::make_unique_for_overwrite<char[]>(capacity);
    std::memcpy(larger.get(), data_, size_);
    more_ = std::move(larger);
    data_ = more_.get();
    capacity_ = capacity;
  }

  char few_[1024];
  std::unique_ptr<char[]> more_;
  char* data_ = few_;
  std::size_t size_ = 0;
  std::size_t capacity_ = sizeof(few_);
};

}  // namespace granary
