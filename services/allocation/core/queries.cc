// What the doors ask, of rows that are shown (Machine::show) or, in tests, of those that are being changed.
#include "services/allocation/core/machine.h"

namespace granary::allocation {
namespace {

ClassBalance class_balance(const AccountId& id, const AccountRow& account, Instant now) {
  ClassBalance balance;
  balance.class_name = id.class_name;
  balance.unit = id.unit;
  for (const Lot& lot : account.lots) {
    balance.granted += lot.granted;
    balance.used += lot.used;
    balance.reserved += lot.reserved;
    balance.expired += lot.expired;
    balance.withdrawn += lot.withdrawn;
    balance.available += lot.available;
    if (lot.from <= now && now < lot.to) balance.usable += lot.available;
  }
  balance.running = balance.reserved;
  balance.uncovered = account.uncovered;
  return balance;
}

// A class that was only metered has nothing to balance.
bool is_charged(const AccountRow& account) {
  return !account.lots.empty() || !account.uncovered.is_zero();
}

Bytes first_behind(BytesView key) {
  Bytes first(key);
  if (!key.empty()) first.push_back('\0');
  return first;
}

}  // namespace

std::optional<ProjectBalance> AllocationMachine::balance(BytesView project, Instant now) {
  const ProjectRow* facts = find_project(project);
  if (facts == nullptr) return std::nullopt;
  ProjectBalance balance{std::string(project), *facts, {}};
  const Bytes from(keys_.project(project));
  accounts_.scan(from, [&](BytesView key, const AccountRow& account) {
    if (!key.starts_with(from)) return false;
    if (is_charged(account)) {
      balance.classes.push_back(class_balance(account_of(key), account, now));
      balance.classes.back().lots = account.lots;
    }
    return true;
  });
  return balance;
}

std::optional<ProjectBalance> AllocationMachine::project_named(const events::Ref& ref, Instant now) {
  const RefRow* named = refs_.find(ref_key(ref));
  if (named == nullptr) return std::nullopt;
  return balance(std::string(named->project), now);
}

std::uint64_t AllocationMachine::waiting_of(BytesView project) {
  const WaitingQueue* queue = waiting_.find(keys_.project(project));
  return queue == nullptr ? 0 : queue->next - queue->first;
}

std::map<std::pair<std::string, std::string>, std::uint64_t> AllocationMachine::waiting_by_source() {
  std::map<std::pair<std::string, std::string>, std::uint64_t> counts;
  waiting_usage_.scan({}, [&](BytesView, const WaitingUsage& waiting) {
    ++counts[{waiting.usage.source, waiting.usage.project}];
    return true;
  });
  return counts;
}

Page<ProjectBalance> AllocationMachine::projects(BytesView after, std::size_t limit, Instant now) {
  Page<ProjectBalance> page;
  Bytes last;
  projects_.scan(first_behind(after), [&](BytesView key, const ProjectRow& facts) {
    if (page.rows.size() == limit) {
      page.last = last;
      return false;
    }
    last = key;
    const auto project = take_part(key);
    GRANARY_CHECK(project.has_value(), "a key of projects has another form");
    page.rows.push_back({std::string(*project), facts, {}});
    return true;
  });
  if (page.rows.empty()) return page;
  // Both tables are in the order of their projects: one walk over the accounts meets them all. Those of unknown
  // projects lie between.
  auto row = page.rows.begin();
  Bytes row_key;
  project_key(row->project, row_key);
  accounts_.scan(Bytes(row_key), [&](BytesView key, const AccountRow& account) {
    while (!key.starts_with(row_key) && row_key < key) {
      if (++row == page.rows.end()) return false;
      project_key(row->project, row_key);
    }
    if (key.starts_with(row_key) && is_charged(account))
      row->classes.push_back(class_balance(account_of(key), account, now));
    return true;
  });
  return page;
}

Page<UsageTotal> AllocationMachine::usage(BytesView after, std::size_t limit) {
  Page<UsageTotal> page;
  Bytes last;
  accounts_.scan(first_behind(after), [&](BytesView key, const AccountRow& account) {
    if (account.records == 0) return true;
    if (page.rows.size() == limit) {
      page.last = last;
      return false;
    }
    last = key;
    const AccountId id = account_of(key);
    page.rows.push_back({std::string(id.project), std::string(id.class_name), id.unit, account.records, account.raw});
    return true;
  });
  for (UsageTotal& total : page.rows) total.unassigned = find_project(total.project) == nullptr;
  return page;
}

std::vector<machine::Figure> AllocationMachine::figures() {
  const CountsRow* counts = counts_.find({});
  return {{"unassigned", "unassigned_usage", "Usage that waits for its project to be registered",
           counts == nullptr ? 0 : counts->waiting}};
}

}  // namespace granary::allocation
