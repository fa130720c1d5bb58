// The one table of what an event is: a row for each, with its number and name, its struct, where it enters by a door
// and where it leaves for the outside, and since which rules version it exists. Doors, identity, routing, the outward
// key and the codec of events are computed from it. How to add one: docs/adding-an-event.md.
//
// A number is the event's field in the message `Event` (schemas/granary/events/v1/event.proto), so that its bytes name
// their type; it is never reused. Values; any thread.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <variant>

#include "shared/events/account.h"
#include "shared/events/application.h"
#include "shared/events/charge.h"
#include "shared/events/grant.h"
#include "shared/events/hold.h"
#include "shared/events/lane.h"
#include "shared/events/organisation.h"
#include "shared/events/policy.h"
#include "shared/events/posting.h"
#include "shared/events/price_book.h"
#include "shared/events/project.h"
#include "shared/events/refusal.h"
#include "shared/events/rules.h"
#include "shared/events/source.h"
#include "shared/events/topic.h"
#include "shared/events/usage.h"

namespace granary::events {

// The number of an event; kType<Struct> is that of a struct.
enum class EventType : std::uint16_t { none = 0 };

// How an event enters by a door: into `topic`. What is said of one usage meets by its root.
template <class T>
struct Enters {
  Topic topic{};
  Root T::*root = nullptr;         // the usage that it speaks of; none: itself
  Instant T::*end = nullptr;       // what may not lie in the future; none: nothing
  std::string_view end_name = {};  // of that field
  bool has_notes = false;          // UsageNotes are stored beside its substance
};

// How an event leaves for the outside: on `stream`, its record keyed by `key`.
template <class T>
struct Leaves {
  Topic stream{};
  std::string T::*key = nullptr;
};

template <class T>
struct Row {
  using Struct = T;
  EventType type{};
  std::string_view name;
  std::optional<Enters<T>> enters = {};  // none: no door takes it
  std::optional<Leaves<T>> leaves = {};  // none: it stays inside
  std::uint16_t since = 1;               // the first rules version that has a rule for it

