// Allocation: folds `granary.allocations.v1` (key: project). Opens projects and lots, charges metered usage to lots in
// burn-down order, keeps double entry per project and class, holds what running jobs have used so far, lets usage of
// unknown projects wait, expires lots at their end. Emits to the ledger (by organisation) and to notices.
//
// What has to hold: intake sends a project before its grants, and each project and grant once; metering sends one
// usage.metered per (source, id), and no usage.held after it; a job that changes its project is settled at the old one
// (hold.settled). If one of these is broken, a CHECK fails, except for the last: a hold that is never ended lapses
// after its job has been silent for the time that the policy `holds` says (rules_hold.cc).
//
// Threads: as machine::Machine; queries belong to the thread of whoever shows it rows (Machine::show).
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "services/allocation/core/charging.h"
#include "services/allocation/core/keys.h"
#include "services/allocation/core/lot_policies.h"
#include "services/allocation/core/rows.h"
#include "services/allocation/core/sources.h"
#include "shared/machine/machine.h"
#include "shared/machine/row_table.h"
#include "shared/machine/rule_book.h"
#include "shared/machine/sweeps.h"

namespace granary::allocation {

// The sums over the lots of one class of a project. Amounts count base units of `unit`.
struct ClassBalance {
  std::string class_name;
  UnitKind unit{};
  Amount granted, used, reserved, expired, withdrawn, available;
  Amount usable;   // the part of `available` in lots whose period includes the present
  Amount running;  // the part of `reserved` that interim figures show; all of it, until jobs can reserve
  Amount uncovered;
  std::vector<Lot> lots;
};

struct ProjectBalance {
  std::string project;
  ProjectRow facts;
  std::vector<ClassBalance> classes;
};

// What the usage of one class came to, as it was reported.
struct UsageTotal {
  std::string project, class_name;
  UnitKind unit{};
  std::uint64_t records = 0;
  Amount quantity;
  bool unassigned = false;  // nobody knows the project: the usage waits
};

// Some rows in key order, and the key of the last of them if more follow.
template <class Row>
struct Page {
  std::vector<Row> rows;
  std::optional<Bytes> last;
};

class AllocationMachine final : public machine::Machine {
 public:
  // Rows of each table that stay in memory between commits. Most projects of a shard fit; a row of accounts is the
  // largest, about 0.3 KiB and as much for each lot, so that this table stays below some hundred MiB.
  static constexpr std::size_t kRowsMax = 200'000;
  explicit AllocationMachine(std::size_t rows_max = kRowsMax);

  [[nodiscard]] machine::RowForm row_form() const override { return kRowForm; }
  void open(const store::View& rows) override;
  void show(const store::View& rows) override { tables_.show(rows); }
  [[nodiscard]] bool has_rule(machine::Way way, const events::Event& event, std::uint64_t rules) const override;
  machine::Outcome apply_raw(const machine::RawInput& input, const machine::Context& context,
                             machine::Out& out) override;
  void apply_lane(const machine::LaneInput& input, const machine::Context& context, machine::Out& out) override;
  void apply_tick(Instant before, const machine::Context& context, machine::Out& out) override;
  [[nodiscard]] bool has_sweeps(const machine::Context& context) const override {
    return sweeps_.any() || lots_are_due(context);
  }
  void sweep(std::size_t rows, const machine::Context& context, machine::Out& out) override;
  [[nodiscard]] std::optional<Instant> swept_until(const machine::Context& context) override;
  [[nodiscard]] bool owes(machine::MachineKind from, std::uint16_t shard, std::uint64_t number) const override {
    return sweeps_.owes(from, shard, number);
  }
  void flush(store::WriteSet& rows) override { tables_.flush(rows); }
  void committed() override { tables_.committed(); }
  std::vector<machine::Figure> figures() override;

  // nullopt: the project is not known. Classes in the order of their keys; those that were only metered are left out.
  // `now`: the present, for what is usable.
  std::optional<ProjectBalance> balance(BytesView project, Instant now);
  // How many usages of a project wait for it.
  std::uint64_t waiting_of(BytesView project);
  // How many usages of each source wait for each project. Reads all that wait.
  std::map<std::pair<std::string, std::string>, std::uint64_t> waiting_by_source();  // by source and project
  // Up to `limit` > 0 projects behind the key `after` (empty: from the first on), without lots.
  Page<ProjectBalance> projects(BytesView after, std::size_t limit, Instant now);
  // The project of this shard that the ref names; nullopt: none here.
  std::optional<ProjectBalance> project_named(const events::Ref& ref, Instant now);
  // Up to `limit` > 0 totals behind the key `after`, those of unknown projects too.
  Page<UsageTotal> usage(BytesView after, std::size_t limit);

 private:
  using Context = machine::Context;
  using Out = machine::Out;
  using Input = machine::LaneInput;
  using Rules = machine::RuleBook<AllocationMachine>;
  static const Rules& rules();

