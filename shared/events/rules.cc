#include "shared/events/rules.h"

#include <array>

namespace granary::events {
namespace {

constexpr auto kKnown = std::to_array<RulesVersion>({
    {1, "the first rules; they may still change until release 1.0"},
});

}  // namespace

const std::uint64_t kRulesNewest = kKnown.back().number;

std::span<const RulesVersion> known_rules() {
  return kKnown;
}

}  // namespace granary::events
