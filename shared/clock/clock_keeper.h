// The door's time (design, section 3): a running clock that never steps, and the ticks that move the machines' time. A
// ledger whose last tick is far from the wall clock is a machine whose clock is wrong: a door behind it does not start,
// one far ahead appends nothing until a person confirms. Where other processes may tick too, one that is ahead by more
// than a minute first looks whether they do: a ledger that stood still and a door whose clock is minutes or hours ahead
// of the others' look alike until the next tick comes.
//
// Threads: all functions on any thread but the journal's own; ticks are appended by a timer's thread. Ownership: refers
// to journal and clock, which outlive it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "shared/base/clock.h"
#include "shared/http/loop.h"
#include "shared/journal/journal.h"
#include "shared/runtime/runtime.h"
#include "shared/units/instant.h"

namespace granary::clock {

// Whether doors of other processes may tick the same log.
enum class OtherDoors { none, may_tick };

struct ClockOptions {
  std::int64_t tick_ms = 10 * units::kSecondMs;  // the grid
  // Further behind the last tick: the door does not start. Further ahead of doors that tick: a person has to confirm.
  std::int64_t apart_ms_max = 60 * units::kSecondMs;
  std::int64_t ahead_ms_max = 7 * units::kDayMs;  // further ahead of the last tick: a person has to confirm
  OtherDoors other_doors = OtherDoors::none;
};

// A step of the ledger's time that was, or has to be, confirmed.
struct ClockStep {
  units::Instant from, to;
};

class ClockKeeper {
 public:
  // Finds the last tick (what `runtime` has folded, and what stands behind that in the inboxes), judges the clock by
  // it, and, unless a confirmation is needed or others have to be looked at, appends the first tick to every inbox
  // partition and waits until it is durable. Errors: conflict (the clock is behind the log), those of the journal.
  static Result<std::unique_ptr<ClockKeeper>> start(journal::Journal& journal, const runtime::Runtime& runtime,
                                                    const Clock& clock, ClockOptions options = {});
  ~ClockKeeper();  // stop()

  // No tick is appended after this.
  void stop();

  // The wall clock at the start (or at the confirmation) and what has passed since.
  [[nodiscard]] units::Instant now() const;
  // While false nothing may be appended: no event, no tick.
  [[nodiscard]] bool runs() const { return state_ == State::running; }
  // Whether that waits for a person. Else it ends by itself, within two grids.
  [[nodiscard]] bool needs_confirmation() const {
    const State state = state_;
    return state == State::waiting || state == State::confirming;
  }
  // The step that waits for a confirmation; nullopt where none does.
  [[nodiscard]] std::optional<ClockStep> pending_step() const;
  // The newest tick that this door knows of; 0: none.
  [[nodiscard]] units::Instant last_tick() const;

  // A person says that the clock is right. The wall clock is read again, ticks go to every partition, and from then on
  // the door runs. Returns the step over what was skipped; nullopt if nothing waited for it. Errors: conflict if the
  // clock has meanwhile been set behind the log; those of the journal. After an error it waits on.
  Result<std::optional<ClockStep>> confirm();

  // Appends the tick of the present grid instant where it does not stand yet, or looks once more at what others tick;
  // what the timer calls, each half grid.
  void tick_now();

  // Appends of ticks that failed, since the start.
  [[nodiscard]] std::uint64_t failed_ticks() const;

 private:
  enum class State { running, comparing, waiting, confirming };
  struct Ticks;

  ClockKeeper(journal::Journal& journal, const Clock& clock, ClockOptions options);
  Result<void> find_last_ticks(const runtime::Runtime& runtime);
  void compare_with_others();
  void look_once_more();
  void wait_for_confirmation(units::Instant theirs, const char* why);
  Result<void> run_from_now();
  Result<void> first_ticks();
  void set_clock() { anchor_ms_ = clock_.wall_ms() - clock_.monotonic_ms(); }
  [[nodiscard]] Result<void> check_not_behind() const;
  using TickDone = std::function<void(const Result<journal::Offsets>&)>;
  enum class Which { owned, all };  // the inboxes of this process's shards, or of the ledger
  // Returns how many partitions get one; `done` (if any) is called for each of them. An error: the inboxes of other
  // processes cannot be looked at, and no tick was appended.
  Result<std::size_t> append_ticks(Which which, const TickDone& done);
  Result<void> look_at_others(units::Instant grid);
  void add_inbox(const journal::Partition& partition, bool owned, units::Instant last);
  void schedule(http::Loop& timer);

  journal::Journal& journal_;
  const Clock& clock_;
  ClockOptions options_;
  Id16 ledger_{};
  std::atomic<std::int64_t> anchor_ms_ = 0;  // wall minus monotonic
  std::atomic<State> state_ = State::running;
  std::uint64_t looked_from_ = 0;  // while comparing: what stood in the first inbox when this started
  int looks_ = 0;
  std::shared_ptr<Ticks> ticks_;  // what the journal's callbacks touch
  std::unique_ptr<http::Loop> timer_;
};

}  // namespace granary::clock
