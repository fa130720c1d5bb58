// The corpus under one process's configurations: wherever commits fall, whatever the partitions, over any journal and
// any store, stopped at any time, robbed of state. tests/scenario/README.md lists them. To write down what is said now:
// GRANARY_REWRITE=1 build/release/tests/scenario/scenario, and read the difference.
#include "shared/journal/embedded_journal.h"
#include "shared/journal/memory_journal.h"
#include "shared/store/rocks_states.h"
#include "tests/scenario/log_door.h"
#include "tests/scenario/scenario_suite.h"

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

// The stamp of each shard's state, written over between two lives of the process.
void restamp(Ledger& ledger, const std::function<void(runtime::StampRow&)>& change) {
  ledger.stop();
  for (const ShardName& shard : ledger.shards())
    ledger.with_state(shard, [&change](store::Store& rows) {
      runtime::StampRow stamp;
      GRANARY_CHECK(codec::decode(rows.get(runtime::kStampKey).value(), stamp), "a state has its stamp");
      change(stamp);
      store::WriteSet changed;
      changed.put(Bytes(runtime::kStampKey), runtime::encode_row(stamp));
      GRANARY_CHECK(rows.commit(changed).ok(), "a state takes a row");
    });
  ledger.start();
}

// Rows of an older build, which lack the fields that were added since: they are read on.
void rows_of_an_older_build(Ledger& ledger, std::size_t, std::size_t) {
  restamp(ledger, [](runtime::StampRow& stamp) {
    --stamp.revision;
    stamp.build = "0.0.1-older";
  });
}

// Rows of another form: they are folded again.
void rows_of_another_form(Ledger& ledger, std::size_t, std::size_t) {
  restamp(ledger, [](runtime::StampRow& stamp) { ++stamp.format; });
}

// As a build that is older than stamps left it, or a newer one: the rows are in a form that nobody here can read, or
// are the same under another revision, which may still answer questions.
enum class Build { without_stamps, newer, other_revision };
void write_as(Build build, store::Store& state) {
  const auto own = state.get(runtime::kStampKey);
  if (!own) return;  // nothing was ever folded
  store::WriteSet rows;
  if (build == Build::without_stamps) {
    rows.erase(Bytes(runtime::kStampKey));
  } else {
    auto stamp = runtime::decode_row<runtime::StampRow>(*own);
    ++(build == Build::newer ? stamp.format : stamp.revision);
    rows.put(Bytes(runtime::kStampKey), runtime::encode_row(stamp));
  }
  if (build != Build::other_revision)
    runtime::DomainView(state).scan("", "", [&rows](BytesView key, BytesView) {
      return rows.put(runtime::kDomain + Bytes(key), "\xFF nobody reads this"), true;
    });
  GRANARY_CHECK(state.commit(rows).ok(), "a state in memory takes every row");
}

void rows_of_another_build(Ledger& ledger, std::size_t done, std::size_t all) {
  const auto build = static_cast<Build>(done % 3);
  ledger.stop();
  for (std::size_t i = 0; i < ledger.shards().size(); ++i)
    if (done == all / 2 || i == done % ledger.shards().size())
      ledger.with_state(ledger.shards()[i], [build](store::Store& state) { write_as(build, state); });
  ledger.start();
}

INSTANTIATE_TEST_SUITE_P(Text, Scenario,
                         each_file_under({
                             {"two_partitions", [] { return in_memory(2, 50'000); }},
                             {"one_partition", [] { return in_memory(1, 1); }},
                             {"five_partitions", [] { return in_memory(5, 3); }},
                             {"sixty_four_partitions", [] { return in_memory(64, 50'000); }},
                             {"commit_after_each_record", commit_after_each_record},
                             {"restart_after_each_step", [] { return in_memory(3, 50'000); }, restart_every(1)},
                             {"embedded_and_rocks", embedded_and_rocks, restart_every(4)},
                             {"rows_of_an_older_build", [] { return in_memory(2, 50'000); }, rows_of_an_older_build},
                             {"rows_of_another_form", [] { return in_memory(2, 50'000); }, rows_of_another_form},
                             {"state_deleted_half_way", [] { return in_memory(2, 50'000); }, delete_all_half_way},
                             {"a_shard_deleted_after_each_step", with_checkpoints, delete_one_in_turn},
                             {"rows_of_another_build", [] { return in_memory(2, 50'000); }, rows_of_another_build},
                         }),
                         case_name);

}  // namespace
}  // namespace granary::scenario
