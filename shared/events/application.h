// Applications, from the form to the decision.
#pragma once

#include "shared/events/grant.h"

namespace granary::events {

enum class ScreeningOutcome : std::uint8_t { cleared = 1, refused };
enum class DecisionOutcome : std::uint8_t { awarded = 1, declined };

// `quantity` counts `unit` (see units::named_unit): 10 resource-hour are ten GPU-hours.
struct ResourceAsked {
  std::string class_name;
  Quantity quantity;
  std::string unit;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "class", s.class_name, kRequired);
    visit(2, "quantity", s.quantity, kRequired);
    visit(3, "unit", s.unit, kRequired);
  }
};

struct ApplicationSubmitted {
  std::string application, project, access_mode, purpose;
  std::vector<ResourceAsked> resources;
  Instant period_from, period_to;
  std::vector<std::string> declarations;
  std::vector<Ref> refs = {};
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "application", s.application, kRequired);
    visit(2, "project", s.project, kRequired);
    visit(3, "access_mode", s.access_mode, kRequired);
    visit(4, "purpose", s.purpose, kOptional);
    visit(5, "resources", s.resources, kRequired);
    visit(6, "period_from", s.period_from, kRequired);
    visit(7, "period_to", s.period_to, kRequired);
    visit(8, "declarations", s.declarations, kOptional);
    visit(9, "refs", s.refs, kOptional);
  }
};

// AI Act screening: by a questionnaire's version, or on another basis (`trial` for trials).
struct ScreeningDecided {
  std::string application, questionnaire, basis, answers_hash;
  ScreeningOutcome outcome{};
  std::string reason;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "application", s.application, kRequired);
    visit(2, "questionnaire", s.questionnaire, kOptional);
    visit(3, "basis", s.basis, kOptional);
    visit(4, "answers_hash", s.answers_hash, kOptional);
    visit(5, "outcome", s.outcome, kRequired);
    visit(6, "reason", s.reason, kOptional);
  }
};

struct ApplicationDecided {
  std::string application, project;
  DecisionOutcome outcome{};
  std::string reason;
  std::optional<GrantAwarded> grant;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "application", s.application, kRequired);
    visit(2, "project", s.project, kRequired);
    visit(3, "outcome", s.outcome, kRequired);
    visit(4, "reason", s.reason, kOptional);
    visit(5, "grant", s.grant, kOptional);
  }
};

// What the event alone shows to be wrong; `at` is the JSON pointer to its data.
Trouble check(const ApplicationSubmitted& application, const std::string& at);
Trouble check(const ScreeningDecided& screening, const std::string& at);
Trouble check(const ApplicationDecided& application, const std::string& at);

}  // namespace granary::events

GRANARY_ENUM_NAMES(granary::events::ScreeningOutcome, "cleared", "refused");
GRANARY_ENUM_NAMES(granary::events::DecisionOutcome, "awarded", "declined");
