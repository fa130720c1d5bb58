// Rows of another build's form: what this build knows is folded on, all else is folded again from the log, beside the
// old state, which answers as long as it is ahead. To hold a shard where it is while it folds again, a marker of a
// broken law parks it there: nothing then depends on how fast it folds.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <future>

#include "shared/base/version.h"
#include "shared/fold/layout.h"
#include "shared/fold/packet.h"
#include "tests/support/log_lines.h"
#include "tests/support/toy_ledger.h"

namespace granary::test {
namespace {

using machine::MachineKind;
using machine::RowForm;
using machine::Topic;
using runtime::FoldingAgain;
using runtime::StampRow;
using testing_support::LogLines;

constexpr Shard kMetering{MachineKind::metering, 0};
const std::string kName = runtime::name_of(kMetering);

std::string project(int n) {
  return "p-" + std::string(1, static_cast<char>('a' + n % 7));
}

// What ask() sees.
struct Seen {
  bool answered = false;
  ToySum sum;
  runtime::AsOf as_of;
};

// A ledger with 100 usages that a build of rows 1.1 has folded, and stopped.
class Stamps : public testing::Test {
 protected:
  Stamps() {
    EXPECT_TRUE(ledger.start().ok());
    use(0, 100);
    EXPECT_TRUE(ledger.settle());
    seen_before = ask("p-a");
    ledger.stop();
    digests = ledger.digests();
    ends = all_ends();
    stood = runtime::stored_position(ledger.store(kMetering));
  }

  void use(int from, int to) {
    for (int n = from; n < to; ++n) ledger.usage("u" + std::to_string(n), project(n), n);
  }
  std::map<journal::Partition, journal::Offset> all_ends() {
    std::map<journal::Partition, journal::Offset> all;
    const auto topics = ledger.journal.topics();
    for (const auto& topic : *topics)
      for (std::uint16_t p = 0; p < topic.partitions; ++p) all[{topic.name, p}] = *ledger.journal.end({topic.name, p});
    return all;
  }
  // The next starts park metering 0 at that record; nullopt: no more.
  void hold_at(std::optional<std::uint64_t> position) const {
    const std::string marker = ledger.markers + "/parked-" + kName;
    if (position)
      std::ofstream(marker) << kVersion << ' ' << *position << " held by the test\n";
    else
      std::filesystem::remove(marker);
  }
  Seen ask(const std::string& key) {
    std::promise<Seen> told;
    const bool asked = ledger.runtime->ask(kMetering.first, kMetering.second,
                                           [&](machine::Machine& rules, const runtime::AsOf& as_of) {
                                             told.set_value({true, static_cast<ToyMachine&>(rules).sum(key), as_of});
                                           });
    return asked ? told.get_future().get() : Seen{};
  }
  std::optional<FoldingAgain> folding_again() { return ledger.status(kMetering).folding_again; }
  // Runs to the end and finds all as the first build left it.
  void expect_all_as_before() {
    ASSERT_TRUE(ledger.settle());
    ledger.check();
    const Seen now = ask("p-a");  // behind the reader's last look at an old state, which its owner then deletes
    EXPECT_EQ(now.sum, seen_before.sum);
    EXPECT_FALSE(now.as_of.folding_again);
    for (const Shard& shard : ledger.shards()) {
      EXPECT_EQ(ledger.status(shard).parked, "");
      EXPECT_EQ(ledger.status(shard).folding_again, std::nullopt);
    }
    ledger.stop();
    EXPECT_EQ(ledger.digests(), digests);
    EXPECT_EQ(all_ends(), ends) << "nothing is sent twice";
    for (const Shard& shard : ledger.shards()) EXPECT_FALSE(ledger.states.has_old(runtime::name_of(shard)));
  }
  void put(const Shard& shard, const std::string& key, const std::string& value) {
    store::WriteSet rows;
    rows.put(key, value);
    ASSERT_TRUE(ledger.store(shard).commit(rows).ok());
  }
  void stamp(const StampRow& row) {
    for (const Shard& shard : ledger.shards()) put(shard, Bytes(runtime::kStampKey), runtime::encode_row(row));
  }
  StampRow stamp_of(const Shard& shard) {
    const auto row = ledger.store(shard).get(runtime::kStampKey);
    return row ? runtime::decode_row<StampRow>(*row) : StampRow();
  }

