// Every event of the vocabulary as one value, and the table of its types. The numbers are the fields of the message
// `Event` in schemas/granary/events/v1/event.proto, so that an event's bytes name their type; a number is never reused.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "shared/events/decisions.h"
#include "shared/events/derived.h"
#include "shared/events/usage.h"

namespace granary::events {

enum class EventType : std::uint16_t {
  none = 0,
  // what people decide
  organisation_registered = 10,
  project_registered = 14,
  account_bound = 19,
  application_submitted = 20,
  screening_decided = 23,
  application_decided = 24,
  policy_published = 30,
  price_book_published = 31,
  source_stated = 34,
  // what machines report
  usage_reported = 60,
  usage_interim = 61,
  // derived
  lane_completed = 100,
  source_completed = 101,
  project_opened = 110,
  grant_opened = 111,
  usage_metered = 120,
  usage_held = 121,
  hold_settled = 124,
  usage_charged = 130,
  units_posted = 131,
  charge_rated = 140,
  grant_awarded = 150,
  lot_exhausted = 151,
  lot_expired = 152,
  hold_lapsed = 155,
  record_refused = 160,
};

// std::monostate stands for EventType::none.
using Event =
    std::variant<std::monostate, OrganisationRegistered, ProjectRegistered, AccountBound, ApplicationSubmitted,
                 ScreeningDecided, ApplicationDecided, PolicyPublished, PriceBookPublished, SourceStated, UsageReported,
                 UsageInterim, LaneCompleted, SourceCompleted, ProjectOpened, GrantOpened, UsageMetered, UsageHeld,
                 HoldSettled, UsageCharged, UnitsPosted, ChargeRated, LotAwardedNotice, LotExhausted, LotExpired,
                 HoldLapsed, RecordRefused>;

template <class T>
struct TypeOf;
#define GRANARY_EVENT_TYPE(Struct, type_name)                \
  template <>                                                \
  struct TypeOf<Struct> {                                    \
    static constexpr EventType kType = EventType::type_name; \
  }
GRANARY_EVENT_TYPE(OrganisationRegistered, organisation_registered);
GRANARY_EVENT_TYPE(ProjectRegistered, project_registered);
GRANARY_EVENT_TYPE(AccountBound, account_bound);
GRANARY_EVENT_TYPE(ApplicationSubmitted, application_submitted);
GRANARY_EVENT_TYPE(ScreeningDecided, screening_decided);
GRANARY_EVENT_TYPE(ApplicationDecided, application_decided);
GRANARY_EVENT_TYPE(PolicyPublished, policy_published);
GRANARY_EVENT_TYPE(PriceBookPublished, price_book_published);
GRANARY_EVENT_TYPE(SourceStated, source_stated);
GRANARY_EVENT_TYPE(UsageReported, usage_reported);
GRANARY_EVENT_TYPE(UsageInterim, usage_interim);
GRANARY_EVENT_TYPE(LaneCompleted, lane_completed);
GRANARY_EVENT_TYPE(SourceCompleted, source_completed);
GRANARY_EVENT_TYPE(ProjectOpened, project_opened);
GRANARY_EVENT_TYPE(GrantOpened, grant_opened);
GRANARY_EVENT_TYPE(UsageMetered, usage_metered);
GRANARY_EVENT_TYPE(UsageHeld, usage_held);
GRANARY_EVENT_TYPE(HoldSettled, hold_settled);
GRANARY_EVENT_TYPE(UsageCharged, usage_charged);
GRANARY_EVENT_TYPE(UnitsPosted, units_posted);
GRANARY_EVENT_TYPE(ChargeRated, charge_rated);
GRANARY_EVENT_TYPE(LotAwardedNotice, grant_awarded);
GRANARY_EVENT_TYPE(LotExhausted, lot_exhausted);
GRANARY_EVENT_TYPE(LotExpired, lot_expired);
GRANARY_EVENT_TYPE(HoldLapsed, hold_lapsed);
GRANARY_EVENT_TYPE(RecordRefused, record_refused);
#undef GRANARY_EVENT_TYPE

// Where an event comes from: a sender outside (raw, by its topic) or a machine.
enum class Origin : std::uint8_t { decision, usage, derived, reserved };

struct TypeInfo {
  EventType type;
  std::string_view name;  // "granary.usage.reported.v1"
  Origin origin;          // reserved: a name of the vocabulary that this build has no rule for
};

// All names, those reserved too, sorted by number.
std::span<const TypeInfo> vocabulary();
// nullptr: no such name.
const TypeInfo* type_by_name(std::string_view name);
std::string_view type_name(EventType type);
EventType type_of(const Event& event);

}  // namespace granary::events
