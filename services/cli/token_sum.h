// The one token that covers several: of each partition the last record. One thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "shared/runtime/runtime.h"

namespace granary::cli {

class TokenSum {
 public:
  // Empty text: of a write that appended nothing. Errors: invalid_input.
  Result<void> add(const std::string& text) {
    if (text.empty()) return {};
    auto token = runtime::Token::parse(text);
    if (!token.ok()) return token.error();
    for (const runtime::Place& place : token->places) {
      std::uint64_t& last = last_[{place.topic, place.partition}];
      last = std::max(last, place.offset);
    }
    newest_ = std::move(*token);
    return {};
  }
  // Empty: nothing was appended.
  [[nodiscard]] std::string text() const {
    runtime::Token sum = newest_;
    sum.places.clear();
    for (const auto& [partition, offset] : last_) sum.places.push_back({partition.first, partition.second, offset});
    return sum.text();
  }

 private:
  runtime::Token newest_;  // for all but its places
  std::map<std::pair<machine::Topic, std::uint16_t>, std::uint64_t> last_;
};

}  // namespace granary::cli
