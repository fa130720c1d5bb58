// The one loop: reads inboxes, applies them to machines, commits, publishes; and the door for questions to the
// machines.
//
// Threads: worker threads own the shards of one machine kind each; one more answers questions (reader.h). Every
// function here may be called from any thread; callbacks run on a worker or the reader and must be short.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "shared/base/result.h"
#include "shared/journal/journal.h"
#include "shared/machine/machine.h"
#include "shared/runtime/as_of.h"
#include "shared/runtime/ledger.h"
#include "shared/store/states.h"
#include "shared/telemetry/histogram.h"

namespace granary::runtime {

using machine::Machine;
using machine::MachineKind;
using machine::Topic;
using units::Instant;

// A place in an inbox: the record at `offset`.
struct Place {
  Topic topic{};
  std::uint16_t partition = 0;
  std::uint64_t offset = 0;
  bool operator==(const Place&) const = default;
};

// The first bytes of a ledger's id: what tells its tokens and cursors from another's.
using LedgerMark = std::uint32_t;

// What a write answers with and a read may wait for: the places that have to be folded. Opaque outside.
struct Token {
  std::vector<Place> places;
  LedgerMark ledger = 0;  // whose places they are
  // Empty where there are no places.
  [[nodiscard]] std::string text() const;
  static Result<Token> parse(std::string_view text);
};

// A shard folds again from the log, as the rows that it had were of another form. Until it has come as far as the old
// state stood, that one answers questions, or nothing does.
struct FoldingAgain {
  std::uint64_t until = 0;   // where the old state stood, in records
  bool old_answers = false;  // false: this build cannot read it
  bool operator==(const FoldingAgain&) const = default;
};

// How one shard stands.
struct ShardStatus {
  MachineKind machine{};
  std::uint16_t shard = 0;
  std::uint64_t position = 0;   // the next record to fold
  std::uint64_t committed = 0;  // the same as of the last commit; what was emitted before it is in the outbox or out
  std::uint64_t end = 0;        // the inbox's end when last seen
  Instant now, complete;
  std::uint64_t events = 0;  // folded since the start of the process
  std::uint64_t commits = 0;
  std::uint64_t repeats_dropped = 0;
  std::uint64_t lane_alarms = 0;
  std::uint64_t repeats = 0;  // raw events that came again
  std::uint64_t refusals = 0;
  std::map<std::string_view, std::uint64_t> refusals_by_name;
  std::vector<machine::Figure> figures;  // the machine's own, as of the last commit
  std::uint64_t outbox_bytes = 0;
  std::uint64_t outbox_packets = 0;
  double apply_seconds = 0;  // spent in folding, without reading and committing
  telemetry::Histogram commit_seconds{telemetry::kSecondsBounds};
  telemetry::Histogram commit_events{telemetry::kEventsBounds};
  std::string parked;       // why, or empty
  std::uint64_t rules = 0;  // the rules version in force
  std::optional<FoldingAgain> folding_again;
};

using ShardName = std::pair<MachineKind, std::uint16_t>;
// "allocation-3": of its state, its markers, its lines.
std::string name_of(const ShardName& shard);

// What a shard has to have done.
struct Needs {
  std::uint64_t position = 0;                // folded so many records of its inbox
  std::map<ShardName, std::uint64_t> lanes;  // folded from each lane up to this number
  bool published = false;                    // and what came of it stands in the outward streams
  bool committed = false;                    // and committed, so that ask() sees it
  std::uint64_t rules = 0;                   // folds by this rules version, or a later one
};

// The numbers of the last events on a shard's outgoing lanes to inboxes.
struct LaneNumber {
  Topic topic{};
  std::uint16_t partition = 0;
  std::uint64_t number = 0;
};

// Receives the numbers of a shard's lanes. nullopt: what it needs cannot come, as the inbox ends before that position.
using Met = std::function<void(std::optional<std::vector<LaneNumber>>)>;

// The shards of other processes: who owns them, and waits that go there. Any thread; callbacks on some thread of its
// own, or never.
class Elsewhere {
 public:
  virtual ~Elsewhere() = default;
  // Where the owner answers ("http://host:port"); empty: nobody is known to own the shard.
  [[nodiscard]] virtual std::string owner_of(const ShardName& shard) const = 0;
  virtual void when_met(const ShardName& shard, const Needs& needs, std::weak_ptr<void> alive, Met done) = 0;
  virtual void when_judged(Topic topic, std::uint16_t partition, const std::vector<std::uint64_t>& offsets,
                           std::weak_ptr<void> alive,
                           std::function<void(std::vector<std::optional<machine::Outcome>>)> done) = 0;
};

struct Options {
  // The shards of this process; not set: all. `elsewhere` knows the others and outlives the runtime; without it nobody
  // is asked about them.
  std::optional<std::set<ShardName>> owned;
  Elsewhere* elsewhere = nullptr;
  // A commit falls due after so many events or bytes of records; earlier where the inbox has nothing more to read and
  // the last commit was so long ago: a lone event is committed at once, and where many come, they share commits.
  std::chrono::milliseconds commit_pause{2};
  // Nor does a read or the next machine wait longer for what is folded, where each look at the inbox finds more.
  std::chrono::milliseconds commit_age_max{500};
  std::size_t commit_events_max = 10'000;
  std::size_t commit_bytes_max = 32U << 20;
  // A checkpoint of an inbox follows a commit once so many records or bytes of it were folded since the last one.
  std::size_t checkpoint_records = 10'000;
  std::size_t checkpoint_bytes = 16U << 20;
  // Who waits for a position behind all that was seen of an inbox may wait for ever: of an older backup's log, or for
  // an offset that somebody made up. After this time the log is asked where the inbox ends. Not at once: it would cost
  // a question to the brokers for each read of what was just written. The answer is sound also where other processes
  // append: an offset is told only once it is durable, and the log counts what is durable.
  std::chrono::milliseconds doubt_after{1000};
  // Folding pauses while more than this waits to be acknowledged by a shard's targets.
  std::size_t outbox_bytes_max = 64U << 20;
};

using MakeMachine = std::function<std::unique_ptr<Machine>(MachineKind, std::uint16_t shard)>;
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