  consteval Row(std::uint16_t number, std::string_view full_name) : type{number}, name(full_name) {}
  [[nodiscard]] consteval Row entering(Enters<T> how) const {
    Row row = *this;
    row.enters = how;
    return row;
  }
  // Finance reads by organisation, portals and sites by project: a record without that key would reach nobody, so an
  // event without it does not compile. Refusals are keyed by nothing: their partition says whose they are.
  [[nodiscard]] consteval Row leaving(Leaves<T> how) const {
    if (how.stream != Topic::rejected && how.key == nullptr) throw "an event that leaves needs a key";
    if (how.stream != Topic::billing && how.stream != Topic::notices && how.stream != Topic::rejected)
      throw "an event leaves by an outward stream";
    Row row = *this;
    row.leaves = how;
    return row;
  }
  [[nodiscard]] consteval Row since_rules(std::uint16_t version) const {
    Row row = *this;
    row.since = version;
    return row;
  }
};

inline constexpr auto kCatalogue = std::tuple{
    // what people decide
    Row<OrganisationRegistered>(10, "granary.organisation.registered.v1").entering({Topic::applications}),
    Row<ProjectRegistered>(14, "granary.project.registered.v1").entering({Topic::applications}),
    Row<AccountBound>(19, "granary.account.bound.v1").entering({Topic::applications}),
    Row<ApplicationSubmitted>(20, "granary.application.submitted.v1").entering({Topic::applications}),
    Row<ScreeningDecided>(23, "granary.screening.decided.v1").entering({Topic::applications}),
    Row<ApplicationDecided>(24, "granary.application.decided.v1").entering({Topic::applications}),
    Row<PolicyPublished>(30, "granary.policy.published.v1").entering({Topic::applications}),
    Row<PriceBookPublished>(31, "granary.price_book.published.v1").entering({Topic::applications}),
    Row<SourceStated>(34, "granary.source.stated.v1").entering({Topic::applications}),
    Row<RulesActivated>(36, "granary.rules.activated.v1").entering({Topic::applications}),
    // what machines report
    Row<UsageReported>(60, "granary.usage.reported.v1")
        .entering({.topic = Topic::usage, .end = &UsageReported::end, .end_name = "end", .has_notes = true}),
    Row<UsageInterim>(61, "granary.usage.interim.v1")
        .entering({.topic = Topic::usage,
                   .root = &UsageInterim::root,
                   .end = &UsageInterim::measured_at,
                   .end_name = "measured_at",
                   .has_notes = true}),
    // what machines tell each other
    Row<LaneCompleted>(100, "granary.lane.completed.v1"),
    Row<SourceCompleted>(101, "granary.source.completed.v1"),
    Row<ProjectOpened>(110, "granary.project.opened.v1").leaving({Topic::notices, &ProjectOpened::project}),
    Row<GrantOpened>(111, "granary.grant.opened.v1"),
    Row<UsageMetered>(120, "granary.usage.metered.v1"),
    Row<UsageHeld>(121, "granary.usage.held.v1"),
    Row<HoldSettled>(124, "granary.hold.settled.v1"),
    Row<UsageCharged>(130, "granary.usage.charged.v1"),
    Row<UnitsPosted>(131, "granary.units.posted.v1"),
    // what the outside is told
    Row<ChargeRated>(140, "granary.charge.rated.v1").leaving({Topic::billing, &ChargeRated::organisation}),
    Row<LotAwardedNotice>(150, "granary.grant.awarded.v1").leaving({Topic::notices, &LotAwardedNotice::project}),
    Row<LotExhausted>(151, "granary.lot.exhausted.v1").leaving({Topic::notices, &LotExhausted::project}),
    Row<LotExpired>(152, "granary.lot.expired.v1").leaving({Topic::notices, &LotExpired::project}),
    Row<HoldLapsed>(155, "granary.hold.lapsed.v1").leaving({Topic::notices, &HoldLapsed::project}),
    Row<RecordRefused>(160, "granary.record.refused.v1").leaving({Topic::rejected}),
};

// Any event; std::monostate stands for EventType::none.
template <class Rows>
struct EventOf;
template <class... T>
struct EventOf<std::tuple<Row<T>...>> {
  using Type = std::variant<std::monostate, T...>;
};
using Event = EventOf<std::remove_const_t<decltype(kCatalogue)>>::Type;

// The row of a struct.
template <class T>
inline constexpr const Row<T>& kRow = std::get<Row<T>>(kCatalogue);
template <class T>
inline constexpr EventType kType = kRow<T>.type;

// A name of the vocabulary.
enum class Status : std::uint8_t {
  enters,    // a door takes it
  derived,   // machines make it
  reserved,  // this build has no rule for it
};
struct TypeInfo {
  EventType type{};
  std::string_view name;  // "granary.usage.reported.v1"
  Status status{};
  Topic enters{};  // with Status::enters
  std::uint16_t since = 1;
};

// All names, those reserved too, sorted by number.
std::span<const TypeInfo> vocabulary();
// nullptr: no such name.
const TypeInfo* type_by_name(std::string_view name);
std::string_view type_name(EventType type);
EventType type_of(const Event& event);

// What a door needs to know of an event that it takes. Pointers live as long as the event.
struct Entry {
  Topic topic{};
  const Root* root = nullptr;    // the usage that it speaks of; nullptr: itself
  const Instant* end = nullptr;  // what may not lie in the future; nullptr: nothing
  std::string_view end_name;
  std::uint16_t since = 1;
};
// nullopt: no door takes it.
std::optional<Entry> entry_of(const Event& event);

// What the event alone shows to be wrong, of one that a door takes: the limits of its fields and its noun's check of
// form. Doors and folds ask the same, so one that changes, stricter or looser, would judge old history anew, and two
// builds of one ledger would differ: it needs a rules version of its own. Pointers lead into the event's data.
Trouble check_form(const Event& event);

// The key of an event's record on its outward stream; empty: it has none.
std::string_view outward_key(const Event& event);

}  // namespace granary::events
