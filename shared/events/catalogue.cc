#include "shared/events/catalogue.h"

#include <algorithm>

#include "shared/codec/limits.h"

namespace granary::events {
namespace {

// Names that this build has no rule for yet, each with its number, so that nobody gives it to another event.
struct Reserved {
  std::uint16_t number = 0;
  std::string_view name;
};
constexpr auto kReserved = std::to_array<Reserved>({
    {11, "granary.organisation.changed.v1"},  {12, "granary.billing_party.recorded.v1"},
    {13, "granary.undertaking.joined.v1"},    {15, "granary.project.moved.v1"},
    {16, "granary.project.closed.v1"},        {17, "granary.member.added.v1"},
    {18, "granary.member.removed.v1"},        {21, "granary.application.changed.v1"},
    {22, "granary.application.withdrawn.v1"}, {25, "granary.grant.amended.v1"},
    {26, "granary.grant.suspended.v1"},       {27, "granary.grant.resumed.v1"},
    {28, "granary.grant.revoked.v1"},         {29, "granary.transfer.ordered.v1"},
    {32, "granary.period.close_ordered.v1"},  {33, "granary.organisation.released.v1"},
    {35, "granary.backfill.opened.v1"},       {62, "granary.usage.corrected.v1"},
    {63, "granary.usage.voided.v1"},          {64, "granary.usage.refunded.v1"},
    {80, "granary.reservation.requested.v1"}, {81, "granary.reservation.extended.v1"},
    {82, "granary.reservation.released.v1"},  {122, "granary.usage.remetered.v1"},
    {123, "granary.refund.metered.v1"},       {132, "granary.transfer.sent.v1"},
    {133, "granary.transfer.returned.v1"},    {141, "granary.charge.corrected.v1"},
    {142, "granary.statement.issued.v1"},     {143, "granary.invoice.issued.v1"},
    {144, "granary.credit_note.issued.v1"},   {145, "granary.period.closed.v1"},
    {153, "granary.lot.expiring.v1"},         {154, "granary.threshold.reached.v1"},
    {200, "granary.proposal.confirmed.v1"},   {201, "granary.proposal.rejected.v1"},
    {202, "granary.role.granted.v1"},         {203, "granary.role.revoked.v1"},
    {204, "granary.person.merged.v1"},        {205, "granary.person.left.v1"},
    {206, "granary.person.erased.v1"},        {207, "granary.document.added.v1"},
    {208, "granary.document.erased.v1"},      {209, "granary.retention.stopped.v1"},
    {210, "granary.retention.resumed.v1"},    {211, "granary.check.decided.v1"},
    {212, "granary.award.accepted.v1"},       {213, "granary.award.declined.v1"},
    {214, "granary.award.lapsed.v1"},         {215, "granary.site.applied.v1"},
    {216, "granary.site.failed.v1"},          {217, "granary.outage.recorded.v1"},
    {218, "granary.compensation.ordered.v1"}, {219, "granary.organisation.merged.v1"},
    {220, "granary.organisation.status.v1"},  {221, "granary.undertaking.split.v1"},
    {222, "granary.aid.declared.v1"},         {223, "granary.aid.corrected.v1"},
    {224, "granary.service.delivered.v1"},    {225, "granary.service.accepted.v1"},
    {226, "granary.obligation.met.v1"},       {227, "granary.obligation.judged.v1"},
    {228, "granary.dispute.opened.v1"},       {229, "granary.dispute.answered.v1"},
    {230, "granary.dispute.resolved.v1"},     {231, "granary.payment.recorded.v1"},
    {232, "granary.maintenance.started.v1"},  {233, "granary.maintenance.ended.v1"},
    {234, "granary.usage.refund_lifted.v1"},
});

constexpr std::size_t kRows = std::tuple_size_v<decltype(kCatalogue)>;

template <class T>
constexpr TypeInfo info_of(const Row<T>& row) {
  return {row.type, row.name, row.enters ? Status::enters : Status::derived, row.enters ? row.enters->topic : Topic{},
          row.since};
}

constexpr auto make_vocabulary() {
  std::array<TypeInfo, kRows + kReserved.size()> all{};
  std::size_t next = 0;
  std::apply([&](const auto&... row) { ((all[next++] = info_of(row)), ...); }, kCatalogue);
  for (const Reserved& one : kReserved) all[next++] = {EventType{one.number}, one.name, Status::reserved};
  std::sort(all.begin(), all.end(), [](const TypeInfo& a, const TypeInfo& b) { return a.type < b.type; });
  return all;
}

constexpr auto kVocabulary = make_vocabulary();
static_assert(std::adjacent_find(kVocabulary.begin(), kVocabulary.end(),
                                 [](const TypeInfo& a, const TypeInfo& b) { return a.type == b.type; }) ==
                  kVocabulary.end(),
              "two events have one number");

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
          return kType<T>;
        }
      },
      event);
}

std::optional<Entry> entry_of(const Event& event) {
  return std::visit(
      []<class T>(const T& value) -> std::optional<Entry> {
        if constexpr (std::is_same_v<T, std::monostate>) {
          return std::nullopt;
        } else {
          constexpr const Row<T>& kOwn = kRow<T>;
          if constexpr (!kOwn.enters.has_value()) {
            return std::nullopt;
          } else {
            constexpr Enters<T> kHow = *kOwn.enters;
            Entry entry{kHow.topic, nullptr, nullptr, kHow.end_name, kOwn.since};
            if constexpr (kHow.root != nullptr) entry.root = &(value.*kHow.root);
            if constexpr (kHow.end != nullptr) entry.end = &(value.*kHow.end);
            return entry;
          }
        }
      },
      event);
}

Trouble check_form(const Event& event) {
  return std::visit(
      []<class T>(const T& value) -> Trouble {
        if constexpr (std::is_same_v<T, std::monostate>) {
          return std::nullopt;
        } else {
          constexpr const Row<T>& kOwn = kRow<T>;
          if constexpr (!kOwn.enters.has_value()) {
            return std::nullopt;
          } else {
            codec::LimitCheck limits;
            T::fields(value, limits);
            if (auto trouble = limits.trouble()) return trouble;
            if constexpr (requires { check(value, std::string()); }) return check(value, std::string());
            return std::nullopt;
          }
        }
      },
      event);
}

std::string_view outward_key(const Event& event) {
  return std::visit(
      []<class T>(const T& value) -> std::string_view {
        if constexpr (!std::is_same_v<T, std::monostate>) {
          constexpr const Row<T>& kOwn = kRow<T>;
          if constexpr (kOwn.leaves.has_value()) {
            constexpr Leaves<T> kHow = *kOwn.leaves;
            if constexpr (kHow.key != nullptr) return value.*kHow.key;
          }
        }
        return {};
      },
      event);
}

}  // namespace granary::events
