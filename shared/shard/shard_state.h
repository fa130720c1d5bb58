// The states of one shard at its start: which one is folded on, and whether there is an old one beside it that answers
// questions until the other has reached its position.
//
//   rows of a known form            are folded on.
//   rows of another form            are set aside; the shard folds again from the log, into an empty state.
//   an old state of a known form    (a build has come back) takes its place again, if it is ahead.
//   what cannot be opened           is deleted and folded again, once; if an empty state cannot be opened either, the
//                                   start fails. The same holds for a state that the last process died of
//                                   (opening.h).
//
// An old state that cannot be opened is deleted. Threads: the one that opens shards.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "shared/fold/layout.h"
#include "shared/shard/opening.h"
#include "shared/shard/shard_log.h"
#include "shared/store/states.h"

namespace granary::runtime {

class ShardState {
 public:
  struct Setup {
    store::States* states = nullptr;
    std::string name;  // of the shard: "allocation-3"
    std::string marker_directory;
    machine::RowForm rows;        // of this build's machine
    std::uint64_t inbox_end = 0;  // as of the start
    ShardLog* log = nullptr;
    // Whether the inbox has at least `position` records, and the last of those has this hash. An error: it is not the
    // one that the state was folded from.
    std::function<Result<void>(std::uint64_t position, const Hash32& last_record_hash)> check_inbox;
  };
  struct Old {
    std::uint64_t position = 0;           // records that it has folded
    std::unique_ptr<store::Store> store;  // nullptr: this build cannot read its rows
  };

  explicit ShardState(Setup setup);

  // Opens what is to be folded on. Errors: those of the states and of check_inbox.
  Result<void> open();
  // The log contradicts the state that was opened: deletes it and opens an empty one. The store of take_store() must be
  // closed.
  Result<void> fold_anew();

  [[nodiscard]] std::unique_ptr<store::Store> take_store() { return std::move(store_); }
  [[nodiscard]] std::optional<Old> take_old();

  // The old state of that shard broke a law when this build read it: no start of this build reads it again.
  static void note_unreadable(const std::string& marker_directory, const std::string& name, const std::string& message);
  // Deletes the old state, which is not needed any more, and that note. If that fails, a log line says so and the next
  // start tries again.
  static void drop_old(store::States& states, const std::string& marker_directory, const std::string& name,
                       const ShardLog& log);

 private:
  Result<void> heed_the_last_process();
  Result<void> open_old();
  Result<void> open_store();
  Result<void> choose();
  Result<void> set_aside(const Standing& now);
  Result<void> take_back();
  [[nodiscard]] Result<void> check(const Standing& standing) const;
  [[nodiscard]] std::uint64_t old_position() const { return old_.position.value_or(setup_.inbox_end); }

  Setup setup_;
  Opening opening_;
  bool anew_ = false;
  std::unique_ptr<store::Store> store_, old_store_;
  Standing old_;  // of old_store_
};

}  // namespace granary::runtime
