// Policies: published rules that machines judge by.
#pragma once

#include "shared/events/words.h"

namespace granary::events {

enum class PolicyKind : std::uint8_t { resource_classes = 1, acceptance_window, burn_order, overdraft, holds };
enum class Charging : std::uint8_t { lots = 1, metered_only };
enum class BurnRule : std::uint8_t { priority = 1, earliest_expiry, earliest_award };
enum class OverdraftMode : std::uint8_t { bill = 1, record };

struct ResourceClass {
  std::string class_name;
  UnitKind unit{};
  Charging charging{};
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "class", s.class_name, kRequired);
    visit(2, "unit", s.unit, kRequired);
    visit(3, "charging", s.charging, kRequired);
  }
};

// Of the lists here only the one that belongs to the policy's kind is filled.
// How many days one usage may last if no policy says it: a year and a month, which no job runs and a service may.
inline constexpr std::uint64_t kUsageDaysMax = 400;

struct PolicyContent {
  std::vector<ResourceClass> classes;  // resource_classes
  std::uint64_t window_days = 0;       // acceptance_window: usage that ended longer ago is refused
  std::vector<BurnRule> order;         // burn_order: the first rule that tells two lots apart decides
  OverdraftMode mode{};                // overdraft: what becomes of use that no lot covers,
  std::string seller;                  //   at whose prices,
  std::string project;                 //   and of which project (empty: all that have none of their own)
  std::uint64_t silent_hours_max = 0;  // holds: what is held for a job that is silent for longer is free again
  std::uint64_t usage_days_max = 0;    // acceptance_window: usage that lasts longer is refused; 0: kUsageDaysMax
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "classes", s.classes, kOptional);
    visit(2, "window_days", s.window_days, kOptional);
    visit(3, "order", s.order, kOptional);
    visit(4, "mode", s.mode, kOptional);
    visit(5, "seller", s.seller, kOptional);
    visit(6, "project", s.project, kOptional);
    visit(7, "silent_hours_max", s.silent_hours_max, kOptional);
    visit(8, "usage_days_max", s.usage_days_max, kOptional);
  }
};

struct PolicyPublished {
  PolicyKind kind{};
  std::string version;
  Instant effective;
  PolicyContent content;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "kind", s.kind, kRequired);
    visit(2, "version", s.version, kRequired);
    visit(3, "effective", s.effective, kRequired);
    visit(4, "content", s.content, kRequired);
  }
};

// What the event alone shows to be wrong; `at` is the JSON pointer to its data.
Trouble check(const PolicyPublished& policy, const std::string& at);

}  // namespace granary::events

GRANARY_ENUM_NAMES(granary::events::PolicyKind, "resource_classes", "acceptance_window", "burn_order", "overdraft",
                   "holds");
GRANARY_ENUM_NAMES(granary::events::Charging, "lots", "metered_only");
GRANARY_ENUM_NAMES(granary::events::BurnRule, "priority", "earliest_expiry", "earliest_award");
GRANARY_ENUM_NAMES(granary::events::OverdraftMode, "bill", "record");