  // The rules, one for each event.
  void take_usage(const events::UsageMetered& usage, const Input& input, const Context& context, Out& out);
  void take_interim(const events::UsageHeld& held, const Input& input, const Context& context, Out& out);
  void settle_hold(const events::HoldSettled& settled, const Input& input, const Context& context, Out& out);
  void open_project(const events::ProjectOpened& opened, const Input& input, const Context& context, Out& out);
  void open_grant(const events::GrantOpened& opened, const Input& input, const Context& context, Out& out);
  void learn_policy(const events::PolicyPublished& policy, const Input& input, const Context& context, Out& out);
  void state_source(const events::SourceCompleted& completed, const Input& input, const Context& context, Out& out);

  // A usage with the lane number of its usage.metered.
  struct Metered {
    const events::UsageMetered& usage;
    std::uint64_t shard = 0;
    std::uint64_t number = 0;
  };
  enum class Arrival : std::uint8_t { fresh, released };

  // A movement of units of one lot that is no charge.
  struct Movement {
    Account from{}, to{};
    Amount amount;
    events::PostingCause cause{};
    Instant at;
  };

  AccountRow& edit_account(const AccountId& id);
  const ProjectRow* find_project(BytesView project);  // nullptr: not known
  // Lots that have ended and are not expired yet: a sweep whose place is the table of ends itself.
  [[nodiscard]] bool lots_are_due(const Context& context) const { return first_end_ && *first_end_ <= context.now; }
  std::size_t expire_lots(std::size_t rows, const Context& context, Out& out);
  // Makes first_end_ exact: due_ends_ begins with it, if it has passed.
  void find_first_end(const Context& context);
  // Of one account, before anything else moves there.
  void expire_due_of(AccountRow& account, const AccountId& id, const ProjectRow& project, const Context& context,
                     Out& out);
  void expire(Lot& lot, const AccountId& id, const ProjectRow& project, const Context& context, Out& out);
  // Between two accounts of the lot, and told to the ledger.
  void move(const Movement& movement, Lot& lot, const AccountId& id, const ProjectRow& project, const Context& context,
            Out& out);
  void post(const Movement& movement, const Lot& lot, const AccountId& id, const ProjectRow& project,
            const Context& context, Out& out);

  // rules_usage.cc, rules_unassigned.cc
  void fold_usage(const Metered& metered, const Context& context, Out& out);
  // Returns in how many parts.
  std::size_t charge(const Metered& metered, const ProjectRow& project, Arrival arrival, const Context& context,
                     Out& out);
  void send_charge(const Metered& metered, const ProjectRow& project, const Context& context, Out& out);
  void keep_unassigned(const Metered& metered);
  // Charges what waits for a project, `rows` usages at most; returns how many.
  std::size_t release_waiting(BytesView project, std::size_t rows, const Context& context, Out& out, bool& is_done);
  [[nodiscard]] bool is_swept(BytesView project) const;
  machine::Sweeps::Step sweep_step(const Context& context, Out& out);

  // rules_hold.cc
  void fold_interim(const events::UsageHeld& held, const Context& context, Out& out);
  void reserve(HoldRow& hold, const AccountId& id, Amount missing, const events::UsageHeld& held,
               const ProjectRow& project, const Context& context, Out& out);
  void release(HeldPart& part, Amount amount, BytesView project_name, const ProjectRow& project, Instant at,
               const Context& context, Out& out);
  // `key`: of a row of holds_ that is there. Releases all of it, and forgets it.
  void end_hold(BytesView key, BytesView project, Instant at, const Context& context, Out& out);
  // Does nothing if there is none.
  void release_hold(BytesView project, BytesView source, BytesView id, Instant at, const Context& context, Out& out);
  void lapse_holds(const Context& context, Out& out);

  CountsRow& edit_counts() { return counts_.edit({}); }

  machine::TableSet tables_;
  BooksLaw books_law_;
  machine::RowTable<ProjectRow> projects_;
  machine::RowTable<AccountRow> accounts_;
  machine::RowTable<WaitingQueue> waiting_;
  machine::RowTable<WaitingUsage> waiting_usage_;
  machine::RowTable<HoldRow> holds_;
  machine::RowTable<KeyRow> ends_;
  machine::RowTable<CountsRow> counts_;
  machine::RowTable<KeyRow> heard_;
  machine::RowTable<RefRow> refs_;
  LotPolicies policies_;
  Sources sources_;
  machine::Sweeps sweeps_;
  std::optional<Instant> first_end_;    // no end in ends_ is before it, so that most ticks look at nothing
  std::deque<Bytes> due_ends_;          // the first keys of ends_ that have passed, or had when they were looked up
  Bytes last_due_;                      // no key of ends_ is before it
  std::optional<Instant> first_heard_;  // no hold was last heard of before it, likewise

  // Memory that is reused.
  Keys keys_;
  Charge charge_;
  events::UsageCharged charged_;
  events::UnitsPosted posted_;
  std::vector<std::size_t> indices_, slice_ends_;
};

// The notice of an event of a lot's.
template <class Notice>
Notice lot_notice(const Lot& lot, const AccountId& id, const ProjectRow& project, Amount amount, Instant at) {
  Notice notice;
  notice.project = id.project;
  notice.organisation = project.organisation;
  notice.grant = lot.grant;
  notice.lot = lot.ordinal;
  notice.class_name = id.class_name;
  notice.unit = id.unit;
  notice.amount = amount;
  notice.at = at;
  return notice;
}

}  // namespace granary::allocation
