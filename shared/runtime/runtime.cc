#include "shared/runtime/runtime.h"

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

#include "shared/base/check.h"
#include "shared/runtime/ledger.h"
#include "shared/runtime/shard.h"
#include "shared/runtime/version.h"

namespace granary::runtime {
namespace {

constexpr std::int64_t kIdleWaitMs = 200;

// What this thread is folding, for the marker that a broken law leaves.
thread_local Shard* folding_shard = nullptr;

void write_marker(const std::string& message) {
  if (folding_shard == nullptr) return;
  std::ofstream marker(folding_shard->marker_path(), std::ios::trunc);
  marker << kVersion << ' ' << folding_shard->suspect() << ' ' << message << '\n';
}

// The shards of one machine kind and the thread that owns them.
struct Worker {
  std::shared_ptr<Mailbox> mailbox = std::make_shared<Mailbox>();
  std::vector<std::unique_ptr<Shard>> shards;
  std::atomic<bool> stopping = false;
  std::thread thread;

  void run() {
    bool busy = true;
    while (!stopping) {
      for (const auto& job : mailbox->take(busy ? 0 : kIdleWaitMs)) job();
      busy = false;
      for (const auto& shard : shards) {
        folding_shard = shard.get();
        busy |= shard->step();
        folding_shard = nullptr;
      }
    }
    for (const auto& shard : shards) {
      folding_shard = shard.get();
      shard->close();
      folding_shard = nullptr;
    }
  }
};

class LocalRuntime final : public Runtime {
 public:
  LocalRuntime(journal::Journal& journal, std::uint16_t partitions) : journal_(journal), partitions_(partitions) {}
  ~LocalRuntime() override { stop(); }

  Result<void> open(const Ledger& ledger, const Options& options, const MakeMachine& make_machine,
                    const OpenStore& open_store, const std::string& marker_directory,
                    const std::function<void(const Error&)>& fatal) {
    options_ = options;
    TargetScan scan(journal_);
    const auto fatal_once = [fatal, told = std::make_shared<std::atomic<bool>>(false)](const Error& error) {
      if (!told->exchange(true)) fatal(error);
    };
    for (const MachineKind kind : machine::kMachines) {
      Worker& worker = worker_of(kind);
      for (std::uint16_t number = 0; number < machine::shards_of(kind, partitions_); ++number) {
        Shard::Setup setup{kind,           number,       ledger.id,  &options_,        &journal_,
                           worker.mailbox, make_machine, open_store, marker_directory, fatal_once};
        auto shard = Shard::open(std::move(setup), scan);
        if (!shard.ok()) return shard.error();
        worker.shards.push_back(std::move(*shard));
        start_ends_.push_back(worker.shards.back()->last_status().end);
      }
    }
    set_check_handler(write_marker);
    journal_.set_listener([this](const journal::Partition& partition) { note_growth(partition); });
    for (Worker& worker : workers_) worker.thread = std::thread([&worker] { worker.run(); });
    return {};
  }

  [[nodiscard]] std::uint16_t partitions() const override { return partitions_; }

  [[nodiscard]] std::vector<ShardStatus> status() const override {
    std::vector<ShardStatus> all;
    for (const Worker& worker : workers_)
      for (const auto& shard : worker.shards) all.push_back(shard->last_status());
    return all;
  }

  [[nodiscard]] bool caught_up() const override {
    const auto all = status();
    for (std::size_t i = 0; i < all.size(); ++i)
      if (all[i].parked.empty() && all[i].position < start_ends_[i]) return false;
    return true;
  }

  void ask(MachineKind machine, std::uint16_t shard,
           std::function<void(Machine&, const ShardStatus&)> question) override {
    on_shard(machine, shard,
             [question = std::move(question)](Shard& owner) { question(owner.fold().rules(), owner.status()); });
  }

  void token_of(MachineKind machine, std::uint16_t shard, std::function<void(Token)> done) override {
    on_shard(machine, shard, [machine, shard, done = std::move(done)](Shard& owner) {
      const std::uint64_t position = owner.fold().position();
      Token token;
      if (position > 0) token.places.push_back({machine::inbox_of(machine), shard, position - 1});
      done(token);
    });
  }

  void when_judged(const Place& place, std::weak_ptr<void> alive,
                   std::function<void(std::optional<machine::Outcome>)> done) override {
    on_shard(
        machine::reader_of(place.topic), place.partition,
        [place, alive = std::move(alive), done = std::move(done)](Shard& owner) mutable {
          owner.wait(
              std::move(alive), [offset = place.offset](Shard& shard) { return shard.fold().position() > offset; },
              [offset = place.offset, done = std::move(done)](Shard& shard) { done(shard.fold().outcome_of(offset)); });
        });
  }

  void when_folded(const Token& token, MachineKind machine, std::uint16_t shard, std::weak_ptr<void> alive,
                   std::function<void()> done) override;

  void on_shard(MachineKind machine, std::uint16_t number, std::function<void(Shard&)> job) {
    Worker& worker = worker_of(machine);
    GRANARY_CHECK(number < worker.shards.size(), "a question to a shard that is not there");
    Shard* shard = worker.shards[number].get();
    worker.mailbox->post([shard, job = std::move(job)] { job(*shard); });
  }

