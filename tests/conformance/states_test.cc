// The laws of the port to many shards' states, over both of its doors; and of the directories what a crash between two
// steps leaves.
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <optional>

#include "shared/store/memory_states.h"
#include "shared/store/rocks_states.h"
#include "tests/support/temp_directory.h"

namespace granary::store {
namespace {

constexpr const char* kName = "allocation-3";

// Row `which` of what is opened; "none": nothing is there to be opened.
std::string row_of(const Result<std::unique_ptr<Store>>& opened) {
  EXPECT_TRUE(opened.ok()) << opened.error().message;
  if (!opened.ok() || *opened == nullptr) return "none";
  return (*opened)->get("which").value_or("empty");
}

void write(States& states, const std::string& which, const std::string& name = kName) {
  const auto opened = states.open(name);
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  WriteSet rows;
  rows.put("which", which);
  ASSERT_TRUE((*opened)->commit(rows).ok());
}

struct StatesDoor {
  std::string name;
  std::function<std::unique_ptr<States>(const RocksEnvironment&, const std::string& directory)> make;
};

class StatesConformance : public testing::TestWithParam<StatesDoor> {
 protected:
  void SetUp() override { states_ = GetParam().make(environment_, directory_.path()); }
  std::string state() { return row_of(states_->open(kName)); }
  std::string old() { return row_of(states_->open_old(kName)); }

  RocksEnvironment environment_;
  testing_support::TempDirectory directory_;
  std::unique_ptr<States> states_;
};

TEST_P(StatesConformance, AStateThatIsNotThereIsANewOneAndNoOldOne) {
  EXPECT_EQ(old(), "none");
  EXPECT_EQ(state(), "empty");
  write(*states_, "first");
  EXPECT_EQ(state(), "first");
  EXPECT_EQ(old(), "none");
  EXPECT_EQ(row_of(states_->open("allocation-4")), "empty");
}

TEST_P(StatesConformance, WhatIsSetAsideIsTheOldOneUntilItIsDropped) {
  write(*states_, "first");
  ASSERT_TRUE(states_->set_aside(kName).ok());
  EXPECT_EQ(old(), "first");
  EXPECT_EQ(state(), "empty");
  write(*states_, "second");
  EXPECT_EQ(old(), "first");
  ASSERT_TRUE(states_->drop_old(kName).ok());
  EXPECT_EQ(old(), "none");
  EXPECT_EQ(state(), "second");
}

TEST_P(StatesConformance, WhatIsTakenBackReplacesTheState) {
  for (const bool with_another : {true, false}) {
    write(*states_, "first");
    ASSERT_TRUE(states_->set_aside(kName).ok());
    if (with_another) write(*states_, "second");
    ASSERT_TRUE(states_->take_back(kName).ok());
    EXPECT_EQ(state(), "first");
    EXPECT_EQ(old(), "none");
  }
}

TEST_P(StatesConformance, DroppingLeavesTheOtherOneAndWhatIsNotThereIsDropped) {
  write(*states_, "first");
  ASSERT_TRUE(states_->set_aside(kName).ok());
  write(*states_, "second");
  for (int times = 0; times < 2; ++times) {
    ASSERT_TRUE(states_->drop(kName).ok());
    EXPECT_EQ(old(), "first");
  }
  EXPECT_EQ(state(), "empty");
  for (int times = 0; times < 2; ++times) ASSERT_TRUE(states_->drop_old(kName).ok());
  EXPECT_EQ(old(), "none");
}

TEST_P(StatesConformance, OneStatesChangesLeaveTheOthersAlone) {
  write(*states_, "other", "allocation-30");
  write(*states_, "first");
  ASSERT_TRUE(states_->set_aside(kName).ok());
  ASSERT_TRUE(states_->drop(kName).ok());
  EXPECT_EQ(row_of(states_->open("allocation-30")), "other");
  EXPECT_EQ(row_of(states_->open_old("allocation-30")), "none");
}

INSTANTIATE_TEST_SUITE_P(
    Doors, StatesConformance,
    testing::Values(StatesDoor{"Memory", [](const RocksEnvironment&,
                                            const std::string&) { return std::make_unique<MemoryStates>(); }},
                    StatesDoor{"Rocks",
                               [](const RocksEnvironment& environment, const std::string& directory) {
                                 return std::make_unique<RocksStates>(environment, directory);
                               }}),
    [](const auto& door) { return door.param.name; });

// A step in which the process dies at a named point, as `kill -9` would, and what the next one finds.
struct Crash {
  std::string name, point;
  Result<void> (States::*step)(std::string_view name);
  std::string state, old;  // what stands before: "first" set aside, "second" in its place
};

constexpr const char* kDirectory = "GRANARY_TEST_STATES_DIRECTORY";

class CrashedStates : public testing::TestWithParam<Crash> {
 protected:
  // The process that dies is this program started anew (RocksDB has threads), so it gets its directory told.
  CrashedStates() {
    if (std::getenv(kDirectory) == nullptr) {
      made_.emplace();
      ::setenv(kDirectory, made_->path().c_str(), 1);
    }
    directory_ = std::getenv(kDirectory);
  }
  ~CrashedStates() override {
    if (made_) ::unsetenv(kDirectory);
  }

  void live() {
    ::setenv("GRANARY_CRASH_AT", GetParam().point.c_str(), 1);
    const RocksEnvironment environment;
    RocksStates states(environment, directory_);
    write(states, "first");
    if (GetParam().step != &States::set_aside) {
      EXPECT_TRUE(states.set_aside(kName).ok());
      write(states, "second");
    }
    EXPECT_TRUE((states.*GetParam().step)(kName).ok());
    std::_Exit(0);
  }

  std::optional<testing_support::TempDirectory> made_;
  std::string directory_;
};

TEST_P(CrashedStates, OpenAsBeforeTheStepOrBehindIt) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(live(), testing::KilledBySignal(SIGKILL), "");
  const RocksEnvironment environment;
  RocksStates states(environment, directory_);
  EXPECT_EQ(row_of(states.open(kName)), GetParam().state);
  EXPECT_EQ(row_of(states.open_old(kName)), GetParam().old);
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/" + kName + ".gone")) << "it is never deleted";
}

INSTANTIATE_TEST_SUITE_P(
    Steps, CrashedStates,
    testing::Values(Crash{"BeforeSettingAside", "states.before_set_aside", &States::set_aside, "first", "none"},
                    Crash{"AfterSettingAside", "states.after_set_aside", &States::set_aside, "empty", "first"},
                    Crash{"BetweenTakingBack", "states.between_take_back", &States::take_back, "empty", "first"},
                    Crash{"AfterTakingBack", "states.after_take_back", &States::take_back, "first", "none"},
                    Crash{"Dropping", "states.before_delete", &States::drop, "empty", "first"},
                    Crash{"DroppingTheOld", "states.before_delete", &States::drop_old, "second", "none"}),
    [](const auto& crash) { return crash.param.name; });

TEST(RocksStates, WhatCannotBeRenamedIsAnErrorThatNamesIt) {
  const testing_support::TempDirectory directory;
  const RocksEnvironment environment;
  RocksStates states(environment, directory.path());
  for (const auto& done : {states.set_aside(kName), states.take_back(kName)}) {
    ASSERT_FALSE(done.ok());
    EXPECT_EQ(done.error().code, ErrorCode::io_error);
    EXPECT_NE(done.error().message.find(directory / kName), std::string::npos) << done.error().message;
  }
}

}  // namespace
}  // namespace granary::store
