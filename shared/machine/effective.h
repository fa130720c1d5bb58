// Which of several dated facts holds at an instant: the one rule of all machines (classes, policies, price books,
// bindings). It is the fact with the latest effective time at or before the instant; of two with the same effective
// time the one published last, which has taken the other's place. So a correction of what holds today does not touch
// what is scheduled for later, whatever the order in which they were published.
//
// Facts of one kind are in a vector, by effective time, strictly rising. `effective_of(fact)` says a fact's time; by
// default its member `effective`. Pure; any thread.
#pragma once

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "shared/base/probe.h"
#include "shared/units/instant.h"

namespace granary::machine {

struct MemberEffective {
  template <class Fact>
  units::Instant operator()(const Fact& fact) const {
    return fact.effective;
  }
};

// The place behind the facts that are effective at or before `at`; the fact before it holds.
template <class Facts, class EffectiveOf = MemberEffective>
auto behind_effective(Facts& facts, units::Instant at, EffectiveOf effective_of = {}) {
  return std::upper_bound(facts.begin(), facts.end(), at,
                          [&](units::Instant wanted, const auto& fact) { return wanted < effective_of(fact); });
}

// The fact that holds at `at`; nullptr: none. Lives until the next publish().
template <class Fact, class EffectiveOf = MemberEffective>
const Fact* in_force(const std::vector<Fact>& facts, units::Instant at, EffectiveOf effective_of = {}) {
  const auto behind = behind_effective(facts, at, effective_of);
  return behind == facts.begin() ? nullptr : &*std::prev(behind);
}

template <class Fact, class EffectiveOf = MemberEffective>
void publish(std::vector<Fact>& facts, Fact fact, EffectiveOf effective_of = {}) {
  const auto behind = behind_effective(facts, effective_of(fact), effective_of);
  if (behind != facts.begin() && effective_of(*std::prev(behind)) == effective_of(fact)) {
    GRANARY_PROBE("a fact takes the place of one with the same time");
    *std::prev(behind) = std::move(fact);
    return;
  }
  if (behind != facts.end()) GRANARY_PROBE("a fact is published with an earlier time than another one has");
  facts.insert(behind, std::move(fact));
}

}  // namespace granary::machine
