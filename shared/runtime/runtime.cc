#include "shared/runtime/runtime.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

#include "shared/base/check.h"
#include "shared/base/thread.h"
#include "shared/base/version.h"
#include "shared/ledger/ledger.h"
#include "shared/runtime/folded_wait.h"
#include "shared/runtime/question_thread.h"
#include "shared/shard/opening.h"
#include "shared/shard/shard.h"

namespace granary::runtime {
namespace {

// Jobs, new records and stop() wake a worker at once. What only time brings waits for this: an append to try again, a
// wait to be in doubt, a status to refresh.
constexpr std::int64_t kIdleWaitMs = 200;
// A little more than an owner in another process waits before it answers that it does not know yet.
constexpr auto kAskAgain = std::chrono::seconds(31);

// What this thread is folding, for the marker that a broken law leaves.
thread_local Shard* folding_shard = nullptr;

void write_marker(const std::string& message) {
  Opening::note_broken_law(message);
  QuestionThread::note_broken_law(message);
  if (folding_shard == nullptr) return;
  std::ofstream marker(folding_shard->marker_path(), std::ios::trunc);
  marker << kVersion << ' ' << folding_shard->suspect() << ' ' << message << '\n';
}

// What waits in the mailbox of the shard that this thread is folding, between two of its records.
void run_jobs(Mailbox& mailbox) {
  Shard* const folding = std::exchange(folding_shard, nullptr);
  for (const auto& job : mailbox.take(0)) job();
  folding_shard = folding;
}

// Some shards of one machine kind and the thread that owns them.
struct Worker {
  std::shared_ptr<Mailbox> mailbox = std::make_shared<Mailbox>();
  std::map<std::uint16_t, std::unique_ptr<Shard>> shards;
  std::atomic<bool> stopping = false;
  std::thread thread;

  void run(std::chrono::milliseconds commit_pause) {
    bool busy = true;
    bool owes = false;
    while (!stopping) {
      for (const auto& job : mailbox->take(busy ? 0 : owes ? commit_pause.count() : kIdleWaitMs)) job();
      busy = owes = false;
      for (const auto& [number, shard] : shards) {
        folding_shard = shard.get();
        busy |= shard->step();
        owes |= shard->owes_commit();
        folding_shard = nullptr;
      }
    }
    for (const auto& [number, shard] : shards) {
      folding_shard = shard.get();
      shard->close();
      folding_shard = nullptr;
    }
  }
};

class LocalRuntime final : public Runtime {
 public:
  LocalRuntime(journal::Journal& journal, const Ledger& ledger) : journal_(journal), ledger_(ledger) {
    for (auto& workers : workers_) workers = std::vector<Worker>(threads_);
  }
  ~LocalRuntime() override { stop(); }

  Result<void> open(const Options& options, const MakeMachine& make_machine, store::States& states,
                    const std::string& marker_directory, const std::function<void(const Error&)>& fatal) {
    options_ = options;
    TargetScan scan(journal_, ledger_);
    questions_ = std::make_unique<QuestionThread>(ledger_.partitions, make_machine, marker_directory);
    set_check_handler(write_marker);
    const auto fatal_once = [fatal, told = std::make_shared<std::atomic<bool>>(false)](const Error& error) {
      if (!told->exchange(true)) fatal(error);
    };
    for (const MachineKind kind : machine::kMachines) {
      for (std::uint16_t number = 0; number < machine::shards_of(kind, ledger_.partitions); ++number) {
        if (!owns({kind, number})) continue;
        Worker& worker = workers_of(kind)[number % threads_];
        Shard::Setup setup{kind,
                           number,
                           ledger_,
                           &options_,
                           &journal_,
                           worker.mailbox,
                           [&worker] { run_jobs(*worker.mailbox); },
                           make_machine,
                           &states,
                           marker_directory,
                           [this, name = ShardName{kind, number}] { drop_old(name); },
                           fatal_once};
        auto shard = Shard::open(std::move(setup), scan);
        if (!shard.ok()) return shard.error();
        const ShardStatus status = (*shard)->last_status();
        start_ends_.push_back(status.end);
        serving_ends_.push_back(status.folding_again && status.folding_again->old_answers ? 0 : status.end);
        shards_.push_back(shard->get());
        questions_->add({kind, number}, (*shard)->store());
        if ((*shard)->folding_again()) questions_->add_old({kind, number}, (*shard)->take_old());
        worker.shards.emplace(number, std::move(*shard));
      }
    }
    journal_.set_listener([this](const journal::Partition& partition) { note_growth(partition); });
    for (const MachineKind kind : machine::kMachines)
      for (Worker& worker : workers_of(kind)) {
        if (worker.shards.empty()) continue;
        // If cores are scarce, doors and the log go first: what is folded later is folded in larger commits.
        worker.thread = std::thread([&worker, kind, pause = options_.commit_pause] {
          enter_thread(std::string(machine::machine_name(kind)).c_str(), Urgency::patient);
          worker.run(pause);
        });
      }
    questions_->start();
    return {};
  }

