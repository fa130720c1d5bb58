// The policies that intake itself decides by: which classes are published, and how long the acceptance window is. Which
// of a kind is in force at an instant: machine/effective.h; it replaces the others whole.
//
// Threads: belongs to the machine's thread. Ownership: owns its copies of the policies.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "shared/events/policy.h"

namespace granary::intake {

class ClassesAndWindows {
 public:
  // In the order of publication. Kinds that intake does not decide by are passed over.
  void learn(const events::PolicyPublished& policy);

  // The policy of that kind that intake decides by at `at`; nullptr: none, or a kind that it does not decide by. Lives
  // until the next learn().
  [[nodiscard]] const events::PolicyPublished* in_force(events::PolicyKind kind, units::Instant at) const;
  // nullptr: not published, as of `at`. Lives until the next learn().
  [[nodiscard]] const events::ResourceClass* find_class(std::string_view name, units::Instant at) const;
  // The class in each list that is in force at `from` or comes into force later; empty: in none.
  [[nodiscard]] std::vector<const events::ResourceClass*> classes_from(std::string_view name,
                                                                       units::Instant from) const;
  // nullopt: no window is published.
  [[nodiscard]] std::optional<std::uint64_t> window_days(units::Instant at) const;

 private:
  std::vector<events::PolicyPublished> classes_, windows_;
};

}  // namespace granary::intake
