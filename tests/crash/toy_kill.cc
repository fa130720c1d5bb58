// The kill test of the runtime: toy machines over the embedded journal and stores of RocksDB run in a process of their
// own, which is killed again and again, at random moments and at the named points of shared/base/crash_point.h; state
// directories are deleted now and then, and what was not acknowledged is sent again. At the end: 0 acknowledged usages
// lost, 0 counted twice, 0 gaps in outward streams, and the state is what a fold of the same inboxes into empty stores
// comes to.
//
//   toy_kill                                   GRANARY_SEED=N repeats a run, GRANARY_KILLS=N asks for so many
//   toy_kill --child DATA                      what is killed; reads lines: a usage's number, or «t» and a tick's ms
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "shared/base/clock.h"
#include "shared/fold/outward.h"
#include "shared/journal/embedded_journal.h"
#include "shared/json/strict_json.h"
#include "shared/ledger/ledger.h"
#include "shared/proof/hash.h"
#include "shared/runtime/replay.h"
#include "shared/runtime/runtime.h"
#include "shared/store/memory_store.h"
#include "shared/store/rocks_states.h"
#include "tests/support/temp_directory.h"
#include "tests/support/toy_machine.h"

namespace granary::test {
namespace {

using machine::MachineKind;
using machine::Topic;

constexpr std::uint16_t kPartitions = 2;
constexpr int kBatch = 25;
constexpr const char* kPoints[] = {"journal.before_write",  "journal.after_write",  "journal.after_head",
                                   "runtime.before_commit", "runtime.after_commit", "runtime.before_publish",
                                   "runtime.after_publish", "runtime.trim"};

#define EXPECT(condition, ...)                                                                  \
  do {                                                                                          \
    if (!(condition)) {                                                                         \
      std::fprintf(stderr, "toy_kill: %s: %s\n", #condition, std::string(__VA_ARGS__).c_str()); \
      std::exit(1);                                                                             \
    }                                                                                           \
  } while (false)

template <class T>
T take(Result<T> result) {
  EXPECT(result.ok(), result.error().message);
  return std::move(*result);
}

std::string project(long n) {
  return n % 10 == 9 ? "nobody" : "p-" + std::string(1, static_cast<char>('a' + n % 7));
}

journal::Partition partition(Topic topic, std::uint16_t number) {
  return {std::string(machine::topic_name(topic)), number};
}

// The whole process: journal, stores, runtime. The order of its members is the order in which they are opened.
class Process {
 public:
  explicit Process(const std::string& data) : data_(data) {
    std::filesystem::create_directories(data + "/state");
    journal = take(journal::open_embedded_journal(data + "/journal"));
    take(runtime::open_ledger(*journal, {kPartitions, kTestLedger}, system_clock()));
    runtime = take(runtime::start_runtime(
        *journal, {}, [](MachineKind kind, std::uint16_t) { return std::make_unique<ToyMachine>(kind); }, states_,
        data + "/state", [](const Error& error) { EXPECT(false, error.message); }));
  }
  ~Process() { stop(); }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void stop() {
    if (runtime) runtime->stop();
    runtime.reset();
  }

  // `done` is called once the usage is durable.
  void usage(long n, std::function<void()> done) {
    const std::string id = "u" + std::to_string(n);
    std::vector<journal::Record> records(1);
    records.front().value = toy_usage(id, project(n), n + 1);
    journal->append(partition(Topic::usage, toy_shard(id, kPartitions)), std::move(records),
                    [done = std::move(done)](const Result<journal::Offsets>& at) {
                      EXPECT(at.ok(), at.error().message);
                      done();
                    });
  }

  void tick(std::int64_t ms) {
    for (const MachineKind kind : machine::kMachines) {
      for (std::uint16_t shard = 0; shard < machine::shards_of(kind, kPartitions); ++shard) {
        std::vector<journal::Record> records(1);
        records.front().value = toy_tick(ms);
        journal->append(partition(machine::inbox_of(kind), shard), std::move(records), [](const auto&) {});
      }
    }
  }

  void ask(MachineKind kind, std::uint16_t shard,
           const std::function<void(ToyMachine&, const runtime::ShardStatus&)>& question) {
    std::promise<void> asked;
    runtime->ask_owner(kind, shard, [&](machine::Machine& rules, const runtime::ShardStatus& status) {
      question(static_cast<ToyMachine&>(rules), status);
      asked.set_value();
    });
    asked.get_future().wait();
  }

  // Until all is folded and all that came of it is acknowledged. Machines stand in the order of the flow.
  void settle() {
    const std::int64_t limit = system_clock().monotonic_ms() + 60'000;
    each_shard([&](MachineKind kind, std::uint16_t shard) {
      for (bool settled = false; !settled;) {
        EXPECT(system_clock().monotonic_ms() < limit, "shards do not come to rest");
        ask(kind, shard, [&](ToyMachine&, const runtime::ShardStatus& now) {
          EXPECT(now.parked.empty(), now.parked);
          EXPECT(now.lane_alarms == 0, "a lane had a gap or another hash");
          settled = now.position == take(journal->end(partition(machine::inbox_of(kind), shard))) &&
                    now.committed == now.position && now.outbox_bytes == 0;
        });
      }
    });
  }

  template <class Visit>
  static void each_shard(const Visit& visit) {
    for (const MachineKind kind : machine::kMachines)
      for (std::uint16_t shard = 0; shard < machine::shards_of(kind, kPartitions); ++shard) visit(kind, shard);
  }
  [[nodiscard]] std::string directory(MachineKind kind, std::uint16_t shard) const {
    return data_ + "/state/" + std::string(machine::machine_name(kind)) + "-" + std::to_string(shard);
  }

 private:
  std::string data_;

 public:
  std::unique_ptr<journal::Journal> journal;
  store::RocksEnvironment environment_;
  store::RocksStates states_{environment_, data_ + "/state"};
  std::unique_ptr<runtime::Runtime> runtime;
};

int child(const std::string& data) {
  Process process(data);
  std::string line;
  while (std::getline(std::cin, line)) {
    const long number = std::strtol(line.c_str() + (line.starts_with('t') ? 1 : 0), nullptr, 10);
    if (line.starts_with('t')) {
      process.tick(number);
      continue;
    }
    process.usage(number, [text = line + "\n"] {
      if (write(STDOUT_FILENO, text.data(), text.size()) < 0) std::exit(1);
    });
  }
  return 0;
}

// One life of the child: lines go in, acknowledged numbers come out.
class Life {
 public:
  Life(const std::string& data, const std::string& crash_at) {
    int in[2];
    int out[2];
    EXPECT(pipe(in) == 0 && pipe(out) == 0, "no pipe");
    pid_ = fork();
    if (pid_ == 0) {
      dup2(in[0], STDIN_FILENO);
      dup2(out[1], STDOUT_FILENO);
      for (const int end : {in[0], in[1], out[0], out[1]}) close(end);
      if (!crash_at.empty()) setenv("GRANARY_CRASH_AT", crash_at.c_str(), 1);
      execl("/proc/self/exe", "toy_kill", "--child", data.c_str(), nullptr);
      _exit(127);
    }
    close(in[0]);
    close(out[1]);
    in_ = in[1];
    out_ = fdopen(out[0], "r");
  }
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;
  // Kills it, if it has not killed itself; all that it acknowledged before is in `acknowledged` then.
  void end() {
    kill(pid_, SIGKILL);
    close(in_);
    while (heard()) {
    }
    std::fclose(out_);
    int status = 0;
    waitpid(pid_, &status, 0);
    EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "it ended by itself: " + std::to_string(status));
  }

  // False: it is gone.
  [[nodiscard]] bool say(const std::string& line) const {
    return write(in_, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  }
  bool heard() {
    char line[32];
    if (std::fgets(line, sizeof line, out_) == nullptr) return false;
    if (std::string_view(line).ends_with('\n')) acknowledged.insert(std::strtol(line, nullptr, 10));
    return true;
  }

  std::set<long> acknowledged;

 private:
  pid_t pid_ = 0;
  int in_ = -1;
  std::FILE* out_ = nullptr;
};

std::vector<journal::Record> records(const journal::Journal& journal, const journal::Partition& partition) {
  std::vector<journal::Record> all;
  journal::ReadBatch batch;
  while (true) {
    const auto read = journal.read(partition, all.size(), 1U << 20, batch);
    EXPECT(read.ok(), read.error().message);
    if (batch.records.empty()) return all;
    all.insert(all.end(), batch.records.begin(), batch.records.end());
  }
}

// Each usage once: in the rows of billing and in its stream, whose partitions have each number once and in order.
void check_books(Process& process, long usages) {
  std::map<std::string, ToySum> expected;
  std::size_t charged = 0;
  for (long n = 0; n < usages; ++n) {
    if (project(n) == "nobody") continue;
    ToySum& sum = expected[organisation_of(project(n))];
    ++sum.events;
    sum.amount += units::Amount(n + 1);
    ++charged;
  }
  for (const auto& [organisation, sum] : expected)
    process.ask(MachineKind::billing, proof::shard_of({organisation}, kPartitions),
                [&, &name = organisation, &want = sum](ToyMachine& toy, const runtime::ShardStatus&) {
                  EXPECT(toy.sum(name) == want, name + ": lost or counted twice");
                });
  std::map<std::string, ToySum> told;
  std::set<std::string> ids;
  for (const Topic topic : {Topic::billing, Topic::notices, Topic::rejected}) {
    for (std::uint16_t p = 0; p < machine::partitions_of(topic, kPartitions); ++p) {
      std::uint64_t next = 1;
      for (const journal::Record& record : records(*process.journal, partition(topic, p))) {
        const std::string id = std::to_string(p) + "-" + std::to_string(next++);
        EXPECT(runtime::header(record, "ce_id") == id, "a gap or a repeat before " + id);
        if (topic != Topic::billing) continue;
        const auto line = take(json::parse(record.value));
        EXPECT(ids.insert(line.find("root")->find("id")->string()).second, record.value);
        ToySum& sum = told[line.find("organisation")->string()];
        ++sum.events;
        sum.amount += units::Amount(*units::parse_integer(line.find("amount")->string()));
      }
    }
  }
  EXPECT(ids.size() == charged && told == expected, "the billing stream tells something else");
}

// The state is what the same inboxes come to in empty stores; the digest over all.
std::string check_reference(Process& process) {
  process.stop();
  const store::RocksEnvironment environment;
  std::vector<runtime::ShardDigest> all;
  Process::each_shard([&](MachineKind kind, std::uint16_t shard) {
    const auto live = take(store::open_rocks_store(environment, process.directory(kind, shard)));
    const auto stands = runtime::stored_digest(*live, kind, shard);
    EXPECT(stands.position == take(process.journal->end(partition(machine::inbox_of(kind), shard))), "not at the end");
    store::MemoryStore scratch;
    all.push_back(take(runtime::replay_shard(*process.journal, take(runtime::read_ledger(*process.journal)), kind,
                                             shard, stands.position, std::make_unique<ToyMachine>(kind), scratch, 17,
                                             [](std::size_t) {})));
    EXPECT(all.back() == stands, runtime::first_difference(scratch, *live));
  });
  return to_hex(view_of(runtime::overall_digest(all)));
}

int kill_again_and_again() {
  const char* seed_text = std::getenv("GRANARY_SEED");
  const char* kills_text = std::getenv("GRANARY_KILLS");
  const std::uint64_t seed = seed_text != nullptr ? std::strtoull(seed_text, nullptr, 10) : std::random_device{}();
  const int kills = kills_text != nullptr ? std::atoi(kills_text) : 48;
  std::printf("seed %llu, %d kills; again: GRANARY_SEED=%llu GRANARY_KILLS=%d toy_kill\n",
              static_cast<unsigned long long>(seed), kills, static_cast<unsigned long long>(seed), kills);
  std::fflush(stdout);
  std::signal(SIGPIPE, SIG_IGN);
  std::mt19937_64 random(seed);
  const testing_support::TempDirectory directory;
  const std::string data = directory.path();
  std::set<long> acknowledged;
  std::vector<long> pending;
  long next = 0;
  int at_points = 0;
  int deleted = 0;
  for (int life = 0; life < kills; ++life) {
    const bool named = life % 2 == 0;
    const std::string crash_at = named ? std::string(kPoints[life / 2 % std::size(kPoints)]) + ":" +
                                             std::to_string(1 + random() % (life % 4 == 0 ? 10 : 80))
                                       : "";
    at_points += named ? 1 : 0;
    const std::uint64_t batches = random() % 8;
    Life running(data, crash_at);
    // A named point comes sooner or later; a random one lies within the last batch.
    bool alive = true;
    for (std::uint64_t batch = 0; alive && (named || batch <= batches); ++batch) {
      std::vector<long> jobs = pending;
      while (jobs.size() < kBatch) jobs.push_back(next++);
      pending = jobs;
      for (int again = 0; again < 3 && !acknowledged.empty(); ++again)
        jobs.push_back(*std::next(acknowledged.begin(), static_cast<long>(random() % acknowledged.size())));
      std::string lines = "t" + std::to_string(1'790'000'000'000 + next * 1000) + "\n";
      for (const long job : jobs) lines += std::to_string(job) + "\n";
      const std::uint64_t hear = !named && batch == batches ? random() % jobs.size() : jobs.size();
      alive = running.say(lines);
      for (std::uint64_t i = 0; alive && i < hear; ++i) alive = running.heard();
      if (!alive || (!named && batch == batches)) running.end();
      acknowledged.insert(running.acknowledged.begin(), running.acknowledged.end());
      std::erase_if(pending, [&](long job) { return acknowledged.contains(job); });
    }
    if (random() % 10 >= 3) continue;
    std::vector<std::filesystem::path> states;
    for (const auto& entry : std::filesystem::directory_iterator(data + "/state")) states.push_back(entry.path());
    std::sort(states.begin(), states.end());
    const bool all = random() % 3 == 0;
    for (const auto& state : states) {
      if (!all && random() % 3 != 0) continue;
      std::filesystem::remove_all(state);
      ++deleted;
    }
  }
  Process process(data);
  std::promise<void> sent;
  std::atomic<std::size_t> left = pending.size() + 1;
  const auto one_less = [&] {
    if (--left == 0) sent.set_value();
  };
  for (const long job : pending) process.usage(job, one_less);
  one_less();
  sent.get_future().wait();
  process.settle();
  check_books(process, next);
  const std::string digest = check_reference(process);
  std::printf(
      "digest %s\n%d kills (%d at named points), %d state directories deleted, %ld usages sent, %zu acknowledged "
      "before "
      "their process died: 0 lost, 0 twice, 0 gaps, the same as a fold from nothing\n",
      digest.c_str(), kills, at_points, deleted, next, acknowledged.size());
  return 0;
}

}  // namespace
}  // namespace granary::test

int main(int argc, char** argv) {
  if (argc == 3 && std::string(argv[1]) == "--child") return granary::test::child(argv[2]);
  return granary::test::kill_again_and_again();
}
