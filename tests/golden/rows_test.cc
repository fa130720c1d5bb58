// Rows outlive the build that wrote them: what stands in rows.txt is what the stamps of stores stand for
// (shared/machine/row_form.h). A change of any row without another number makes this fail, and says which number to
// raise; then GRANARY_RECORD=1 golden --gtest_filter='Rows.*' writes the record anew. It does not, before.
//
// Keys are in no row's fields: who changes one raises `format` without being told, as does who gives a field another
// meaning. (The digests of the journals beside this change with either.) Until the first release no state is carried
// over: who changes rows may empty rows.txt and record it again, with the numbers as they are.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "services/allocation/core/rows.h"
#include "services/billing/core/rows.h"
#include "services/intake/core/rows.h"
#include "services/metering/core/rows.h"
#include "services/standalone/machines.h"
#include "shared/fold/layout.h"
#include "shared/machine/id_buckets.h"
#include "shared/machine/sweeps.h"
#include "tests/golden/rows_record.h"
#include "tests/scenario/scenario.h"

namespace granary::golden {
namespace {

using machine::MachineKind;

const std::string kTests = std::string(GRANARY_SOURCE_DIR) + "/tests/";

// A table: the first byte of its keys, its rows, and whether bytes are one of them.
struct Table {
  std::uint8_t prefix = 0;
  Lines lines;
  bool (*is_row)(BytesView value) = nullptr;
};

template <class Row, class Prefix>
Table table(Prefix prefix, const std::string& name) {
  const auto number = static_cast<std::uint8_t>(prefix);
  return {number, describe_row<Row>(std::to_string(number) + " " + name), [](BytesView value) {
            Row row;
            return codec::decode(value, row);
          }};
}

template <class Prefix>
Table id_blocks(Prefix prefix) {
  const auto number = static_cast<std::uint8_t>(prefix);
  return {number,
          {std::to_string(number) + " ids",
           {{"blocks of " + std::to_string(machine::IdBuckets::kBlockEntries) + " entries of " +
                 std::to_string(machine::IdBuckets::kEntryBytes) + " bytes (machine/id_buckets.h)",
             {}}}},
          [](BytesView value) { return value.size() % machine::IdBuckets::kEntryBytes == 0; }};
}

std::vector<Table> tables_of(MachineKind kind) {
  switch (kind) {
    case MachineKind::intake: {
      using namespace intake;
      using T = intake::Table;
      return {table<OrganisationRow>(T::organisations, "organisations"),
              table<ProjectRow>(T::projects, "projects"),
              table<ApplicationRow>(T::applications, "applications"),
              table<ProjectApplicationRow>(T::project_applications, "project applications"),
              table<PublicationRow>(T::publications, "publications"),
              table<VersionRow>(T::versions, "versions"),
              table<SourceRow>(T::sources, "sources"),
              id_blocks(T::ids),
              table<RefRow>(T::refs, "refs"),
              table<LegalIdRow>(T::legal_ids, "legal ids")};
    }
    case MachineKind::metering: {
      using namespace metering;
      using T = metering::Table;
      return {id_blocks(T::ids),
              table<ShardRow>(T::shard, "shard"),
              table<events::PolicyPublished>(T::policies, "policies"),
              table<events::AccountBound>(T::bindings, "bindings"),
              table<SourceRow>(T::sources, "sources"),
              table<WaitingHead>(T::waiting_heads, "waiting heads"),
              table<WaitingUsage>(T::waiting, "waiting"),
              table<HeldRow>(T::held, "held"),
              table<machine::SweepRow>(T::sweeps, "sweeps")};
    }
    case MachineKind::allocation: {
      using namespace allocation;
      using T = allocation::Table;
      return {table<ProjectRow>(T::projects, "projects"),
              table<AccountRow>(T::accounts, "accounts"),
              table<WaitingQueue>(T::waiting, "waiting"),
              table<WaitingUsage>(T::waiting_usage, "waiting usage"),
              table<HoldRow>(T::holds, "holds"),
              table<KeyRow>(T::ends, "ends"),
              table<PolicyRow>(T::policies, "policies"),
              table<SourceRow>(T::sources, "sources"),
              table<CountsRow>(T::counts, "counts"),
              table<KeyRow>(T::heard, "heard"),
              table<RefRow>(T::refs, "refs"),
              table<machine::SweepRow>(T::sweeps, "sweeps")};
    }
    case MachineKind::billing: {
      using namespace billing;
      using T = billing::Table;
      return {table<OrganisationRow>(T::organisations, "organisations"),
              table<ProjectRow>(T::projects, "projects"),
              table<events::PriceBookPublished>(T::price_books, "price books"),
              table<ChargesRow>(T::charges, "charges"),
              table<AccountRow>(T::accounts, "accounts"),
              table<QueueRow>(T::queues, "queues"),
              table<WaitingRow>(T::waiting, "waiting"),
              table<SourceRow>(T::sources, "sources"),
              table<TotalsRow>(T::totals, "totals"),
              table<machine::SweepRow>(T::sweeps, "sweeps")};
    }
  }
  return {};
}

std::string rows_file(const std::string& owner) {
  return owner == "runtime" ? "shared/fold/layout.h (kRuntimeRows)" : "services/" + owner + "/core/rows.h (kRowForm)";
}

std::vector<RowsRecord> rows_now() {
  std::vector<RowsRecord> all;
  for (const MachineKind kind : machine::kMachines) {
    RowsRecord& record = all.emplace_back();
    record.owner = machine::machine_name(kind);
    record.form = standalone::make_machine(kind, 0)->row_form();
    for (Table& one : tables_of(kind)) record.tables.push_back(std::move(one.lines));
  }
  RowsRecord& record = all.emplace_back(RowsRecord{"runtime", runtime::kRuntimeRows, {}});
  record.tables = {describe_row<runtime::PlaceRow>(std::string(runtime::kPlaceKey) + " place"),
                   describe_row<runtime::StampRow>(std::string(runtime::kStampKey) + " stamp"),
                   describe_row<runtime::LaneRow>(std::string(runtime::kInLaneKey) + " lanes that lead here"),
                   describe_row<runtime::LaneRow>(std::string(runtime::kOutLaneKey) + " lanes that lead away"),
                   {std::string(runtime::kAckedKey) + " acknowledged ends", {{"u64", {}}}},
                   {std::string(runtime::kOutboxKey) + " outbox",
                    {{"records of version " + std::to_string(events::kRecordVersion) + " (events/record.h)",
                      describe_row<events::Packet>("").below}}}};
  return all;
}

std::string content(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Rows, AreTheRecordedOnesUnlessTheirNumbersSayOtherwise) {
  const std::string file = kTests + "golden/rows.txt";
  const auto now = rows_now();
  const auto recorded = parse(content(file));
  ASSERT_TRUE(recorded.has_value()) << file;
  bool may_record = true;
  for (const RowsRecord& before : *recorded) {
    const auto found =
        std::find_if(now.begin(), now.end(), [&](const RowsRecord& record) { return record.owner == before.owner; });
    ASSERT_NE(found, now.end()) << before.owner;
    const std::string raise = what_to_raise(before, *found, rows_file(before.owner));
    EXPECT_EQ(raise, "");
    may_record &= raise.empty();
  }
  if (std::getenv("GRANARY_RECORD") != nullptr && may_record) std::ofstream(file, std::ios::binary) << to_text(now);
  EXPECT_EQ(to_text(now), content(file))
      << "once the numbers are right: GRANARY_RECORD=1 golden --gtest_filter='Rows.*'";
}

// The lists above are what the machines really keep: every row of every scenario, after each of its steps, is in a
// table of them, and none of these stands for nothing.
TEST(Rows, OfEveryScenarioStandInTheListedTables) {
  std::map<MachineKind, std::set<std::uint8_t>> seen;
  const auto look = [&seen](const store::View& rows, MachineKind kind) {
    const auto tables = tables_of(kind);
    runtime::DomainView(rows).scan("", "", [&](BytesView key, BytesView value) {
      const auto found = std::find_if(tables.begin(), tables.end(), [&](const Table& one) {
        return one.prefix == static_cast<std::uint8_t>(key.front());
      });
      if (found == tables.end() || !found->is_row(value))
        return ADD_FAILURE() << machine::machine_name(kind) << ": " << to_hex(key), false;
      seen[kind].insert(found->prefix);
      return true;
    });
  };
  for (const auto& entry : std::filesystem::directory_iterator(kTests + "scenario/testdata")) {
    scenario::Ledger ledger({});
    ledger.on_settled = [&] {
      for (const MachineKind kind : machine::kMachines)
        for (std::uint16_t shard = 0; shard < machine::shards_of(kind, 2); ++shard)
          look(ledger.rows(kind, shard), kind);
    };
    scenario::run(content(entry.path()), ledger);
    // What no scenario says: a source's statement, and usage of an account that is not bound.
    const units::Instant then = ledger.now();
    ledger.send("portal", "stated", events::SourceStated{"slurm://stated", then, 1});
    events::UsageReported unbound;
    unbound.cluster = "stated";
    unbound.account = "nobody";
    unbound.resources = {{"gpu:h200", units::Quantity(1000), {}, ""}};
    unbound.start = then.plus_ms(-units::kHourMs);
    unbound.end = then;
    ledger.send("slurm://stated", "job", unbound);
    for (int ticks = 1; ticks <= 4; ++ticks) ledger.tick(then.plus_ms(ticks * units::kHourMs));
  }
  for (const MachineKind kind : machine::kMachines)
    for (const Table& one : tables_of(kind))
      // A sweep of more rows than a scenario has is open between two events only: the machines' own tests see its row.
      EXPECT_TRUE(seen[kind].contains(one.prefix) || one.lines.text.ends_with(" sweeps"))
          << machine::machine_name(kind) << ": " << one.lines.text << " is in no scenario";
}

// So that the first test can fail, and with the right words.
TEST(Rows, EveryChangeAsksForItsNumber) {
  const auto record = [](const std::string& text) { return parse(text)->front(); };
  const std::string before =
      "toy: format 4, revision 7, readable from 3\n  1 sums\n    1 events: count\n    2 kind: one of\n      few\n      "
      "many\n"
      "    3 part: message\n      1 amount: amount\n";
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string text = before;
    text.replace(text.find(from), from.size(), to);
    return record(text);
  };
  const std::string revision =
      "raise `revision` to 8 if what is new is empty for all that was folded before; else "
      "`format` to 5";
  const std::string format = "are others (1 sums";
  struct Case {
    std::string from, to, asks;
  };
  const Case cases[] = {
      {"toy", "toy", ""},
      {"1 events: count\n", "1 events: count\n    4 more: text\n", format},  // not at the end
      {"1 amount: amount\n", "1 amount: amount\n      2 more: text\n", revision},
      {"1 amount: amount\n", "1 amount: amount\n    4 more: text\n", revision},
      {"1 amount: amount\n", "1 amount: amount\n    4 more: optional message\n      1 x: text\n", revision},
      {"1 amount: amount\n", "1 amount: amount\n    4 more: message\n      1 x: text\n", format},
      {"1 amount: amount\n", "1 amount: amount\n  2 others\n    1 x: text\n", revision},
      {"      many\n", "      many\n      all\n", revision},
      {"      few\n", "      none\n      few\n", format},
      {"1 events: count", "1 events: number", format},
      {"1 events: count", "1 usages: count", format},
      {"    1 events: count\n", "", format},
      {"1 sums", "2 sums", "are others (1 sums): raise `format` to 5"},
      {"revision 7", "revision 8", ""},
      {"format 4", "format 5", ""},
      {"revision 7", "revision 6", "never go back"},
      {"format 4, revision 7", "format 5, revision 1", "never go back"},
  };
  for (const Case& one : cases) {
    const std::string asked = what_to_raise(record(before), changed(one.from, one.to), "rows.h");
    if (one.asks.empty())
      EXPECT_EQ(asked, "") << one.to;
    else
      EXPECT_NE(asked.find(one.asks), std::string::npos) << one.to << "\n" << asked;
  }
  RowsRecord grown = changed("1 amount: amount\n", "1 amount: amount\n    4 more: text\n");
  grown.form.revision = 8;
  EXPECT_EQ(what_to_raise(record(before), grown, "rows.h"), "");
  RowsRecord other = changed("1 events: count", "1 events: number");
  other.form.revision = 8;
  EXPECT_NE(what_to_raise(record(before), other, "rows.h"), "") << "a revision is not enough";
  other.form.format = 5;
  EXPECT_EQ(what_to_raise(record(before), other, "rows.h"), "");
}

TEST(Rows, TheRecordReadsAsItIsWritten) {
  const auto now = rows_now();
  const auto again = parse(to_text(now));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(to_text(*again), to_text(now));
  for (const char* text : {"toy\n", "  1 sums\n", "toy: format x\n", "toy: format 1, revision 1\n", "\n"})
    EXPECT_FALSE(parse(text).has_value()) << text;
}

}  // namespace
}  // namespace granary::golden
