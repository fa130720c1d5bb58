// Kills a process with an embedded journal at each crash point, and opens what it left. The process is this program
// itself, started anew: RocksDB has threads, so a mere fork would not do.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <map>
#include <sstream>
#include <thread>

#include "shared/journal/embedded_head.h"
#include "shared/journal/embedded_journal.h"
#include "tests/support/temp_directory.h"

extern char** environ;

namespace granary::journal {
namespace {

constexpr const char* kRole = "GRANARY_TEST_JOURNAL_ROLE";
constexpr const char* kDirectory = "GRANARY_TEST_JOURNAL_DIRECTORY";
constexpr std::uint16_t kPartitions = 3;

Bytes value_of(std::uint16_t partition, Offset offset) {
  return std::to_string(partition) + ":" + std::to_string(offset);
}

// Tells the parent, in one write, that `offset` of `partition` was acknowledged.
void report(std::uint16_t partition, Offset offset) {
  const std::string line = std::to_string(partition) + " " + std::to_string(offset) + "\n";
  if (::write(STDOUT_FILENO, line.data(), line.size()) != static_cast<ssize_t>(line.size())) std::_Exit(3);
}

void append_to(Journal& journal, std::uint16_t partition, Offset count) {
  for (Offset at = 0; at < count; ++at) {
    const auto offset = append_and_wait(journal, {"usage", partition}, {{value_of(partition, at), "", {}}});
    if (!offset.ok() || *offset != at) std::_Exit(2);
    report(partition, at);
  }
}

// The child: appends one record after the other, to one partition or to each by a thread of its own.
int append_until_killed(Journal& journal, std::uint16_t partitions) {
  std::vector<std::thread> threads;
  for (std::uint16_t partition = 0; partition < partitions; ++partition)
    threads.emplace_back([&journal, partition] { append_to(journal, partition, 200); });
  for (auto& thread : threads) thread.join();
  return 0;
}

// The child: lets no file grow beyond a limit, appends until a write fails, lifts the limit and appends again. Returns
// 0 if the journal refuses even then.
int append_until_a_write_fails(Journal& journal) {
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  const rlim_t before = std::exchange(limit.rlim_cur, 256 << 10);
  ::setrlimit(RLIMIT_FSIZE, &limit);
  Offset at = 0;
  for (;; ++at) {
    const auto offset = append_and_wait(journal, {"usage", 0}, {{value_of(0, at) + Bytes(4000, 'x'), "", {}}});
    if (!offset.ok()) break;
    report(0, at);
    if (at > 1000) return 4;
  }
  limit.rlim_cur = before;
  ::setrlimit(RLIMIT_FSIZE, &limit);
  const auto again = append_and_wait(journal, {"usage", 0}, {{"again", "", {}}});
  if (again.ok()) return 5;
  if (again.error().code != ErrorCode::io_error && again.error().code != ErrorCode::out_of_space) return 6;
  if (again.error().message.find("an earlier write failed") == std::string::npos) return 7;
  return *journal.end({"usage", 0}) == at ? 0 : 8;
}

int run_child(const std::string& role) {
  auto opened = open_embedded_journal(std::getenv(kDirectory));
  if (!opened.ok() || !(*opened)->create_topic({"usage", kPartitions}).ok()) return 1;
  if (role == "one") return append_until_killed(**opened, 1);
  if (role == "all") return append_until_killed(**opened, kPartitions);
  return append_until_a_write_fails(**opened);
}

struct Outcome {
  int status = 0;
  std::map<std::uint16_t, Offset> acknowledged;  // how many records, by partition
};

// Starts this program in `role` and waits for its end.
Outcome run_self(const std::string& role, const std::string& directory, const std::string& crash_at) {
  std::vector<std::string> settings = {std::string(kRole) + "=" + role, std::string(kDirectory) + "=" + directory};
  if (!crash_at.empty()) settings.push_back("GRANARY_CRASH_AT=" + crash_at);
  std::vector<char*> environment;
  for (auto& setting : settings) environment.push_back(setting.data());
  for (char** entry = environ; *entry != nullptr; ++entry) environment.push_back(*entry);
  environment.push_back(nullptr);

  int pipe_ends[2];
  GRANARY_CHECK(::pipe2(pipe_ends, O_CLOEXEC) == 0, std::strerror(errno));
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO);
  char name[] = "/proc/self/exe";
  char* arguments[] = {name, nullptr};
  pid_t child = 0;
  const int spawned = ::posix_spawn(&child, name, &actions, nullptr, arguments, environment.data());
  GRANARY_CHECK(spawned == 0, std::strerror(spawned));
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(pipe_ends[1]);

