// The published policies that allocation reads: burn-down order, overdraft, and how long a hold may be silent. Which
// holds at an instant: machine/effective.h. Belongs to its machine's thread.
#pragma once

#include <string_view>
#include <vector>

#include "services/allocation/core/rows.h"
#include "shared/machine/row_table.h"

namespace granary::allocation {

// What becomes of use that no lot covers. `seller` lives until the next publish or shrink.
struct Overdraft {
  events::PartFunding funding = events::PartFunding::uncovered_record;
  std::string_view seller;
};

class LotPolicies {
 public:
  LotPolicies(machine::TableSet& tables, std::size_t rows_max) : rows_(tables, Table::policies, rows_max) {}

  // Kinds that others read are known facts and change nothing.
  void publish(const events::PolicyPublished& policy);

  // The order for usage that starts at `start`; if none is published, the design's default. Lives until the next
  // publish or shrink.
  const std::vector<events::BurnRule>& burn_order(Instant start);
  // The project's own policy first, else the general one; if none is in force: recorded, for no seller.
  Overdraft overdraft(BytesView project, Instant start);

  // How long a job may be silent before its hold lapses, in hours.
  static constexpr std::uint64_t kSilentHoursMax = 48;  // if nothing is published
  std::int64_t silent_hours_max(Instant now);

 private:
  const PolicyVersion* in_force(events::PolicyKind kind, BytesView project, Instant at);

  machine::RowTable<PolicyRow> rows_;
  Bytes key_;
};

}  // namespace granary::allocation
