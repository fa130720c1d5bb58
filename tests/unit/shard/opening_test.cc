// What a start dies of while it opens the state of a shard: the next one folds that shard again, once; of the same
// again it refuses to die. A process that is killed from outside costs nothing.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "shared/base/version.h"
#include "shared/fold/layout.h"
#include "tests/support/log_lines.h"
#include "tests/support/toy_ledger.h"

namespace granary::test {
namespace {

using machine::MachineKind;
using testing_support::LogLines;

constexpr Shard kMetering{MachineKind::metering, 1};
const std::string kName = runtime::name_of(kMetering);

constexpr int kRefused = 2;

// By a signal; or as a sanitizer ends a process, which has handlers of its own behind ours.
bool died(int status) {
  return !WIFEXITED(status) || (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != kRefused);
}

class OpeningState : public testing::Test {
 protected:
  OpeningState() {
    EXPECT_TRUE(ledger.start().ok());
    for (int n = 0; n < 60; ++n) ledger.usage("u" + std::to_string(n), "p-a", n);
    EXPECT_TRUE(ledger.settle());
    ledger.stop();
    digests = ledger.digests();
  }

  [[nodiscard]] std::string marker() const { return ledger.markers + "/opening-" + kName; }
  void set_death(std::function<void()> die) {
    ledger.states.on_open = [die = std::move(die)](std::string_view name) -> Result<void> {
      if (name == kName) die();
      return {};
    };
  }
  // The same, but only over rows.
  void set_death_over_rows(std::function<void()> die) {
    set_death([this, die = std::move(die)] {
      if (runtime::stored_position(ledger.states.state(kName)) > 0) die();
    });
  }
  void start_and_end() {
    if (ledger.start().ok()) std::_Exit(0);
    std::_Exit(kRefused);
  }
  void expect_all_as_before() {
    ASSERT_TRUE(ledger.start().ok());
    ASSERT_TRUE(ledger.settle());
    ledger.check();
    ledger.stop();
    EXPECT_EQ(ledger.digests(), digests);
    for (const auto& file : std::filesystem::directory_iterator(ledger.markers)) ADD_FAILURE() << file.path();
  }

