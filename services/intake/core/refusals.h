// Why intake refuses: the names of the broken rules, in the order in which the rules are tested. Values; any thread.
#pragma once

#include <array>

#include <fmt/format.h>
#include <string>
#include <string_view>
#include <utility>

#include "shared/machine/machine.h"

namespace granary::intake {

enum class Refusal : std::uint8_t {
  conflicting_duplicate,
  event_too_large,
  organisation_exists,
  unknown_organisation,
  project_exists,
  unknown_project,
  application_exists,
  unknown_application,
  project_differs,
  application_already_decided,
  screening_not_cleared,
  too_many_lots,
  unknown_resource_class,
  class_is_metered_only,
  unit_differs,
  quantity_too_precise,
  quantity_overflow,
  lot_period_empty,
  version_exists,
  class_left_out,
  rules_version_not_next,
  legal_id_taken,
  ref_taken,
};

// The wire's reason strings.
inline constexpr auto kRefusalNames = std::to_array<std::string_view>({
    "conflicting_duplicate",
    "event_too_large",
    "organisation_exists",
    "unknown_organisation",
    "project_exists",
    "unknown_project",
    "application_exists",
    "unknown_application",
    "project_differs",
    "application_already_decided",
    "screening_not_cleared",
    "too_many_lots",
    "unknown_resource_class",
    "class_is_metered_only",
    "unit_differs",
    "quantity_too_precise",
    "quantity_overflow",
    "lot_period_empty",
    "version_exists",
    "class_left_out",
    "rules_version_not_next",
    "legal_id_taken",
    "ref_taken",
});
static_assert(kRefusalNames.size() == static_cast<std::size_t>(Refusal::ref_taken) + 1);

// `field` is a JSON pointer into the event's data.
inline machine::Outcome refuse(Refusal refusal, std::string field, std::string hint) {
  return machine::Outcome::refuse(kRefusalNames[static_cast<std::size_t>(refusal)], std::move(field), std::move(hint));
}

inline machine::Outcome unknown_project(const std::string& project) {
  return refuse(Refusal::unknown_project, "/project", fmt::format("register the project '{}' first", project));
}

inline machine::Outcome unknown_application(const std::string& application) {
  return refuse(Refusal::unknown_application, "/application",
                fmt::format("submit the application '{}' first", application));
}

inline machine::Outcome already_decided(const std::string& application) {
  return refuse(Refusal::application_already_decided, "/application",
                fmt::format("submit a new application: '{}' has its decision", application));
}

}  // namespace granary::intake
