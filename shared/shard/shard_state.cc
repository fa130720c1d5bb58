#include "shared/shard/shard_state.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "shared/base/crash_point.h"
#include "shared/base/probe.h"
#include "shared/base/version.h"

namespace granary::runtime {
namespace {

std::string unreadable_path(const std::string& marker_directory, const std::string& name) {
  return fmt::format("{}/unreadable-{}", marker_directory, name);
}

bool is_marked_unreadable(const std::string& marker_directory, const std::string& name) {
  std::ifstream marker(unreadable_path(marker_directory, name));
  std::string version;
  return marker >> version && version == kVersion;
}

ShardLog::OldState kind_of(machine::RowsAre rows) {
  return rows == machine::RowsAre::foreign ? ShardLog::OldState::is_foreign : ShardLog::OldState::answers;
}

std::string without_hint(const std::string& message) {
  return message.substr(0, message.find("; hint: "));
}

}  // namespace

ShardState::ShardState(Setup setup)
    : setup_(std::move(setup)), opening_(fmt::format("{}/opening-{}", setup_.marker_directory, setup_.name)) {}

Result<void> ShardState::open() {
  GRANARY_TRY(heed_the_last_process());
  GRANARY_TRY(open_old());
  GRANARY_TRY(open_store());
  return choose();
}

Result<void> ShardState::heed_the_last_process() {
  anew_ = opening_.was_anew();
  const auto& died = opening_.died();
  if (!died) return {};
  switch (died->step) {
    case Opening::Step::old_state:
      GRANARY_PROBE("the last start died of an old state");
      setup_.log->old_state_deleted(died->cause);
      return setup_.states->drop_old(setup_.name);
    case Opening::Step::state:
      GRANARY_PROBE("the last start died of a state");
      setup_.log->state_not_opened(died->cause);
      anew_ = true;
      return setup_.states->drop(setup_.name);
    case Opening::Step::anew:
      GRANARY_PROBE("the last start died of an empty state");
      break;
  }
  opening_.leave_as_it_was();
  return Error{ErrorCode::corrupt,
               fmt::format("{}: expected to open an empty state, after the process had died opening the one before; "
                           "got its death again ({}); hint: start another build; to try this one again, delete {}",
                           setup_.name, died->cause, opening_.path())};
}

Result<void> ShardState::open_old() {
  opening_.enter(Opening::Step::old_state);
  auto opened = setup_.states->open_old(setup_.name);
  if (!opened.ok() && opened.error().code == ErrorCode::corrupt) {
    GRANARY_PROBE("an old state that is damaged is deleted");
    setup_.log->old_state_deleted(opened.error().message);
    return setup_.states->drop_old(setup_.name);
  }
  if (!opened.ok()) return opened.error();
  old_store_ = std::move(*opened);
  if (!old_store_) return {};
  old_ = standing_of(*old_store_, setup_.rows);
  if (!old_.is_empty) return check(old_);
  old_store_.reset();
  return setup_.states->drop_old(setup_.name);
}

Result<void> ShardState::open_store() {
  opening_.enter(anew_ ? Opening::Step::anew : Opening::Step::state);
  crash_point("runtime.opening");
  auto opened = setup_.states->open(setup_.name);
  if (opened.ok()) {
    store_ = std::move(*opened);
    return {};
  }
  if (opened.error().code != ErrorCode::corrupt) return opened.error();
  if (!anew_) {
    GRANARY_PROBE("a state that is damaged is deleted and folded again");
    setup_.log->state_damaged(opened.error());  // the log is the truth, so nothing has to be repaired
    return fold_anew();
  }
  GRANARY_PROBE("an empty state cannot be opened either");
  return Error{ErrorCode::corrupt,
               fmt::format("{}: expected to open an empty state, after the one before could not be opened and was "
                           "deleted, got: {}; hint: look at the disk, then start again",
                           setup_.name, without_hint(opened.error().message))};
}

Result<void> ShardState::fold_anew() {
  store_.reset();
  anew_ = true;
  GRANARY_TRY(setup_.states->drop(setup_.name));
  return open_store();
}

Result<void> ShardState::choose() {
  const Standing now = standing_of(*store_, setup_.rows);
  const bool fits = now.rows == machine::RowsAre::known;
  if (old_store_ && old_.rows == machine::RowsAre::known && old_.position &&
      (!fits || now.position.value_or(0) < *old_.position))
    return take_back();
  if (!fits) return set_aside(now);
  if (!old_store_) return {};
  if (now.position.value_or(0) < old_position()) {
    GRANARY_PROBE("a start finds a shard behind its old state");
    setup_.log->folds_on(now.position.value_or(0), old_position());
    return {};
  }
  old_store_.reset();
  drop_old(*setup_.states, setup_.marker_directory, setup_.name, *setup_.log);
  return {};
}

Result<void> ShardState::set_aside(const Standing& now) {
  GRANARY_TRY(check(now));
  const std::string cause = fmt::format(
      "rows {}, expected {}, at {}", to_text(now.stamp), to_text(own_stamp(setup_.rows)),
      now.position ? "record " + std::to_string(*now.position) : std::string("a place that cannot be read"));
  store_.reset();
  if (old_store_) {  // the state of a build between two others: the old state is ahead of it and stays
    GRANARY_PROBE("a state of a build between two others is dropped");
    setup_.log->state_set_aside(cause, kind_of(old_.rows));
    GRANARY_TRY(setup_.states->drop(setup_.name));
    return open_store();
  }
  setup_.log->state_set_aside(cause, kind_of(now.rows));
  GRANARY_TRY(setup_.states->set_aside(setup_.name));
  GRANARY_TRY(open_old());
  return open_store();
}

Result<void> ShardState::take_back() {
  GRANARY_PROBE("a build that has come back takes its old state");
  setup_.log->state_taken_back(*old_.position, to_text(old_.stamp));
  store_.reset();
  old_store_.reset();
  anew_ = false;
  GRANARY_TRY(setup_.states->take_back(setup_.name));
  std::error_code ignored;
  std::filesystem::remove(unreadable_path(setup_.marker_directory, setup_.name), ignored);
  return open_store();
}

Result<void> ShardState::check(const Standing& standing) const {
  if (!standing.position || !standing.last_record_hash) return {};
  return setup_.check_inbox(*standing.position, *standing.last_record_hash);
}

std::optional<ShardState::Old> ShardState::take_old() {
  if (!old_store_) return std::nullopt;
  Old old{old_position(), std::move(old_store_)};
  if (old_.rows == machine::RowsAre::foreign || is_marked_unreadable(setup_.marker_directory, setup_.name))
    old.store.reset();
  return old;
}

void ShardState::note_unreadable(const std::string& marker_directory, const std::string& name,
                                 const std::string& message) {
  std::ofstream(unreadable_path(marker_directory, name), std::ios::trunc) << kVersion << ' ' << message << '\n';
}

void ShardState::drop_old(store::States& states, const std::string& marker_directory, const std::string& name,
                          const ShardLog& log) {
  std::error_code ignored;
  std::filesystem::remove(unreadable_path(marker_directory, name), ignored);
  if (const auto done = states.drop_old(name); !done.ok()) log.old_state_stays(done.error());
}

}  // namespace granary::runtime