  [[nodiscard]] const Ledger& ledger() const override { return ledger_; }

  [[nodiscard]] std::vector<ShardStatus> status() const override {
    std::vector<ShardStatus> all;
    for (const Shard* shard : shards_) all.push_back(shard->last_status());
    return all;
  }

  [[nodiscard]] bool caught_up() const override { return have_folded(start_ends_); }
  [[nodiscard]] bool serves() const override { return have_folded(serving_ends_); }

  bool ask(MachineKind machine, std::uint16_t shard, std::function<void(Machine&, const AsOf&)> question) override {
    return questions_->ask({machine, shard}, std::move(question));
  }

  void ask_owner(MachineKind machine, std::uint16_t shard,
                 std::function<void(Machine&, const ShardStatus&)> question) override {
    on_shard(machine, shard,
             [question = std::move(question)](Shard& owner) { question(owner.fold().rules(), owner.status()); });
  }

  [[nodiscard]] std::optional<std::string> owner_of(const ShardName& shard) const override {
    if (owns(shard)) return std::nullopt;
    return options_.elsewhere == nullptr ? std::string() : options_.elsewhere->owner_of(shard);
  }

  void when_judged(Topic topic, std::uint16_t partition, const std::vector<std::uint64_t>& offsets,
                   std::weak_ptr<void> alive,
                   std::function<void(std::vector<std::optional<machine::Outcome>>)> done) override {
    const ShardName name{machine::reader_of(topic), partition};
    if (!owns(name)) {
      if (options_.elsewhere != nullptr)
        options_.elsewhere->when_judged(topic, partition, offsets, std::move(alive), std::move(done));
      return;
    }
    on_shard(name.first, name.second,
             [offsets = std::vector(offsets), alive = std::move(alive), done = std::move(done)](Shard& owner) mutable {
               const std::uint64_t last = *std::max_element(offsets.begin(), offsets.end());
               owner.wait(
                   std::move(alive), [last](Shard& shard) { return shard.committed() > last; },
                   [offsets = std::move(offsets), done = std::move(done)](Shard& shard) {
                     std::vector<std::optional<machine::Outcome>> outcomes;
                     outcomes.reserve(offsets.size());
                     for (const std::uint64_t offset : offsets) outcomes.push_back(shard.fold().outcome_of(offset));
                     done(std::move(outcomes));
                   });
             });
  }

  void when_met(const ShardName& shard, const Needs& needs, std::weak_ptr<void> alive, Met done) override {
    if (!owns(shard)) {
      if (options_.elsewhere != nullptr) options_.elsewhere->when_met(shard, needs, std::move(alive), std::move(done));
      return;
    }
    on_shard(shard.first, shard.second,
             [needs = Needs(needs), alive = std::move(alive), done = std::move(done)](Shard& owner) mutable {
               owner.wait(std::move(alive), std::move(needs), std::move(done));
             });
  }

  void when_folded(const Token& token, MachineKind machine, std::uint16_t shard, std::weak_ptr<void> alive,
                   std::function<void(Folded)> done) override;

  bool folds_by(const ShardName& shard, std::uint64_t rules) override {
    if (owns(shard)) {
      const auto& shards = workers_of(shard.first)[shard.second % threads_].shards;
      const auto found = shards.find(shard.second);
      return found != shards.end() && found->second->last_status().rules >= rules;
    }
    {
      const std::lock_guard lock(told_->mutex);
      if (told_->rules[shard] >= rules) return true;
      // The owner may have been stopped, so the question is repeated.
      const auto now = std::chrono::steady_clock::now();
      auto& ask_again_at = told_->ask_again_at[{shard, rules}];
      if (options_.elsewhere == nullptr || now < ask_again_at) return false;
      ask_again_at = now + kAskAgain;
    }
    Needs needs;
    needs.rules = rules;
    options_.elsewhere->when_met(shard, needs, told_, [told = std::weak_ptr(told_), shard, rules](const auto& lanes) {
      const auto known = told.lock();
      if (!known) return;
      const std::lock_guard lock(known->mutex);
      if (lanes) known->rules[shard] = std::max(known->rules[shard], rules);
    });
    return false;
  }

