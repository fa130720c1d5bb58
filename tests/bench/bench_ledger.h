// A ledger to measure on: journal (embedded, or a real broker's), stores, and the four machines in this process; no
// clock and no door, so that the workload alone decides what stands in it.
//
// Threads: one owner. Ownership: the directory goes with the ledger, unless the caller named it. Throws CannotMeasure.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "shared/base/clock.h"
#include "shared/journal/journal.h"
#include "shared/runtime/runtime.h"
#include "shared/store/rocks_states.h"
#include "tests/bench/workload.h"

namespace granary::bench {

inline constexpr std::uint16_t kPartitions = 8;

// What all commands take.
struct Arguments {
  Workload workload;
  std::string data;     // empty: a directory below the system's, removed at the end
  std::string brokers;  // empty: the embedded journal
  int broker_pid = 0;   // whose processor time to count; 0: unknown
  // perf's control file, told "enable" and "disable" around what is measured; empty: none.
  std::string perf_control;
};

class BenchLedger {
 public:
  // A fresh one; what stands in `data` or at the brokers must be no ledger.
  explicit BenchLedger(const Arguments& arguments);
  ~BenchLedger();
  BenchLedger(const BenchLedger&) = delete;
  BenchLedger& operator=(const BenchLedger&) = delete;

  [[nodiscard]] journal::Journal& journal() { return *journal_; }
  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] std::string state_of(machine::MachineKind kind, std::uint16_t shard) const;
  // Of a machine's shards, on disk.
  [[nodiscard]] std::uint64_t state_bytes(machine::MachineKind kind) const;

  // Puts another journal before the ledger's own: what `wrap` returns is used from now on. While nothing runs.
  void wrap_journal(const std::function<std::unique_ptr<journal::Journal>(journal::Journal&)>& wrap);

  // Ticks every inbox to kNow, appends what is decided and folds it; calls `folded` (may be empty) before the machines
  // stop.
  void set_up(std::uint64_t projects, const std::function<void()>& folded = {});
  // Appends the jobs at places [from, to) of the stream and waits until they are durable. Returns how many of them are
  // no repeats.
  std::uint64_t append_usage(const Jobs& jobs, std::uint64_t from, std::uint64_t to);
  // The same with `count` usages of the caller's, numbered from 0.
  void append(std::uint64_t count, const std::function<events::UsageReported(std::uint64_t number)>& usage);
  // Decisions, once what is there of others is folded; a token for them.
  runtime::Token decide(const std::vector<events::Event>& decisions);
  // Ticks every inbox from `at` on, a few times a second and an hour further each time, until the machine's shards are
  // complete up to `at`.
  void complete(machine::MachineKind kind, units::Instant at);
  // Everything that stands in the usage topic.
  [[nodiscard]] runtime::Token all_usage() const;

  // Starts the machines; stop() commits what they have folded.
  void start();
  void stop();
  [[nodiscard]] runtime::Runtime& runtime() { return *runtime_; }
  // Returns once the effect of `token` is folded everywhere and the last billing record is durable. The bar counts the
  // records of the machines' inboxes.
  void settle(const runtime::Token& token);

  // SHA-256 over the digests of the rows of these machines' shards. While nothing runs.
  [[nodiscard]] std::string result_hash(const std::vector<machine::MachineKind>& machines);

 private:
  void append_ticks(units::Instant now = kNow);

  std::string folder_;
  bool keeps_folder_;
  std::unique_ptr<journal::Journal> own_journal_, journal_wrap_;
  journal::Journal* journal_ = nullptr;
  store::RocksEnvironment environment_;
  std::unique_ptr<store::RocksStates> states_;
  std::unique_ptr<runtime::Runtime> runtime_;
  std::uint64_t decided_ = 0;
};

// From now on SIGINT and SIGTERM end the process, and what temporary directories it has. Once, before other threads.
void remove_temporary_on_signal();

// Stands at kNow.
const Clock& standing_clock();

// Over the digests of shards, in the order of machine and number.
std::string hash_of(const std::vector<Hash32>& digests);

// All four.
std::vector<machine::MachineKind> all_machines();
// Without metering, whose rows name the place in a lane of what it emitted: where several clients append at once, that
// follows their order. The others' rows do not.
std::vector<machine::MachineKind> machines_behind_metering();

}  // namespace granary::bench