  void stop() override {
    if (stopped_.exchange(true)) return;
    for (Worker& worker : workers_) {
      worker.stopping = true;
      worker.mailbox->wake();
    }
    for (Worker& worker : workers_)
      if (worker.thread.joinable()) worker.thread.join();
    journal_.set_listener(nullptr);
  }

 private:
  Worker& worker_of(MachineKind machine) { return workers_[static_cast<std::size_t>(machine) - 1]; }

  void note_growth(const journal::Partition& partition) {
    for (const MachineKind kind : machine::kMachines) {
      if (machine::topic_name(machine::inbox_of(kind)) != partition.topic) continue;
      Worker& worker = worker_of(kind);
      if (partition.number >= worker.shards.size()) return;
      worker.shards[partition.number]->note_growth();
      worker.mailbox->wake();
    }
  }

  journal::Journal& journal_;
  std::uint16_t partitions_;
  Options options_;
  std::array<Worker, machine::kMachines.size()> workers_;
  std::vector<std::uint64_t> start_ends_;
  std::atomic<bool> stopped_ = false;
};

// Follows a token along the lanes: a shard that has folded its place answers with its lane counters, and the shards
// behind those lanes wait for these; later counters are safe. Machines stand in the order of the flow, so each is asked
// once.
class FoldedWait : public std::enable_shared_from_this<FoldedWait> {
 public:
  FoldedWait(LocalRuntime& runtime, MachineKind target, std::uint16_t shard, std::weak_ptr<void> alive,
             std::function<void()> done)
      : runtime_(runtime), target_(target), target_shard_(shard), alive_(std::move(alive)), done_(std::move(done)) {}

  void start(const Token& token) {
    {
      const std::lock_guard lock(mutex_);
      for (const Place& place : token.places) {
        Needs& needs = needs_[{machine::reader_of(place.topic), place.partition}];
        needs.position = std::max(needs.position, place.offset + 1);
      }
    }
    runtime_.on_shard(target_, target_shard_, [self = shared_from_this()](Shard&) { self->next(); });
  }

 private:
  using At = std::pair<MachineKind, std::uint16_t>;
  struct Needs {
    std::uint64_t position = 0;
    std::map<At, std::uint64_t> lanes;
  };

  static bool met(const Needs& needs, Shard& shard) {
    if (shard.fold().position() < needs.position) return false;
    for (const auto& [lane, number] : needs.lanes)
      if (shard.fold().folded_from(lane.first, lane.second) < number) return false;
    return true;
  }

  // Asks all shards of the earliest machine that is left; when the last of them has answered, the next machine's turn
  // comes.
  void next() {
    std::vector<std::pair<At, Needs>> asked;
    {
      const std::lock_guard lock(mutex_);
      while (!needs_.empty()) {
        const MachineKind kind = needs_.begin()->first.first;
        if (kind > target_) {
          needs_.clear();
          break;
        }
        while (!needs_.empty() && needs_.begin()->first.first == kind) {
          auto node = needs_.extract(needs_.begin());
          // Of the target's machine only the target itself is waited for.
          if (kind != target_ || node.key().second == target_shard_)
            asked.emplace_back(node.key(), std::move(node.mapped()));
        }
        if (!asked.empty()) break;
      }
      waiting_ = asked.size();
    }
    if (asked.empty()) {
      if (!alive_.expired()) done_();
      return;
    }
    for (auto& [at, needs] : asked) {
      runtime_.on_shard(at.first, at.second,
                        [self = shared_from_this(), at = at, needs = std::move(needs)](Shard& shard) {
                          shard.wait(
                              self->alive_, [needs](Shard& owner) { return met(needs, owner); },
                              [self, at](Shard& owner) { self->answered(at, owner); });
                        });
    }
  }

  void answered(const At& at, Shard& shard) {
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [lane, counter] : shard.fold().out_lanes()) {
        if (!machine::is_inbox(lane.topic) || counter.number == 0) continue;
        needs_[{machine::reader_of(lane.topic), lane.partition}].lanes[at] = counter.number;
      }
      if (--waiting_ > 0) return;
    }
    next();
  }

  LocalRuntime& runtime_;
  MachineKind target_;
  std::uint16_t target_shard_;
  std::weak_ptr<void> alive_;
  std::function<void()> done_;
  std::mutex mutex_;
  std::map<At, Needs> needs_;
  std::size_t waiting_ = 0;
};

void LocalRuntime::when_folded(const Token& token, MachineKind machine, std::uint16_t shard, std::weak_ptr<void> alive,
                               std::function<void()> done) {
  std::make_shared<FoldedWait>(*this, machine, shard, std::move(alive), std::move(done))->start(token);
}

}  // namespace

Result<std::unique_ptr<Runtime>> start_runtime(journal::Journal& journal, const Options& options,
                                               MakeMachine make_machine, OpenStore open_store,
                                               std::string marker_directory, std::function<void(const Error&)> fatal) {
  const auto ledger = read_ledger(journal);
  if (!ledger.ok()) return ledger.error();
  Options checked = options;
  checked.partitions = ledger->partitions;
  auto runtime = std::make_unique<LocalRuntime>(journal, ledger->partitions);
  GRANARY_TRY(runtime->open(*ledger, checked, make_machine, open_store, marker_directory, fatal));
  return std::unique_ptr<Runtime>(std::move(runtime));
}

}  // namespace granary::runtime
