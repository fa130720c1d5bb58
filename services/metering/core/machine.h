// Metering: validates usage, takes each once, turns it into base units by the published classes, and sends it on to its
// project. Folds `granary.usage.v1` (key: source and root id of the usage).
//
// Threads: as machine::Machine; queries belong to the thread of whoever shows it rows (Machine::show).
#pragma once

#include <unordered_set>

#include "services/metering/core/facts.h"
#include "services/metering/core/refusals.h"
#include "shared/machine/charge_basis.h"
#include "shared/machine/id_buckets.h"
#include "shared/machine/machine.h"
#include "shared/machine/rule_book.h"
#include "shared/machine/sweeps.h"

namespace granary::metering {

class MeteringMachine final : public machine::Machine {
 public:
  MeteringMachine();

  [[nodiscard]] machine::RowForm row_form() const override { return kRowForm; }
  void open(const store::View& rows) override;
  void show(const store::View& rows) override { tables_.show(rows); }
  [[nodiscard]] bool has_rule(machine::Way way, const events::Event& event, std::uint64_t rules) const override;
  machine::Outcome apply_raw(const machine::RawInput& input, const machine::Context& context,
                             machine::Out& out) override;
  void apply_lane(const machine::LaneInput& input, const machine::Context& context, machine::Out& out) override;
  void apply_tick(Instant before, const machine::Context& context, machine::Out& out) override;
  [[nodiscard]] bool has_sweeps(const machine::Context&) const override { return sweeps_.any(); }
  void sweep(std::size_t rows, const machine::Context& context, machine::Out& out) override;
  [[nodiscard]] std::optional<Instant> swept_until(const machine::Context&) override { return sweeps_.since(); }
  [[nodiscard]] bool owes(machine::MachineKind from, std::uint16_t shard, std::uint64_t number) const override {
    return sweeps_.owes(from, shard, number);
  }
  void flush(store::WriteSet& rows) override { tables_.flush(rows); }
  void committed() override { tables_.committed(); }
  std::vector<machine::Figure> figures() override;

  // For questions.
  // Each source with what became of its usage here.
  void each_source(const std::function<void(std::string_view source, const SourceRow&)>& visit) const;
  // Each cluster and account for which usage waits; the head says for what.
  void each_waiting(const std::function<void(std::string_view cluster, std::string_view account,
                                             const WaitingHead& head)>& visit) const;

 private:
  using Rules = machine::RuleBook<MeteringMachine>;
  static const Rules& rules();
  using Outcome = machine::Outcome;

  // The rules, one for each event.
  Outcome take_report(const events::UsageReported& usage, const machine::RawInput& input,
                      const machine::Context& context, machine::Out& out);
  Outcome take_interim(const events::UsageInterim& usage, const machine::RawInput& input,
                       const machine::Context& context, machine::Out& out);
  void learn_policy(const events::PolicyPublished& policy, const machine::LaneInput& input,
                    const machine::Context& context, machine::Out& out);
  void bind_account(const events::AccountBound& binding, const machine::LaneInput& input,
                    const machine::Context& context, machine::Out& out);
  void state_source(const events::SourceStated& stated, const machine::LaneInput& input,
                    const machine::Context& context, machine::Out& out);

  // Of a report, but for the counting.
  Outcome take(const machine::RawInput& input, const events::UsageReported& usage, const machine::Context& context,
               machine::Out& out);
  // Of an identity that is known: a repeat, or a conflict that names the field and what to send instead.
  static Outcome judge_again(const Hash32& first, const Hash32& again, const std::string& project);
  // What is sent on is larger than what came, by the notes, the identity and two amounts of each class, and has to fit
  // a record of 60 KiB.
  static constexpr std::size_t kSubstanceBytesMax = 44 * 1024;
  static Outcome too_large();
  std::optional<Outcome> too_old(Instant end, const machine::Context& context) const;
  std::optional<Outcome> too_long(Instant start, Instant end, const machine::Context& context) const;
  // Fills metered_.amounts and .classes_version from the classes in force at `start`.
  std::optional<Outcome> measure(const std::vector<events::ResourceUsed>& resources, Instant start, Instant end,
                                 std::vector<events::MeteredAmount>& amounts, std::string& version) const;
  // Sends a usage whose amounts are in metered_; returns partition and number in the lane.
  std::pair<std::uint16_t, std::uint64_t> send(const std::string& source, const std::string& id,
                                               const std::string& project, const events::UsageReported& usage,
                                               const events::UsageNotes& notes, Instant recorded_at,
                                               const machine::Context& context, machine::Out& out);

  // rules_waiting.cc
  enum class Waits : std::uint8_t { for_a_binding, for_its_turn };
  void wait(const machine::RawInput& input, const events::UsageReported& usage, Waits why);
  // Whether usage that came before waits for its turn, so that what comes now waits behind it.
  bool is_swept(const Bytes& account);
  // Sends on what waits for the account (a key of waiting_heads_) and can go by now: looks at `rows` places at most,
  // from `place` on, which it moves. Returns how many; `is_done` at the queue's end.
  std::size_t release(const Bytes& account, std::uint64_t& place, std::size_t rows, const machine::Context& context,
                      machine::Out& out, bool& is_done);
  // Notes why the usage waits on: `refused_by` as in its row.
  void keep_waiting(WaitingHead& head, const Bytes& key, const WaitingUsage& waiting, std::string_view refused_by);
  // A class list was published: of the accounts for whose usage it may be the one.
  std::size_t release_unmeasured(machine::SweepRow& sweep, std::size_t rows, const machine::Context& context,
                                 machine::Out& out, bool& is_done);
  machine::Sweeps::Step sweep_step(const machine::Context& context, machine::Out& out);
  ShardRow& shard();

  // rules_interim.cc
  // The final report was taken, for `project` (empty: none yet): what another project holds for the job ends.
  void settle(const machine::RawInput& report, Instant end, const std::string& project, const machine::Context& context,
              machine::Out& out);
  void send_settled(const HeldRow& held, const std::string& source, const std::string& id, Instant at,
                    const machine::Context& context, machine::Out& out);
  void drop_held_before(std::int64_t day);

  machine::TableSet tables_;
  SourceLaw source_law_;
  Facts facts_;
  machine::IdBuckets ids_;
  machine::RowTable<ShardRow> shard_;
  machine::RowTable<SourceRow> sources_;
  machine::RowTable<WaitingHead> waiting_heads_;
  machine::RowTable<WaitingUsage> waiting_;
  machine::RowTable<HeldRow> held_;
  machine::Sweeps sweeps_;
  struct HashOfHash {
    std::size_t operator()(const Id16& id) const { return read_u64(view_of(id)); }
  };
  std::unordered_set<Id16, HashOfHash>
      held_roots_;  // the keys of held_: most final reports have none, and look nowhere
  std::int64_t ids_kept_from_ = 0;
  std::uint64_t unbound_ = 0;     // usage that waits for a binding
  std::uint64_t unmeasured_ = 0;  // usage that waits for a class list
  machine::ChargeBasis basis_;
  events::UsageMetered metered_;  // reused: the hot path allocates nothing
};

}  // namespace granary::metering
