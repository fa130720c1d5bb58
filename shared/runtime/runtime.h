// The one loop: reads inboxes, folds them, commits and publishes. It also takes questions to the machines.
//
// Threads: worker threads own the shards of one machine kind each; one more answers questions (question_thread.h).
// Every function here may be called from any thread; callbacks run on one of these and must be short.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "shared/base/result.h"
#include "shared/fold/as_of.h"
#include "shared/journal/journal.h"
#include "shared/ledger/ledger.h"
#include "shared/machine/machine.h"
#include "shared/runtime/elsewhere.h"
#include "shared/runtime/token.h"
#include "shared/shard/needs.h"
#include "shared/shard/options.h"
#include "shared/shard/shard_status.h"
#include "shared/store/states.h"

namespace granary::runtime {

using machine::Machine;
using machine::MachineKind;
using machine::Topic;
using units::Instant;

struct Options : ShardOptions {
  // The shards of this process; not set: all. `elsewhere` knows the others and outlives the runtime; without it nothing
  // is known of them.
  std::optional<std::set<ShardName>> owned;
  Elsewhere* elsewhere = nullptr;
  const machine::Topology* topology = &machine::kTopology;  // tests have others; outlives the runtime
};

class Runtime {
 public:
  virtual ~Runtime() = default;

  [[nodiscard]] virtual const Ledger& ledger() const = 0;
  [[nodiscard]] std::uint16_t partitions() const { return ledger().partitions; }
  [[nodiscard]] LedgerMark ledger_mark() const { return read_u32(view_of(ledger().id)); }
  [[nodiscard]] virtual std::vector<ShardStatus> status() const = 0;
  // Whether every shard that is not parked has folded what was in its inbox at the start.
  [[nodiscard]] virtual bool caught_up() const = 0;
  // The same, but without the shards that fold again while an old state answers: they answer as well as before the
  // start.
  [[nodiscard]] virtual bool serves() const = 0;

  // The address of a shard's owner; nullopt: this process is the owner. Empty: no owner is known.
  [[nodiscard]] virtual std::optional<std::string> owner_of(const ShardName& shard) const = 0;

  // Runs `question` over the rows of the newest commit of a shard of this process, on a thread that folds nothing. The
  // question must not change them. While the shard folds again, the rows are those of the old state
  // (AsOf::folding_again). False: that one cannot be read, and the question is dropped.
  [[nodiscard]] virtual bool ask(MachineKind machine, std::uint16_t shard,
                                 std::function<void(Machine&, const AsOf&)> question) = 0;

  // Runs `question` on the owner of a shard of this process, between two events: it sees every applied event, and the
  // fold waits for it.
  virtual void ask_owner(MachineKind machine, std::uint16_t shard,
                         std::function<void(Machine&, const ShardStatus&)> question) = 0;

  // Calls `done` after the effect of `token` has come along the lanes to that shard and is folded and committed there,
  // so that ask() sees it. The token's partitions must be the ledger's. If an inbox ends before a place of the token,
  // `done` is told so (see Options::doubt_after); if the effect cannot come for another reason, `done` is never called.
  // The caller keeps time; after it has dropped `alive` the wait is forgotten.
  enum class Folded : std::uint8_t { yes, beyond_the_log };
  virtual void when_folded(const Token& token, MachineKind machine, std::uint16_t shard, std::weak_ptr<void> alive,
                           std::function<void(Folded)> done) = 0;

  // Calls `done` with the outcomes of the raw records at these offsets of one partition, after all of them are folded
  // and committed, so that ask() sees them. `alive` as above. nullopt: the record was folded too long ago.
  virtual void when_judged(Topic topic, std::uint16_t partition, const std::vector<std::uint64_t>& offsets,
                           std::weak_ptr<void> alive,
                           std::function<void(std::vector<std::optional<machine::Outcome>>)> done) = 0;

  // Calls `done` with the numbers of a shard's lanes once it meets `needs`. As above.
  virtual void when_met(const ShardName& shard, const Needs& needs, std::weak_ptr<void> alive, Met done) = 0;

  // Whether the shard's owner has said that it folds by this rules version or a later one. If an owner in another
  // process has not said so yet, it is asked, so that a later call knows.
  virtual bool folds_by(const ShardName& shard, std::uint64_t rules) = 0;

  // Commits what is folded, stops the workers. Called once; ask() and the rest must not be called after it.
  virtual void stop() = 0;
};

// Opens all shards and starts. `states` outlives the runtime. In `marker_directory` are the files that a broken law or
// a death at the start leaves for the next start. `fatal` is called (once, on a worker) when the journal or a store has
// failed for good: the process has to stop and say why. Errors: the journal is another ledger's, or shorter than what a
// shard has folded; a new, empty state cannot be opened.
Result<std::unique_ptr<Runtime>> start_runtime(journal::Journal& journal, const Options& options,
                                               MakeMachine make_machine, store::States& states,
                                               std::string marker_directory, std::function<void(const Error&)> fatal);

}  // namespace granary::runtime
