#include "services/allocation/core/lot_policies.h"

#include "shared/base/probe.h"
#include "shared/machine/effective.h"

namespace granary::allocation {
namespace {

void policy_key(events::PolicyKind kind, BytesView project, Bytes& key) {
  key.clear();
  append_u8(key, static_cast<std::uint8_t>(kind));
  key.append(project);
}

}  // namespace

void LotPolicies::publish(const events::PolicyPublished& policy) {
  const bool overdraft = policy.kind == events::PolicyKind::overdraft;
  if (!overdraft && policy.kind != events::PolicyKind::burn_order && policy.kind != events::PolicyKind::holds) return;
  policy_key(policy.kind, overdraft ? BytesView(policy.content.project) : BytesView(), key_);
  machine::publish(rows_.edit(key_).versions, PolicyVersion{policy.effective, policy.version, policy.content});
}

const PolicyVersion* LotPolicies::in_force(events::PolicyKind kind, BytesView project, Instant at) {
  policy_key(kind, project, key_);
  const PolicyRow* row = rows_.find(key_);
  return row == nullptr ? nullptr : machine::in_force(row->versions, at);
}

const std::vector<events::BurnRule>& LotPolicies::burn_order(Instant start) {
  static const std::vector<events::BurnRule> by_default{events::BurnRule::priority, events::BurnRule::earliest_expiry,
                                                        events::BurnRule::earliest_award};
  const PolicyVersion* version = in_force(events::PolicyKind::burn_order, {}, start);
  return version == nullptr ? by_default : version->content.order;
}

std::int64_t LotPolicies::silent_hours_max(Instant now) {
  const PolicyVersion* version = in_force(events::PolicyKind::holds, {}, now);
  return static_cast<std::int64_t>(version == nullptr ? kSilentHoursMax : version->content.silent_hours_max);
}

Overdraft LotPolicies::overdraft(BytesView project, Instant start) {
  const PolicyVersion* version = in_force(events::PolicyKind::overdraft, project, start);
  if (version != nullptr)
    GRANARY_PROBE("a project's own overdraft policy holds");
  else
    version = in_force(events::PolicyKind::overdraft, {}, start);
  if (version == nullptr) {
    GRANARY_PROBE("use goes beyond all lots and no overdraft policy holds");
    return {};
  }
  const bool bill = version->content.mode == events::OverdraftMode::bill;
  return {bill ? events::PartFunding::uncovered_bill : events::PartFunding::uncovered_record, version->content.seller};
}

}  // namespace granary::allocation
