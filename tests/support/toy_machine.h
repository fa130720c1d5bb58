// A small made-up machine that stands for all four kinds over the real topology, with sums that a test can compute in
// its head. What it does with an event:
//
//   intake      source.stated: adds `records` to the key `source`; a fact to every partition of the three other inboxes
//   metering    usage.reported: adds the first resource's amount to its project; usage.metered to the project's shard
//   allocation  usage.metered: adds to the project; usage.charged to the shard of organisation_of(project); every
//               fifth of them a notice; of the project `via:P` (only under kToyTopology) nothing but usage.metered for
//               the project P to P's shard, a lane of allocation to its own inbox
//   billing     usage.charged: adds to the organisation; charge.rated outward
//
// Raw events count once by identity; the same id with another substance is refused (`conflicting_duplicate`), and so is
// usage of the project `nobody` (`toy_refuses`). Usage of `lawless` breaks a law, at once or (`lawless-later`) when its
// row is flushed. Ticks are counted with what `now` and `complete` were.
//
// Threads: as a machine.
#pragma once

#include <memory>

#include "shared/machine/machine.h"
#include "shared/machine/row_table.h"
#include "tests/support/test_ledger.h"

namespace granary::test {

// What stands under a key.
struct ToySum {
  std::uint64_t events = 0;
  units::Amount amount;
  bool operator==(const ToySum&) const = default;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "events", s.events, codec::kOptional);
    visit(2, "amount", s.amount, codec::kOptional);
  }
};

struct ToyClock {
  std::uint64_t ticks = 0;
  units::Instant now, complete;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "ticks", s.ticks, codec::kOptional);
    visit(2, "now", s.now, codec::kOptional);
    visit(3, "complete", s.complete, codec::kOptional);
  }
};

struct ToyId {
  std::string substance;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "substance", s.substance, codec::kOptional);
  }
};

enum class ToyTable : std::uint8_t { ids = 1, sums, clock };

class ToyLaw final : public machine::RowLaw<ToySum> {
 public:
  void check(BytesView key, const ToySum*) override {
    GRANARY_CHECK(!key.ends_with("lawless-later"), "a law of the toy is broken at its flush");
  }
};

class ToyMachine final : public machine::Machine {
 public:
  // `added` is added to each amount that goes out: another number stands for a build that disagrees. `rows` stands for
  // a build that has another form of rows, although they are the same.
  explicit ToyMachine(machine::MachineKind kind, std::int64_t added = 0, machine::RowForm rows = {})
      : kind_(kind), added_(added), rows_(rows) {}

  [[nodiscard]] machine::RowForm row_form() const override { return rows_; }
  void open(const store::View& rows) override { tables_.open(rows); }
  void show(const store::View& rows) override { tables_.show(rows); }
  [[nodiscard]] bool has_rule(machine::Way way, const events::Event& event, std::uint64_t rules) const override;
  machine::Outcome apply_raw(const machine::RawInput& input, const machine::Context& context,
                             machine::Out& out) override;
  void apply_lane(const machine::LaneInput& input, const machine::Context& context, machine::Out& out) override;
  void apply_tick(units::Instant before, const machine::Context& context, machine::Out& out) override;
  void flush(store::WriteSet& rows) override { tables_.flush(rows); }
  void committed() override { tables_.committed(); }

  ToySum sum(BytesView key);
  ToyClock clock();

 private:
  ToySum& add(BytesView key, units::Amount amount);
  void meter(const machine::RawInput& input, const machine::Context& context, machine::Out& out);

  machine::MachineKind kind_;
  std::int64_t added_;
  machine::RowForm rows_;
  // Few rows stay in memory, so that most tests read some back.
  static constexpr std::size_t kRowsMax = 8;
  machine::TableSet tables_;
  ToyLaw law_;
  machine::RowTable<ToyId> ids_{tables_, ToyTable::ids, kRowsMax};
  machine::RowTable<ToySum> sums_{tables_, ToyTable::sums, kRowsMax, &law_};
  machine::RowTable<ToyClock> clock_{tables_, ToyTable::clock, kRowsMax};
};

// The topology, and beside it lanes of allocation to its own inbox.
inline constexpr machine::Topology kToyTopology = [] {
  machine::Topology topology = machine::kTopology;
  topology.rows[static_cast<std::size_t>(machine::Topic::allocations) - 1].writers = {
      machine::MachineKind::intake, machine::MachineKind::metering, machine::MachineKind::allocation};
  return topology;
}();

// "o-" and the project's last character.
std::string organisation_of(std::string_view project);

// Records of inboxes of the ledger kTestLedger. All raw events come from the source `toy`.
Bytes toy_usage(const std::string& id, const std::string& project, std::int64_t amount);
Bytes toy_stated(const std::string& id, const std::string& key, std::uint64_t records);
Bytes toy_tick(std::int64_t ms);
// A raw record around any substance.
Bytes toy_raw(const std::string& id, Bytes substance);
// A record of that kind and version, which no build knows.
Bytes toy_newer(std::uint8_t kind_and_version);
// The partition of `usage` that a raw event of that id belongs to.
std::uint16_t toy_shard(const std::string& id, std::uint16_t partitions);
// An id of two partitions that begins with `stem` and belongs to that one.
std::string id_in(std::uint16_t shard, const std::string& stem);

}  // namespace granary::test