  void on_shard(MachineKind machine, std::uint16_t number, std::function<void(Shard&)> job) {
    Worker& worker = workers_of(machine)[number % threads_];
    const auto found = worker.shards.find(number);
    GRANARY_CHECK(found != worker.shards.end(), "a question to a shard that is not here");
    Shard* shard = found->second.get();
    worker.mailbox->post([shard, job = std::move(job)] { job(*shard); });
  }

  void stop() override {
    if (stopped_.exchange(true)) return;
    if (questions_) questions_->stop();
    for (auto& workers : workers_)
      for (Worker& worker : workers) {
        worker.stopping = true;
        worker.mailbox->wake();
      }
    for (auto& workers : workers_)
      for (Worker& worker : workers)
        if (worker.thread.joinable()) worker.thread.join();
    journal_.set_listener(nullptr);
  }

 private:
  [[nodiscard]] bool owns(const ShardName& shard) const { return !options_.owned || options_.owned->contains(shard); }
  std::vector<Worker>& workers_of(MachineKind machine) { return workers_[static_cast<std::size_t>(machine) - 1]; }

  // Whether each shard that is not parked has folded up to its end in `ends`.
  [[nodiscard]] bool have_folded(const std::vector<std::uint64_t>& ends) const {
    const auto all = status();
    for (std::size_t i = 0; i < all.size(); ++i)
      if (all[i].parked.empty() && all[i].position < ends[i]) return false;
    return true;
  }

  // The thread of questions closes the old state, the owner deletes it: questions must not wait for the disk.
  void drop_old(const ShardName& shard) {
    questions_->pass_old(
        shard, [this, shard] { on_shard(shard.first, shard.second, [](Shard& owner) { owner.delete_old(); }); });
  }

  void note_growth(const journal::Partition& partition) {
    for (const MachineKind kind : machine::kMachines) {
      if (machine::topic_name(machine::inbox_of(kind)) != partition.topic) continue;
      Worker& worker = workers_of(kind)[partition.number % threads_];
      const auto shard = worker.shards.find(partition.number);
      if (shard == worker.shards.end()) return;
      shard->second->note_growth();
      worker.mailbox->wake();
    }
  }

  // By which rules the shards of other processes fold, as their owners said; and when to ask them again.
  struct ToldRules {
    std::mutex mutex;
    std::map<ShardName, std::uint64_t> rules;
    std::map<std::pair<ShardName, std::uint64_t>, std::chrono::steady_clock::time_point> ask_again_at;
  };

  journal::Journal& journal_;
  Ledger ledger_;
  const std::shared_ptr<ToldRules> told_ = std::make_shared<ToldRules>();
  Options options_;
  // Each machine has one thread for four cores. More threads would fold a backlog faster, but would make smaller
  // commits of live events (docs/performance.md).
  const std::size_t threads_ = std::clamp<std::size_t>(std::thread::hardware_concurrency() / 4, 1, ledger_.partitions);
  std::array<std::vector<Worker>, machine::kMachines.size()> workers_;
  std::unique_ptr<QuestionThread> questions_;
  std::vector<const Shard*> shards_;  // by machine and number
  std::vector<std::uint64_t> start_ends_;
  std::vector<std::uint64_t> serving_ends_;
  std::atomic<bool> stopped_ = false;
};

void LocalRuntime::when_folded(const Token& token, MachineKind machine, std::uint16_t shard, std::weak_ptr<void> alive,
                               std::function<void(Folded)> done) {
  const auto wait = std::make_shared<FoldedWait>(*this, ShardName{machine, shard}, *ledger_.topology, std::move(alive),
                                                 std::move(done));
  // On a worker's thread if possible, so that `done` never runs within the caller's own call.
  if (owns({machine, shard}))
    on_shard(machine, shard, [wait, token](Shard&) { wait->start(token); });
  else
    wait->start(token);
}

}  // namespace

Result<std::unique_ptr<Runtime>> start_runtime(journal::Journal& journal, const Options& options,
                                               MakeMachine make_machine, store::States& states,
                                               std::string marker_directory, std::function<void(const Error&)> fatal) {
  auto ledger = read_ledger(journal);
  if (!ledger.ok()) return ledger.error();
  ledger->topology = options.topology;
  auto runtime = std::make_unique<LocalRuntime>(journal, *ledger);
  GRANARY_TRY(runtime->open(options, make_machine, states, marker_directory, fatal));
  return std::unique_ptr<Runtime>(std::move(runtime));
}

}  // namespace granary::runtime
