// The one token that stands for several: of each partition the last record. One thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "shared/runtime/runtime.h"

namespace granary::standalone {

class TokenSum {
 public:
  // Empty text: of a write that appended nothing. Errors: invalid_input.
  Result<void> add(const std::string& text) {
    if (text.empty()) return {};
    const auto token = runtime::Token::parse(text);
    if (!token.ok()) return token.error();
    for (const runtime::Place& place : token->places) {
      std::uint64_t& last = last_[{place.topic, place.partition}];
      last = std::max(last, place.offset);
    }
    return {};
  }
  // Empty: nothing was appended.
  [[nodiscard]] std::string text() const {
    runtime::Token token;
    for (const auto& [partition, offset] : last_) token.places.push_back({partition.first, partition.second, offset});
    return token.text();
  }

 private:
  std::map<std::pair<machine::Topic, std::uint16_t>, std::uint64_t> last_;
};

}  // namespace granary::standalone