  ToyLedger ledger;
  Seen seen_before;
  std::map<Shard, std::string> digests;
  std::map<journal::Partition, journal::Offset> ends;
  std::uint64_t stood = 0;  // metering 0
};

TEST_F(Stamps, TheFirstCommitStampsAStore) {
  for (const Shard& shard : ledger.shards()) EXPECT_EQ(stamp_of(shard), runtime::own_stamp(RowForm{1, 1, 1}));
}

TEST_F(Stamps, ASmallerRevisionIsFoldedOnAndStampedAnewWithTheNextCommit) {
  ledger.rows.revision = 3;
  const LogLines lines;
  ASSERT_TRUE(ledger.start().ok());
  EXPECT_EQ(folding_again(), std::nullopt);
  EXPECT_EQ(stamp_of(kMetering).revision, 1U);
  expect_all_as_before();
  EXPECT_EQ(stamp_of(kMetering).revision, 1U) << "nothing was committed";
  ASSERT_TRUE(ledger.start().ok());
  ledger.tick(units::kHourMs);
  ASSERT_TRUE(ledger.settle());
  ledger.stop();
  for (const Shard& shard : ledger.shards()) EXPECT_EQ(stamp_of(shard), runtime::own_stamp(RowForm{1, 3, 1}));
  EXPECT_TRUE(lines.of("state_set_aside").empty());
}

TEST_F(Stamps, AnotherBuildOfTheSameFormIsFoldedOn) {
  StampRow row = stamp_of(kMetering);
  row.build = "0.0.1-other";
  stamp(row);
  ASSERT_TRUE(ledger.start().ok());
  EXPECT_EQ(folding_again(), std::nullopt);
  ledger.tick(units::kHourMs);
  ASSERT_TRUE(ledger.settle());
  ledger.stop();
  EXPECT_EQ(stamp_of(kMetering), runtime::own_stamp(RowForm{1, 1, 1}));
}

// The rows are such that a look at any of them breaks a law.
TEST_F(Stamps, NoLawMeetsRowsOfAnotherForm) {
  struct Case {
    std::string name;
    std::optional<std::string> row;  // of the stamp
  };
  StampRow other = stamp_of(kMetering);
  const auto with = [&](auto change) {
    StampRow row = other;
    change(row);
    return std::optional(runtime::encode_row(row));
  };
  const Bytes newer = runtime::encode_row(other) + Bytes("\x32\x01x");  // field 6
  const std::vector<Case> cases{{"another format", with([](StampRow& row) { row.format = 2; })},
                                {"another format of the runtime's",
                                 with([](StampRow& row) { row.runtime_format = runtime::kRuntimeRows.format + 1; })},
                                {"a larger revision", with([](StampRow& row) { row.revision = 2; })},
                                {"a larger revision of the runtime's", with([](StampRow& row) {
                                   row.runtime_revision = runtime::kRuntimeRows.revision + 1;
                                 })},
                                {"no stamp", std::nullopt},
                                {"a stamp with a field that this build does not know", newer},
                                {"a stamp that is no message", "\xff\xff"}};
  for (const Case& one : cases) {
    SCOPED_TRACE(one.name);
    for (const Shard& shard : ledger.shards()) {
      store::WriteSet rows;
      ledger.store(shard).scan("", "",
                               [&rows](BytesView key, BytesView) { return rows.put(Bytes(key), "\xff"), true; });
      if (one.row)
        rows.put(Bytes(runtime::kStampKey), *one.row);
      else
        rows.erase(Bytes(runtime::kStampKey));
      ASSERT_TRUE(ledger.store(shard).commit(rows).ok());
    }
    const LogLines lines;
    hold_at(1);
    ASSERT_TRUE(ledger.start().ok());
    EXPECT_EQ(folding_again(), (FoldingAgain{ends[ToyLedger::partition(Topic::usage, 0)], false}));
    EXPECT_FALSE(ask("p-a").answered) << "its rows cannot be read";
    EXPECT_EQ(lines.of("state_set_aside").size(), ledger.shards().size());
    EXPECT_TRUE(ledger.states.has_old(kName));
    ledger.stop();
    hold_at(std::nullopt);
    ASSERT_TRUE(ledger.start().ok());
    expect_all_as_before();
  }
}

TEST_F(Stamps, ItIsToldWhichFormsTheyAre) {
  ledger.rows = {3, 4, 1};
  const LogLines lines;
  ASSERT_TRUE(ledger.start().ok());
  ASSERT_TRUE(ledger.settle());
  ledger.stop();
  const auto told = lines.of("state_set_aside");
  ASSERT_EQ(told.size(), ledger.shards().size());
  const std::string of_runtime =
      std::to_string(runtime::kRuntimeRows.format) + "." + std::to_string(runtime::kRuntimeRows.revision);
  for (const std::string& line : told) {
    EXPECT_NE(line.find("rows 1.1/" + of_runtime + " (build " + std::string(kVersion) + ")"), std::string::npos)
        << line;
    EXPECT_NE(line.find("expected 3.4/" + of_runtime), std::string::npos) << line;
    EXPECT_NE(line.find("\"level\":\"warn\""), std::string::npos) << line;
  }
  EXPECT_EQ(lines.of("state_folded_again").size(), ledger.shards().size());
}

TEST_F(Stamps, TheOldStateAnswersMarkedUntilTheNewOneHasComeAsFar) {
  ledger.rows = {2, 1, 1};
  hold_at(stood / 2);
  ASSERT_TRUE(ledger.start().ok());
  ASSERT_TRUE(ledger.settle());
  EXPECT_EQ(folding_again(), (FoldingAgain{stood, true}));
  EXPECT_EQ(ledger.status(kMetering).position, stood / 2);
  Seen seen = ask("p-a");
  EXPECT_TRUE(seen.as_of.folding_again);
  EXPECT_EQ(seen.as_of.position, stood);
  EXPECT_EQ(seen.as_of.shard, kMetering.second);
  EXPECT_EQ(seen.sum, seen_before.sum);
  // What comes meanwhile is not in it, and who waits for that goes on waiting.
  ToySum owner;
  ledger.ask(kMetering, [&](ToyMachine& toy, const runtime::ShardStatus&) { owner = toy.sum("p-a"); });
  EXPECT_LT(owner.events, seen.sum.events) << "the new state is behind";
  ledger.stop();

  hold_at(stood);
  ASSERT_TRUE(ledger.start().ok());
  ASSERT_TRUE(ledger.settle());
  EXPECT_EQ(folding_again(), std::nullopt) << "as far as the old one stood is far enough";
  seen = ask("p-a");
  EXPECT_FALSE(seen.as_of.folding_again);
  EXPECT_EQ(seen.as_of.position, stood);
  EXPECT_EQ(seen.sum, seen_before.sum);
  ledger.stop();
  hold_at(std::nullopt);
  ASSERT_TRUE(ledger.start().ok());
  expect_all_as_before();
}

TEST_F(Stamps, WhoWaitsForAnEffectWaitsForTheNewState) {
  ledger.rows = {2, 1, 1};
  hold_at(stood - 1);
  ASSERT_TRUE(ledger.start().ok());
  ASSERT_TRUE(ledger.settle());
  const auto alive = std::make_shared<int>();
  std::promise<void> early;
  bool late = false;
  using Folded = runtime::Runtime::Folded;
  ledger.runtime->when_folded({{{Topic::usage, 0, stood - 2}}}, kMetering.first, kMetering.second, alive,
                              [&](Folded) { early.set_value(); });
  early.get_future().wait();
  EXPECT_EQ(ask("p-a").sum, seen_before.sum) << "never older than the old state";
  ledger.runtime->when_folded({{{Topic::usage, 0, stood - 1}}}, kMetering.first, kMetering.second, alive,
                              [&](Folded) { late = true; });
  for (int i = 0; i < 50; ++i) ledger.status(kMetering);
  EXPECT_FALSE(late);
  ledger.stop();
}

// A question that follows the effect of a token sees the new state, however the moments fall.
TEST_F(Stamps, AQuestionAfterAnEffectBehindTheOldStateIsAnsweredByTheNewOne) {
  for (const RowForm rows : {RowForm{2, 1, 1}, RowForm{3, 1, 3}}) {
    ledger.rows = rows;
    ASSERT_TRUE(ledger.start().ok());
    const std::string id = "late" + std::to_string(rows.format);
    for (int n = 0;; ++n) {
      if (toy_shard(id + std::to_string(n), 2) != kMetering.second) continue;
      const auto place = ledger.usage(id + std::to_string(n), "p-a", 1);
      const auto alive = std::make_shared<int>();
      std::promise<Seen> told;
      ledger.runtime->when_folded({{place}}, kMetering.first, kMetering.second, alive, [&](runtime::Runtime::Folded) {
        const bool asked = ledger.runtime->ask(
            kMetering.first, kMetering.second, [&](machine::Machine& machine, const runtime::AsOf& as_of) {
              told.set_value({true, static_cast<ToyMachine&>(machine).sum("p-a"), as_of});
            });
        if (!asked) told.set_value({});
      });
      const Seen seen = told.get_future().get();
      EXPECT_TRUE(seen.answered);
      EXPECT_FALSE(seen.as_of.folding_again);
      EXPECT_EQ(seen.sum.events, seen_before.sum.events + 1);
      seen_before = seen;
      break;
    }
    ASSERT_TRUE(ledger.settle());
    ledger.stop();
  }
}

TEST_F(Stamps, AStartInTheMiddleGoesOnFromThereAlsoAfterACrash) {
  ledger.rows = {2, 1, 1};
  hold_at(stood / 3);
  ASSERT_TRUE(ledger.start().ok());
  ASSERT_TRUE(ledger.settle());
  ledger.crash([](const Shard&) { return 0; });
  const LogLines lines;
  hold_at(stood / 2);
  ASSERT_TRUE(ledger.start().ok());
  const auto told = lines.of("state_folds_on");
  ASSERT_EQ(told.size(), 1U);
  EXPECT_NE(told.front().find("\"position\":" + std::to_string(stood / 3)), std::string::npos) << told.front();
  EXPECT_NE(told.front().find("\"until\":" + std::to_string(stood)), std::string::npos) << told.front();
  ASSERT_TRUE(ledger.settle());
  EXPECT_EQ(ask("p-a").sum, seen_before.sum);
  EXPECT_TRUE(ask("p-a").as_of.folding_again);
  ledger.crash([](const Shard&) { return 1; });
  hold_at(std::nullopt);
  ASSERT_TRUE(ledger.start().ok());
  expect_all_as_before();
  EXPECT_TRUE(ledger.wiped().empty());
}

// A commit alone does not outlive the process.
TEST_F(Stamps, NoCrashTakesTheNewStateBehindAnOldOneThatIsDropped) {
  ledger.rows = {2, 1, 1};
  ASSERT_TRUE(ledger.start().ok());
  ASSERT_TRUE(ledger.settle());
  ask("p-a");                // the reader has closed the old state, so the owner has it to delete
  ledger.status(kMetering);  // and did
  ASSERT_FALSE(ledger.states.has_old(kName));
  ledger.crash([](const Shard&) { return store::MemoryStore::kUndoableCommits; });
  EXPECT_GE(runtime::stored_position(ledger.store(kMetering)), stood);
}

// After a crash between the commit that has come as far and the end of the old state.
TEST_F(Stamps, AnOldStateThatIsPassedIsDroppedAtTheStart) {
  store::WriteSet rows;
  ledger.store(kMetering).scan(
      "", "", [&rows](BytesView key, BytesView value) { return rows.put(Bytes(key), Bytes(value)), true; });
  StampRow older = stamp_of(kMetering);
  older.format = 1;
  ledger.rows = {2, 1, 1};
  ASSERT_TRUE(ledger.start().ok());
  ASSERT_TRUE(ledger.settle());
  ledger.stop();
  rows.put(Bytes(runtime::kStampKey), runtime::encode_row(older));
  ASSERT_TRUE(ledger.states.old(kName).commit(rows).ok());
  ASSERT_TRUE(ledger.start().ok());
  EXPECT_EQ(folding_again(), std::nullopt);
  EXPECT_FALSE(ledger.states.has_old(kName));
  expect_all_as_before();
}

TEST_F(Stamps, ABuildThatComesBackTakesItsOwnStateAgain) {
  for (const bool crashed_between : {false, true}) {
    ledger.rows = {2, 2, 1};
    hold_at(stood / 2);
    ASSERT_TRUE(ledger.start().ok());
    ASSERT_TRUE(ledger.settle());
    ledger.stop();
    if (crashed_between) {
      ASSERT_TRUE(ledger.states.drop(kName).ok());
    }
    ledger.rows = {1, 1, 1};
    hold_at(stood);  // it cannot fold one record more
    const LogLines lines;
    ASSERT_TRUE(ledger.start().ok());
    EXPECT_EQ(lines.of("state_taken_back").size(), 1U);
    EXPECT_EQ(folding_again(), std::nullopt);
    EXPECT_EQ(ledger.status(kMetering).position, stood);
    EXPECT_EQ(ask("p-a").sum, seen_before.sum);
    EXPECT_FALSE(ask("p-a").as_of.folding_again);
    hold_at(std::nullopt);
    ledger.stop();
    ASSERT_TRUE(ledger.start().ok());
    expect_all_as_before();
  }
}

TEST_F(Stamps, TheStateOfABuildBetweenIsDroppedAndTheOldOneGoesOnAnswering) {
  ledger.rows = {2, 1, 1};
  hold_at(stood / 2);
  ASSERT_TRUE(ledger.start().ok());
  ASSERT_TRUE(ledger.settle());
  ledger.stop();
  ledger.rows = {3, 1, 1};
  hold_at(3);
  ASSERT_TRUE(ledger.start().ok());
  ASSERT_TRUE(ledger.settle());
  EXPECT_EQ(ledger.status(kMetering).position, 3U);
  EXPECT_EQ(folding_again(), (FoldingAgain{stood, true}));
  EXPECT_EQ(ask("p-a").sum, seen_before.sum);
  ledger.stop();
  hold_at(std::nullopt);
  ASSERT_TRUE(ledger.start().ok());
  expect_all_as_before();
}

TEST_F(Stamps, AnOldStateThatCannotBeOpenedIsDroppedAndTold) {
  ledger.rows = {2, 1, 1};
  hold_at(stood / 2);
  ASSERT_TRUE(ledger.start().ok());
  ASSERT_TRUE(ledger.settle());
  ledger.stop();
  ledger.states.damaged_old.insert(kName);
  const LogLines lines;
  ASSERT_TRUE(ledger.start().ok());
  EXPECT_EQ(lines.of("old_state_deleted").size(), 1U);
  EXPECT_EQ(folding_again(), std::nullopt);
  const Seen seen = ask("p-a");
  EXPECT_EQ(seen.as_of.position, stood / 2) << "the new one, as far as it is";
  EXPECT_FALSE(seen.as_of.folding_again);
  ledger.stop();
  hold_at(std::nullopt);
  ASSERT_TRUE(ledger.start().ok());
  expect_all_as_before();
}

TEST_F(Stamps, ANewStateThatIsDamagedIsFoldedAgainAndTheOldOneGoesOnAnswering) {
  ledger.rows = {2, 1, 1};
  hold_at(stood / 2);
  ASSERT_TRUE(ledger.start().ok());
  ASSERT_TRUE(ledger.settle());
  ledger.stop();
  ledger.states.damaged.insert(kName);
  hold_at(2);
  ASSERT_TRUE(ledger.start().ok());
  ASSERT_TRUE(ledger.settle());
  EXPECT_EQ(ledger.status(kMetering).position, 2U);
  EXPECT_EQ(ask("p-a").sum, seen_before.sum);
  EXPECT_TRUE(ask("p-a").as_of.folding_again);
  ledger.stop();
  hold_at(std::nullopt);
  ASSERT_TRUE(ledger.start().ok());
  expect_all_as_before();
}

// The state is what tells that the log has lost its end: it must not be put away with that.
TEST_F(Stamps, AJournalThatIsShorterThanAStateOfAnotherFormIsRefusedAtEachStart) {
  const auto usage = ToyLedger::partition(Topic::usage, 0);
  const auto last = ledger.records(usage).back();
  for (const bool set_aside_before : {false, true}) {
    ledger.rows = {2 + (set_aside_before ? 0U : 1U), 1, 1};
    if (set_aside_before) {
      hold_at(stood / 2);
      ASSERT_TRUE(ledger.start().ok());
      ASSERT_TRUE(ledger.settle());
      ledger.stop();
      hold_at(std::nullopt);
    }
    ledger.journal.truncate(usage, *ledger.journal.end(usage) - 1);
    for (int starts = 0; starts < 2; ++starts) {
      const auto refused = ledger.start();
      ASSERT_FALSE(refused.ok());
      EXPECT_EQ(refused.error().code, ErrorCode::corrupt);
      EXPECT_NE(refused.error().message.find("shorter than what was folded"), std::string::npos)
          << refused.error().message;
    }
    EXPECT_EQ(ledger.states.has_old(kName), set_aside_before) << "nothing has changed";
    ledger.append(Topic::usage, 0, last.value);
  }
  ASSERT_TRUE(ledger.start().ok());
  expect_all_as_before();
}

TEST_F(Stamps, AnOldStateThatBreaksALawWhenItIsReadIsReadNoMore) {
  ledger.rows = {2, 1, 1};
  hold_at(stood / 2);
  ASSERT_TRUE(ledger.start().ok());
  ASSERT_TRUE(ledger.settle());
  ledger.stop();
  const auto die = [&] {
    if (!ledger.start().ok()) return;
    std::promise<void> never;
    (void)ledger.runtime->ask(kMetering.first, kMetering.second, [](machine::Machine&, const runtime::AsOf&) {
      GRANARY_CHECK(false, "a row that only this form has");
    });
    never.get_future().wait();
  };
  EXPECT_DEATH(die(), "a row that only this form has");
  ASSERT_TRUE(ledger.start().ok());
  ASSERT_TRUE(ledger.settle());
  EXPECT_EQ(folding_again(), (FoldingAgain{stood, false}));
  EXPECT_FALSE(ask("p-a").answered);
  ledger.stop();
  hold_at(std::nullopt);
  ASSERT_TRUE(ledger.start().ok());
  expect_all_as_before();
  for (const auto& file : std::filesystem::directory_iterator(ledger.markers)) ADD_FAILURE() << file.path();
}

// A newer build folded by its rules and ended before it published; an older one is started over its state.
TEST_F(Stamps, AnOutboxOfANewerBuildParksItsShardAndStopsNobody) {
  const runtime::LaneTarget rejected{Topic::rejected, machine::shard_partition(MachineKind::metering, 0, 2)};
  const store::Store& state = ledger.store(kMetering);
  auto place = runtime::decode_row<runtime::PlaceRow>(state.get(runtime::kPlaceKey).value());
  place.rules = events::kRulesNewest + 1;
  runtime::PacketBuilder packet;
  packet.start(kTestLedger, MachineKind::metering, 0, 1, {});
  packet.add("\xfa\x3e\x02\x08\x01");  // an event with the number 1007
  store::WriteSet rows;
  rows.put(Bytes(runtime::kPlaceKey), runtime::encode_row(place));
  rows.put(runtime::outbox_key(rejected, 1), packet.take());
  rows.put(runtime::lane_key(runtime::kOutLaneKey, static_cast<std::uint8_t>(rejected.topic), rejected.partition),
           runtime::encode_row(runtime::LaneRow{1, Bytes(32, '\0'), {}}));
  ASSERT_TRUE(ledger.store(kMetering).commit(rows).ok());
  ASSERT_TRUE(ledger.start().ok());
  use(100, 110);
  EXPECT_TRUE(ledger.settle());
  EXPECT_NE(ledger.status(kMetering).parked, "");
  EXPECT_EQ(ledger.status({MachineKind::metering, 1}).parked, "");
  EXPECT_TRUE(ledger.records(ToyLedger::partition(rejected.topic, rejected.partition)).empty());
  ledger.stop();
}

}  // namespace
}  // namespace granary::test