  ToyLedger ledger;
  std::map<Shard, std::string> digests;
};

const std::vector<std::function<void()>> kFaults{
    [] { GRANARY_CHECK(false, "a law of the store"); },
    [] { std::abort(); },
    [] { std::terminate(); },
    [] { std::raise(SIGSEGV); },
    [] { std::raise(SIGBUS); },
    [] {
      std::thread elsewhere([] { std::raise(SIGSEGV); });  // as a thread of a store's that helps it open
      elsewhere.join();
    },
};

TEST_F(OpeningState, ADeathOverRowsFoldsThemAgainOnceToldLoudly) {
  for (std::size_t i = 0; i < kFaults.size(); ++i) {
    SCOPED_TRACE(i);
    set_death_over_rows(kFaults[i]);
    EXPECT_EXIT(start_and_end(), died, "");
    EXPECT_TRUE(std::filesystem::exists(marker()));
    ledger.states.forget_counts();
    const LogLines lines;
    expect_all_as_before();
    EXPECT_EQ(ledger.wiped(), (std::map<Shard, int>{{kMetering, 1}}));
    const auto told = lines.of("state_not_opened");
    ASSERT_EQ(told.size(), 1U);
    EXPECT_NE(told.front().find("\"level\":\"error\""), std::string::npos);
    EXPECT_NE(told.front().find(i == 0 ? "a law of the store" : "signal "), std::string::npos) << told.front();
  }
}

TEST_F(OpeningState, ADeathOverNoRowsEitherIsNotTriedAThirdTime) {
  for (const auto& die : kFaults) {
    set_death(die);
    EXPECT_EXIT(start_and_end(), died, "");
    EXPECT_EXIT(start_and_end(), died, "");
    for (int starts = 0; starts < 3; ++starts) {
      const auto refused = ledger.start();  // would die
      ASSERT_FALSE(refused.ok());
      for (const std::string& said : {kName, marker(), std::string("hint: start another build")})
        EXPECT_NE(refused.error().message.find(said), std::string::npos) << refused.error().message;
    }
    std::filesystem::remove(marker());
    ledger.states.on_open = nullptr;
    expect_all_as_before();
  }
}

TEST_F(OpeningState, AnotherBuildTriesAgain) {
  for (const char* step : {"state", "anew"}) {
    std::ofstream(marker()) << "0.0.1-other " << step << "\na law of the other's\n";
    ledger.states.forget_counts();
    expect_all_as_before();
    EXPECT_TRUE(ledger.wiped().empty());
  }
}

TEST_F(OpeningState, AProcessThatIsKilledIsNotPunishedHoweverOften) {
  set_death([] { std::raise(SIGKILL); });
  for (int times = 0; times < 4; ++times) EXPECT_EXIT(start_and_end(), testing::KilledBySignal(SIGKILL), "");
  EXPECT_TRUE(std::filesystem::exists(marker()));
  ledger.states.on_open = nullptr;
  expect_all_as_before();
  EXPECT_TRUE(ledger.wiped().empty()) << "its state is as good as before";
}

TEST_F(OpeningState, AKillWhileAnEmptyStateIsTriedDoesNotCountEither) {
  set_death_over_rows(kFaults.front());
  EXPECT_EXIT(start_and_end(), died, "");
  ledger.wipe(kMetering);  // as the next process does, before it is killed
  set_death([] { std::raise(SIGKILL); });
  for (int times = 0; times < 3; ++times) EXPECT_EXIT(start_and_end(), testing::KilledBySignal(SIGKILL), "");
  ledger.states.on_open = nullptr;
  expect_all_as_before();
}

// The disk does not answer: the rows may be as good as before.
TEST_F(OpeningState, AProcessThatStopsOverTheDiskKeepsItsRows) {
  set_death([] { stop_process("expected to read a row, got: Input/output error"); });
  for (int times = 0; times < 3; ++times) EXPECT_EXIT(start_and_end(), died, "");
  ledger.states.on_open = nullptr;
  expect_all_as_before();
  EXPECT_TRUE(ledger.wiped().empty());
}

TEST_F(OpeningState, ALawThatAnotherThreadBreaksMeanwhileIsNotTheStates) {
  set_death([] {
    std::thread elsewhere([] { GRANARY_CHECK(false, "a law of the log's"); });
    elsewhere.join();
  });
  for (int times = 0; times < 3; ++times) EXPECT_EXIT(start_and_end(), died, "");
  ledger.states.on_open = nullptr;
  expect_all_as_before();
  EXPECT_TRUE(ledger.wiped().empty());
}

// Rows that are none, under the stamp of this build: the fold's own law.
TEST_F(OpeningState, ARowThatDoesNotDecodeIsFoldedAgain) {
  for (const auto key : {runtime::kPlaceKey, runtime::kInLaneKey, runtime::kOutboxKey}) {
    store::WriteSet rows;
    if (key == runtime::kPlaceKey)
      rows.put(Bytes(key), "\xff\xff");
    else
      rows.put(runtime::lane_key(key, 1, 0) + (key == runtime::kOutboxKey ? Bytes(8, '\1') : Bytes()), "\xff\xff");
    ASSERT_TRUE(ledger.store(kMetering).commit(rows).ok());
    EXPECT_EXIT(start_and_end(), died, "a row of the runtime's|an outbox row is no packet");
    expect_all_as_before();
  }
}

TEST_F(OpeningState, WhatIsCorruptTwiceCannotStart) {
  int opened = 0;
  ledger.states.on_open = [&](std::string_view name) -> Result<void> {
    if (name != kName) return {};
    ++opened;
    return Error{ErrorCode::corrupt, "expected rows, got none; hint: delete this directory"};
  };
  for (int starts = 1; starts <= 3; ++starts) {
    const auto refused = ledger.start();
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(opened, 2 * starts) << "once more each time, and no more";
    EXPECT_NE(refused.error().message.find(kName + ": expected to open an empty state"), std::string::npos)
        << refused.error().message;
    EXPECT_EQ(refused.error().message.find("delete this directory"), std::string::npos) << "it was";
  }
  ledger.states.on_open = nullptr;
  expect_all_as_before();
}

TEST_F(OpeningState, ADeathOverAnOldStateDropsThatOne) {
  const std::string parked = ledger.markers + "/parked-" + kName;
  std::ofstream(parked) << kVersion << " 3 held by the test\n";
  ledger.rows = {2, 1, 1};
  ASSERT_TRUE(ledger.start().ok());
  ASSERT_TRUE(ledger.settle());
  ledger.stop();
  ASSERT_TRUE(ledger.states.has_old(kName));
  ledger.states.on_open_old = [](std::string_view name) -> Result<void> {
    if (name == kName) std::abort();
    return {};
  };
  EXPECT_EXIT(start_and_end(), died, "");
  ledger.states.on_open_old = nullptr;
  const LogLines lines;
  ASSERT_TRUE(ledger.start().ok());
  EXPECT_EQ(lines.of("old_state_deleted").size(), 1U);
  EXPECT_EQ(ledger.status(kMetering).folding_again, std::nullopt);
  EXPECT_EQ(ledger.status(kMetering).position, 3U) << "what is folded already is kept";
  ledger.stop();
  std::filesystem::remove(parked);
  expect_all_as_before();
}

}  // namespace
}  // namespace granary::test