  std::string text;
  char buffer[4096];
  for (ssize_t got; (got = ::read(pipe_ends[0], buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(got));
  ::close(pipe_ends[0]);
  Outcome outcome;
  GRANARY_CHECK(::waitpid(child, &outcome.status, 0) == child, std::strerror(errno));
  std::istringstream lines(text);
  std::uint16_t partition = 0;
  Offset offset = 0;
  while (lines >> partition >> offset) outcome.acknowledged[partition] = offset + 1;
  return outcome;
}

bool was_killed(const Outcome& outcome) {
  return WIFSIGNALED(outcome.status) && WTERMSIG(outcome.status) == SIGKILL;
}

// The number of records of `partition`, each as it was appended.
Offset count_whole(const Journal& journal, std::uint16_t partition) {
  ReadBatch batch;
  const auto read = journal.read({"usage", partition}, 0, 1 << 30, batch);
  EXPECT_TRUE(read.ok()) << read.error().message;
  for (Offset at = 0; at < batch.records.size(); ++at)
    EXPECT_TRUE(batch.records[at].value.starts_with(value_of(partition, at)));
  EXPECT_EQ(*journal.end({"usage", partition}), batch.records.size());
  return batch.records.size();
}

struct Kill {
  const char* point;
  bool stands;        // the append that was cut off stands
  bool head_follows;  // HEAD has spoken of it already
};

class EmbeddedCrash : public testing::TestWithParam<Kill> {};

TEST_P(EmbeddedCrash, OfOneAppenderLeavesExactlyWhatThePointSays) {
  const Kill kill = GetParam();
  for (const std::uint64_t visit : {2, 3, 7}) {  // the first is the topic's
    const testing_support::TempDirectory directory;
    const auto outcome = run_self("one", directory.path(), std::string(kill.point) + ":" + std::to_string(visit));
    ASSERT_TRUE(was_killed(outcome)) << outcome.status;
    const Offset acknowledged = outcome.acknowledged.contains(0) ? outcome.acknowledged.at(0) : 0;
    EXPECT_EQ(acknowledged, visit - 2);
    EXPECT_EQ(read_head(directory.path())->group, kill.head_follows ? visit : visit - 1);
    const auto opened = open_embedded_journal(directory.path());
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    EXPECT_EQ(count_whole(**opened, 0), kill.stands ? acknowledged + 1 : acknowledged);
    EXPECT_EQ(read_head(directory.path())->group, kill.stands ? visit : visit - 1);
  }
}

TEST_P(EmbeddedCrash, OfSeveralAppendersLosesNothingThatWasAcknowledged) {
  for (const int visit : {5, 40}) {
    const testing_support::TempDirectory directory;
    const auto outcome = run_self("all", directory.path(), std::string(GetParam().point) + ":" + std::to_string(visit));
    ASSERT_TRUE(was_killed(outcome)) << outcome.status;
    ASSERT_FALSE(outcome.acknowledged.empty());
    const auto opened = open_embedded_journal(directory.path());
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    for (std::uint16_t partition = 0; partition < kPartitions; ++partition) {
      const auto found = outcome.acknowledged.find(partition);
      const Offset acknowledged = found == outcome.acknowledged.end() ? 0 : found->second;
      const Offset stored = count_whole(**opened, partition);
      EXPECT_GE(stored, acknowledged);
      EXPECT_LE(stored, acknowledged + 1);  // each appender waits, so one at most was on its way
    }
  }
}

TEST_P(EmbeddedCrash, WhileTheTopicIsMadeLeavesAJournalThatOpens) {
  const testing_support::TempDirectory directory;
  ASSERT_TRUE(was_killed(run_self("one", directory.path(), std::string(GetParam().point) + ":1")));
  const auto opened = open_embedded_journal(directory.path());
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  EXPECT_EQ((*opened)->topics()->size(), GetParam().stands ? 1U : 0U);
  EXPECT_TRUE((*opened)->create_topic({"usage", kPartitions}).ok());
}

INSTANTIATE_TEST_SUITE_P(Points, EmbeddedCrash,
                         testing::Values(Kill{"journal.before_write", false, false},
                                         Kill{"journal.after_write", true, false},
                                         Kill{"journal.after_head", true, true}),
                         [](const auto& kill) { return std::string(kill.param.point).substr(8); });

TEST(EmbeddedFailure, AfterAFailedWriteNothingIsTriedUntilItIsOpenedAgain) {
  const testing_support::TempDirectory directory;
  const auto outcome = run_self("limited", directory.path(), "");
  ASSERT_TRUE(WIFEXITED(outcome.status)) << outcome.status;
  ASSERT_EQ(WEXITSTATUS(outcome.status), 0);
  const auto opened = open_embedded_journal(directory.path());
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  const Offset acknowledged = outcome.acknowledged.at(0);
  EXPECT_GT(acknowledged, 0U);
  const Offset stored = count_whole(**opened, 0);
  EXPECT_GE(stored, acknowledged);
  EXPECT_LE(stored, acknowledged + 1);
  EXPECT_TRUE(append_and_wait(**opened, {"usage", 0}, {{"goes on", "", {}}}).ok());
}

}  // namespace

int child_main(const char* role) {
  return run_child(role);
}
const char* role_of_child() {
  return std::getenv(kRole);
}

}  // namespace granary::journal

int main(int argc, char** argv) {
  if (const char* role = granary::journal::role_of_child()) return granary::journal::child_main(role);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
