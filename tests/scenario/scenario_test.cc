// The corpus under one process's configurations: wherever commits fall, whatever the partitions, over any journal and
// any store, stopped at any time, robbed of state. tests/scenario/README.md lists them. To write down what is said now:
// GRANARY_REWRITE=1 build/release/tests/scenario/scenario, and read the difference.
#include "shared/journal/embedded_journal.h"
#include "shared/journal/memory_journal.h"
#include "shared/store/rocks_states.h"
#include "tests/scenario/log_door.h"
#include "tests/scenario/scenario_suite.h"
#include "tests/scenario/strays.h"

namespace granary::scenario {
namespace {

Ledger::Options in_memory(std::uint16_t partitions, std::size_t commit_events_max) {
  Ledger::Options options;
  options.partitions = partitions;
  options.commit_events_max = commit_events_max;
  return options;
}

// The fold gets one record at a time, and commits it.
Ledger::Options commit_after_each_record() {
  Ledger::Options options = in_memory(3, 1);
  options.open_journal = [log = std::make_shared<journal::MemoryJournal>()] {
    return std::make_shared<LogDoor>(log, LogDoor::Options{"", 1});
  };
  return options;
}

// A packet is left after each event of it that sends something.
Ledger::Options a_step_for_each_event() {
  Ledger::Options options = in_memory(2, 50'000);
  options.step_bytes = 0;
  return options;
}

Ledger::Options embedded_and_rocks() {
  Ledger::Options options;
  const auto folder = std::make_shared<testing_support::TempDirectory>();
  options.open_journal = [folder]() -> std::shared_ptr<journal::Journal> {
    auto opened = journal::open_embedded_journal(*folder / "journal");
    GRANARY_CHECK(opened.ok(), opened.error().message);
    return std::move(*opened);
  };
  // The environment outlives the states.
  struct Disk {
    explicit Disk(std::shared_ptr<testing_support::TempDirectory> the_folder)
        : folder(std::move(the_folder)), states(environment, *folder / "state") {
      std::filesystem::create_directories(*folder / "state");
    }
    std::shared_ptr<testing_support::TempDirectory> folder;
    store::RocksEnvironment environment;
    store::RocksStates states;
  };
  const auto disk = std::make_shared<Disk>(folder);
  options.states = std::shared_ptr<store::States>(disk, &disk->states);
  return options;
}

// Checkpoints stand all along, so that what a target holds is looked up behind one.
Ledger::Options with_checkpoints() {
  Ledger::Options options = in_memory(2, 50'000);
  options.checkpoint_records = 2;
  return options;
}

void restart(Ledger& ledger) {
  ledger.stop();
  ledger.start();
}

AfterStep restart_every(std::size_t steps) {
  return [steps](Ledger& ledger, std::size_t done, std::size_t) {
    if (done % steps == 0) restart(ledger);
  };
}

void delete_all_half_way(Ledger& ledger, std::size_t done, std::size_t all) {
  if (done != all / 2) return;
  ledger.stop();
  for (const ShardName& shard : ledger.shards()) ledger.delete_state(shard);
  ledger.start();
}

void delete_one_in_turn(Ledger& ledger, std::size_t done, std::size_t) {
  ledger.stop();
  ledger.delete_state(ledger.shards()[done % ledger.shards().size()]);
  ledger.start();
}

// The rows of each shard's state, written over between two lives of the process.
void rewrite(Ledger& ledger, const std::function<void(const store::Store& state, store::WriteSet& rows)>& change) {
  ledger.stop();
  for (const ShardName& shard : ledger.shards())
    ledger.with_state(shard, [&change](store::Store& state) {
      store::WriteSet rows;
      change(state, rows);
      GRANARY_CHECK(state.commit(rows).ok(), "a state takes rows");
    });
  ledger.start();
}

void put_stamp(const store::Store& state, store::WriteSet& rows,
               const std::function<void(runtime::StampRow&)>& change) {
  auto stamp = runtime::decode_row<runtime::StampRow>(state.get(runtime::kStampKey).value());
  change(stamp);
  rows.put(Bytes(runtime::kStampKey), runtime::encode_row(stamp));
}

// Rows of an older build, which lack the fields that were added since: they are read on.
void rows_of_an_older_build(Ledger& ledger, std::size_t, std::size_t) {
  rewrite(ledger, [](const store::Store& state, store::WriteSet& rows) {
    put_stamp(state, rows, [](runtime::StampRow& stamp) {
      --stamp.revision;
      stamp.build = "0.0.1-older";
    });
  });
}

// Rows of another form, or of a build before there were stamps: nobody reads any of them, they are folded again.
void rows_of_another_form(Ledger& ledger, std::size_t done, std::size_t) {
  rewrite(ledger, [done](const store::Store& state, store::WriteSet& rows) {
    if (done % 2 == 0)
      put_stamp(state, rows, [](runtime::StampRow& stamp) { ++stamp.format; });
    else
      rows.erase(Bytes(runtime::kStampKey));
    runtime::DomainView(state).scan("", "", [&rows](BytesView key, BytesView) {
      return rows.put(runtime::kDomain + Bytes(key), "\xFF no row of this build"), true;
    });
  });
}

INSTANTIATE_TEST_SUITE_P(Text, Scenario,
                         each_file_under({
                             {"two_partitions", [] { return in_memory(2, 50'000); }},
                             {"one_partition", [] { return in_memory(1, 1); }},
                             {"five_partitions", [] { return in_memory(5, 3); }},
                             {"sixty_four_partitions", [] { return in_memory(64, 50'000); }},
                             {"commit_after_each_record", commit_after_each_record},
                             {"a_step_for_each_event", a_step_for_each_event},
                             {"restart_after_each_step", [] { return in_memory(3, 50'000); }, restart_every(1)},
                             {"embedded_and_rocks", embedded_and_rocks, restart_every(4)},
                             {"rows_of_an_older_build", [] { return in_memory(2, 50'000); }, rows_of_an_older_build},
                             {"rows_of_another_form", [] { return in_memory(2, 50'000); }, rows_of_another_form},
                             {"state_deleted_half_way", [] { return in_memory(2, 50'000); }, delete_all_half_way},
                             {"a_shard_deleted_after_each_step", with_checkpoints, delete_one_in_turn},
                         }),
                         case_name);

INSTANTIATE_TEST_SUITE_P(Over, Strays,
                         ::testing::Values(JournalKind{"embedded", embedded_and_rocks},
                                           JournalKind{"memory",
                                                       [] {
                                                         Ledger::Options options;
                                                         options.open_journal = [] {
                                                           return std::make_shared<journal::MemoryJournal>();
                                                         };
                                                         return options;
                                                       }}),
                         journal_name);

}  // namespace
}  // namespace granary::scenario
