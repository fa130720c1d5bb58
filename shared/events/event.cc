#include "shared/events/event.h"

#include <array>

namespace granary::events {
namespace {

// A reserved name has its number too, so that nobody gives it to another event.
constexpr EventType reserved(std::uint16_t number) {
  return static_cast<EventType>(number);
}

constexpr auto kVocabulary = std::to_array<TypeInfo>({
    {EventType::organisation_registered, "granary.organisation.registered.v1", Origin::decision},
    {reserved(11), "granary.organisation.changed.v1", Origin::reserved},
    {reserved(12), "granary.billing_party.recorded.v1", Origin::reserved},
    {reserved(13), "granary.undertaking.joined.v1", Origin::reserved},
    {EventType::project_registered, "granary.project.registered.v1", Origin::decision},
    {reserved(15), "granary.project.moved.v1", Origin::reserved},
    {reserved(16), "granary.project.closed.v1", Origin::reserved},
    {reserved(17), "granary.member.added.v1", Origin::reserved},
    {reserved(18), "granary.member.removed.v1", Origin::reserved},
    {EventType::account_bound, "granary.account.bound.v1", Origin::decision},
    {EventType::application_submitted, "granary.application.submitted.v1", Origin::decision},
    {reserved(21), "granary.application.changed.v1", Origin::reserved},
    {reserved(22), "granary.application.withdrawn.v1", Origin::reserved},
    {EventType::screening_decided, "granary.screening.decided.v1", Origin::decision},
    {EventType::application_decided, "granary.application.decided.v1", Origin::decision},
    {reserved(25), "granary.grant.amended.v1", Origin::reserved},
    {reserved(26), "granary.grant.suspended.v1", Origin::reserved},
    {reserved(27), "granary.grant.resumed.v1", Origin::reserved},
    {reserved(28), "granary.grant.revoked.v1", Origin::reserved},
    {reserved(29), "granary.transfer.ordered.v1", Origin::reserved},
    {EventType::policy_published, "granary.policy.published.v1", Origin::decision},
    {EventType::price_book_published, "granary.price_book.published.v1", Origin::decision},
    {reserved(32), "granary.period.close_ordered.v1", Origin::reserved},
    {reserved(33), "granary.organisation.released.v1", Origin::reserved},
    {EventType::source_stated, "granary.source.stated.v1", Origin::decision},
    {reserved(35), "granary.backfill.opened.v1", Origin::reserved},
    {EventType::usage_reported, "granary.usage.reported.v1", Origin::usage},
    {EventType::usage_interim, "granary.usage.interim.v1", Origin::usage},
    {reserved(62), "granary.usage.corrected.v1", Origin::reserved},
    {reserved(63), "granary.usage.voided.v1", Origin::reserved},
    {reserved(64), "granary.usage.refunded.v1", Origin::reserved},
    {reserved(80), "granary.reservation.requested.v1", Origin::reserved},
    {reserved(81), "granary.reservation.extended.v1", Origin::reserved},
    {reserved(82), "granary.reservation.released.v1", Origin::reserved},
    {EventType::lane_completed, "granary.lane.completed.v1", Origin::derived},
    {EventType::source_completed, "granary.source.completed.v1", Origin::derived},
    {EventType::project_opened, "granary.project.opened.v1", Origin::derived},
    {EventType::grant_opened, "granary.grant.opened.v1", Origin::derived},
    {EventType::usage_metered, "granary.usage.metered.v1", Origin::derived},
    {EventType::usage_held, "granary.usage.held.v1", Origin::derived},
    {reserved(122), "granary.usage.remetered.v1", Origin::reserved},
    {reserved(123), "granary.refund.metered.v1", Origin::reserved},
    {EventType::hold_settled, "granary.hold.settled.v1", Origin::derived},
    {EventType::usage_charged, "granary.usage.charged.v1", Origin::derived},
    {EventType::units_posted, "granary.units.posted.v1", Origin::derived},
    {reserved(132), "granary.transfer.sent.v1", Origin::reserved},
    {reserved(133), "granary.transfer.returned.v1", Origin::reserved},
    {EventType::charge_rated, "granary.charge.rated.v1", Origin::derived},
    {reserved(141), "granary.charge.corrected.v1", Origin::reserved},
    {reserved(142), "granary.statement.issued.v1", Origin::reserved},
    {reserved(143), "granary.invoice.issued.v1", Origin::reserved},
    {reserved(144), "granary.credit_note.issued.v1", Origin::reserved},
    {reserved(145), "granary.period.closed.v1", Origin::reserved},
    {EventType::grant_awarded, "granary.grant.awarded.v1", Origin::derived},
    {EventType::lot_exhausted, "granary.lot.exhausted.v1", Origin::derived},
    {EventType::lot_expired, "granary.lot.expired.v1", Origin::derived},
    {reserved(153), "granary.lot.expiring.v1", Origin::reserved},
    {reserved(154), "granary.threshold.reached.v1", Origin::reserved},
    {EventType::hold_lapsed, "granary.hold.lapsed.v1", Origin::derived},
    {EventType::record_refused, "granary.record.refused.v1", Origin::derived},
});

}  // namespace

std::span<const TypeInfo> vocabulary() {
  return kVocabulary;
}

const TypeInfo* type_by_name(std::string_view name) {
  for (const TypeInfo& info : kVocabulary)
    if (info.name == name) return &info;
  return nullptr;
}

std::string_view type_name(EventType type) {
  for (const TypeInfo& info : kVocabulary)
    if (info.type == type) return info.name;
  return "none";
}

EventType type_of(const Event& event) {
  return std::visit(
      []<class T>(const T&) {
        if constexpr (std::is_same_v<T, std::monostate>) {
          return EventType::none;
        } else {
          return TypeOf<T>::kType;
        }
      },
      event);
}

}  // namespace granary::events
