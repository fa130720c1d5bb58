#include "services/metering/core/facts.h"

#include "shared/base/probe.h"
#include "shared/machine/effective.h"

namespace granary::metering {
namespace {

// The rows are read once, at the start, and written when a fact comes: the facts themselves are kept in memory decoded.
constexpr std::size_t kRowsMax = 64;

Instant from_of(const events::AccountBound& binding) {
  return binding.from.value_or(units::kInstantMin);
}

Bytes number_key(std::uint64_t number) {
  Bytes key;
  append_u64(key, number);
  return key;
}

}  // namespace

ClassBook::ClassBook(const events::PolicyPublished& policy) : effective(policy.effective), version_(policy.version) {
  for (const events::ResourceClass& published : policy.content.classes)
    classes_.emplace(published.class_name, published);
}

const events::ResourceClass* ClassBook::find(const std::string& class_name) const {
  const auto found = classes_.find(class_name);
  return found == classes_.end() ? nullptr : &found->second;
}

Facts::Facts(machine::TableSet& tables)
    : policy_rows_(tables, Table::policies, kRowsMax), binding_rows_(tables, Table::bindings, kRowsMax) {}

void Facts::read() {
  policy_rows_.scan("", [this](BytesView, const events::PolicyPublished& policy) { return take(policy), true; });
  binding_rows_.scan("", [this](BytesView, const events::AccountBound& binding) { return take(binding), true; });
}

void Facts::take(const events::PolicyPublished& policy) {
  if (policy.kind == events::PolicyKind::resource_classes) machine::publish(class_books_, ClassBook(policy));
  if (policy.kind == events::PolicyKind::acceptance_window)
    machine::publish(windows_, Window{policy.effective, static_cast<std::int64_t>(policy.content.window_days),
                                      static_cast<std::int64_t>(policy.content.usage_days_max)});
}

void Facts::take(const events::AccountBound& binding) {
  machine::publish(bindings_[{binding.cluster, binding.account}], binding, from_of);
}

void Facts::publish(const events::PolicyPublished& policy, ShardRow& shard) {
  policy_rows_.edit(number_key(shard.policies++)) = policy;
  take(policy);
}

void Facts::bind(const events::AccountBound& binding, ShardRow& shard) {
  binding_rows_.edit(number_key(shard.bindings++)) = binding;
  take(binding);
}

const ClassBook* Facts::classes_at(Instant start) const {
  return machine::in_force(class_books_, start);
}

std::optional<std::int64_t> Facts::window_days_at(Instant now) const {
  const Window* window = machine::in_force(windows_, now);
  return window == nullptr ? std::nullopt : std::optional(window->days);
}

std::int64_t Facts::usage_days_max_at(Instant now) const {
  const Window* window = machine::in_force(windows_, now);
  return window == nullptr || window->usage_days_max == 0 ? events::kUsageDaysMax : window->usage_days_max;
}

const std::string& Facts::project_of(const std::string& cluster, const std::string& account, Instant start) const {
  static const std::string kNone;
  const auto found = bindings_.find({cluster, account});
  if (found == bindings_.end()) return kNone;
  for (auto behind = machine::behind_effective(found->second, start, from_of); behind != found->second.begin();)
    if (const events::AccountBound& binding = *--behind; !binding.to || start < *binding.to)
      return binding.project;
    else
      GRANARY_PROBE("usage starts after the end of the account's newest binding");
  return kNone;
}

}  // namespace granary::metering
