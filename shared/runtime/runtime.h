// The one loop: reads inboxes, applies them to machines, commits, publishes; and the door for questions to the
// machines.
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
  // The shards of this process; not set: all. `elsewhere` knows the others and outlives the runtime; without it nobody
  // is asked about them.
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
  // Whether every shard that is not parked has folded what stood in its inbox at the start.
  [[nodiscard]] virtual bool caught_up() const = 0;
  // The same, but a shard that folds again beside an old state that answers need not have caught up: it answers as well
  // as before the start.
  [[nodiscard]] virtual bool serves() const = 0;

  // Where the owner of a shard answers; nullopt: this process is it. Empty: nobody is known to own it.
  [[nodiscard]] virtual std::optional<std::string> owner_of(const ShardName& shard) const = 0;

  // Runs `question` over the rows of the newest commit of a shard of this process, on a thread that folds nothing. It
  // must not change them. While the shard folds again they are those of the old state (AsOf::folding_again); false, and
  // `question` is dropped, if that one cannot be read.
  [[nodiscard]] virtual bool ask(MachineKind machine, std::uint16_t shard,
                                 std::function<void(Machine&, const AsOf&)> question) = 0;

  // Runs `question` on the owner of a shard of this process, between two events: it sees every applied event, and the
  // fold waits for it.
  virtual void ask_owner(MachineKind machine, std::uint16_t shard,
                         std::function<void(Machine&, const ShardStatus&)> question) = 0;

  // Calls `done` once the effect of `token`, whose partitions must be the ledger's, is folded and committed in that
  // shard, along the lanes: ask() sees it. Never, where it cannot get there; but where an inbox ends before a place of
  // the token, `done` is told so (see Options::doubt_after).
  // The caller keeps time; once it has dropped `alive` the wait is forgotten.
  enum class Folded : std::uint8_t { yes, beyond_the_log };
  virtual void when_folded(const Token& token, MachineKind machine, std::uint16_t shard, std::weak_ptr<void> alive,
                           std::function<void(Folded)> done) = 0;

  // Calls `done` with the outcomes of raw records of one partition, at these offsets, once all are folded and
  // committed: ask() sees them. As above. nullopt: folded too long ago to know.
  virtual void when_judged(Topic topic, std::uint16_t partition, const std::vector<std::uint64_t>& offsets,
                           std::weak_ptr<void> alive,
                           std::function<void(std::vector<std::optional<machine::Outcome>>)> done) = 0;

  // Calls `done` with the numbers of a shard's lanes once it meets `needs`. As above.
  virtual void when_met(const ShardName& shard, const Needs& needs, std::weak_ptr<void> alive, Met done) = 0;

  // Whether the shard's owner has told that it folds by this rules version or a later one. An owner elsewhere that has
  // not told yet is asked, so that a later call knows.
  virtual bool folds_by(const ShardName& shard, std::uint64_t rules) = 0;

  // Commits what is folded, stops the workers. Called once; ask() and the rest must not be called after it.
  virtual void stop() = 0;
};

// Opens all shards and starts. `states` outlives the runtime; in `marker_directory` stands what a broken law or a death
// at the start leaves for the next start. `fatal` is told (once, on a worker) when the journal or a store failed for
// good: the process has to stop and say why. Errors: a journal that is not the ledger's, or shorter than what a shard
// has folded; a state that cannot be opened even though it is a new one.
Result<std::unique_ptr<Runtime>> start_runtime(journal::Journal& journal, const Options& options,
                                               MakeMachine make_machine, store::States& states,
                                               std::string marker_directory, std::function<void(const Error&)> fatal);

}  // namespace granary::runtime
