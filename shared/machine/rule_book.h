// A machine's rules: for an event and a rules version, the function that folds it. A later version of a rule is
// kept beside the earlier one, so that old history folds as it did; an event without a rule has none in any version
// that this build knows, and parks.
//
//   const RuleBook<M> kRules = RuleBook<M>().raw<UsageReported, &M::take>().lane<AccountBound, &M::bind>();
//
// Built once, then only read: any thread.
#pragma once

#include <array>
#include <type_traits>
#include <vector>

#include "shared/base/check.h"
#include "shared/machine/machine.h"

namespace granary::machine {

template <class M>
class RuleBook {
 public:
  using RawRule = Outcome (*)(M&, const RawInput&, const Context&, Out&);
  using LaneRule = void (*)(M&, const LaneInput&, const Context&, Out&);

  // The rule for raw events of type E from version `since` on, until another is added for a later one:
  // Outcome kRule(const E&, const RawInput&, const Context&, Out&), a member of M.
  template <class E, Outcome (M::*kRule)(const E&, const RawInput&, const Context&, Out&)>
  RuleBook raw(std::uint16_t since = 1) && {
    add(raw_, index_of<E>(), since, RawRule([](M& machine, const RawInput& input, const Context& context, Out& out) {
          return (machine.*kRule)(*std::get_if<E>(&input.event), input, context, out);
        }));
    return std::move(*this);
  }
  // The same for events of lanes: void kRule(const E&, const LaneInput&, const Context&, Out&).
  template <class E, void (M::*kRule)(const E&, const LaneInput&, const Context&, Out&)>
  RuleBook lane(std::uint16_t since = 1) && {
    add(lane_, index_of<E>(), since, LaneRule([](M& machine, const LaneInput& input, const Context& context, Out& out) {
          (machine.*kRule)(*std::get_if<E>(&input.event), input, context, out);
        }));
    return std::move(*this);
  }

  [[nodiscard]] bool has(Way way, const events::Event& event, std::uint64_t rules) const {
    return way == Way::raw ? find(raw_, event, rules) != nullptr : find(lane_, event, rules) != nullptr;
  }
  // There must be a rule.
  Outcome apply(M& machine, const RawInput& input, const Context& context, Out& out) const {
    return found(raw_, input.event, context)(machine, input, context, out);
  }
  void apply(M& machine, const LaneInput& input, const Context& context, Out& out) const {
    found(lane_, input.event, context)(machine, input, context, out);
  }

 private:
  static constexpr std::size_t kEvents = std::variant_size_v<events::Event>;
  template <class Rule>
  struct Version {
    std::uint64_t since = 0;
    Rule rule = nullptr;
  };
  template <class Rule>
  using Rules = std::array<std::vector<Version<Rule>>, kEvents>;  // of each event, the newest version first

  template <class E, std::size_t kIndex = 0>
  static constexpr std::size_t index_of() {
    if constexpr (std::is_same_v<E, std::variant_alternative_t<kIndex, events::Event>>)
      return kIndex;
    else
      return index_of<E, kIndex + 1>();
  }

  template <class Rule>
  static void add(Rules<Rule>& rules, std::size_t index, std::uint16_t since, Rule rule) {
    GRANARY_CHECK(rules[index].empty() || rules[index].front().since < since, "two rules for one event and version");
    rules[index].insert(rules[index].begin(), {since, rule});
  }

  template <class Rule>
  static Rule find(const Rules<Rule>& rules, const events::Event& event, std::uint64_t version) {
    for (const Version<Rule>& one : rules[event.index()])
      if (one.since <= version) return one.rule;
    return nullptr;
  }

  template <class Rule>
  static Rule found(const Rules<Rule>& rules, const events::Event& event, const Context& context) {
    const Rule rule = find(rules, event, context.rules);
    GRANARY_CHECK(rule != nullptr, "an event without a rule reached its machine");
    return rule;
  }

  Rules<RawRule> raw_;
  Rules<LaneRule> lane_;
};

}  // namespace granary::machine
