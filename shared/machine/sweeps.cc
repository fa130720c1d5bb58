#include "shared/machine/sweeps.h"

#include <algorithm>

#include "shared/base/probe.h"

namespace granary::machine {

Bytes Sweeps::key_of(Turn turn) {
  Bytes key;
  append_u64(key, turn);
  return key;
}

void Sweeps::open() {
  open_.clear();
  by_name_.clear();
  rows_.scan({}, [this](BytesView key, const SweepRow& sweep) {
    by_name_.emplace(name_of(sweep), read_u64(key));
    open_.emplace_hint(open_.end(), read_u64(key), sweep);
    return true;
  });
}

const SweepRow* Sweeps::find(std::uint64_t kind, std::string_view name) const {
  const auto found = by_name_.find({kind, std::string(name)});
  return found == by_name_.end() ? nullptr : &open_.at(found->second);
}

const SweepRow* Sweeps::find(std::uint64_t kind) const {
  const auto found = by_name_.lower_bound({kind, ""});
  return found == by_name_.end() || found->first.first != kind ? nullptr : &open_.at(found->second);
}

// Its turn is the last one. The number depends on what is open alone, not on what was: so it is the same after a
// restart.
void Sweeps::add(SweepRow sweep) {
  if (const auto same = by_name_.find(name_of(sweep)); same != by_name_.end()) {
    GRANARY_PROBE("two sweeps have come to the same place");
    SweepRow& open = open_.at(same->second);
    open.next = std::min(open.next, sweep.next);
    open.since = std::min(open.since, sweep.since);
    open.number = std::min(open.number, sweep.number);  // all facts come by one lane
    rows_.edit(key_of(same->second)) = open;
    return;
  }
  const Turn turn = open_.empty() ? 0 : std::prev(open_.end())->first + 1;
  rows_.edit(key_of(turn)) = sweep;
  by_name_[name_of(sweep)] = turn;
  open_.emplace_hint(open_.end(), turn, std::move(sweep));
}

void Sweeps::begin(SweepRow sweep, const LaneInput& origin, Instant now, std::size_t& rows, const Step& step) {
  if (const auto found = by_name_.find(name_of(sweep)); found != by_name_.end()) {
    GRANARY_PROBE("a sweep begins again before it has ended");
    SweepRow& open = open_.at(found->second);
    open.next = std::min(open.next, sweep.next);
    open.until = sweep.until;
    rows_.edit(key_of(found->second)) = open;
    return;
  }
  sweep.since = now;
  sweep.machine = static_cast<std::uint64_t>(origin.from);
  sweep.shard = origin.shard;
  sweep.number = origin.number;
  bool is_done = false;
  if (rows > 0) rows -= std::min(rows, step(sweep, rows, is_done));
  if (is_done) return;
  GRANARY_PROBE("a sweep goes on after the record that began it");
  add(std::move(sweep));
}

void Sweeps::go_on(std::size_t rows, const Step& step) {
  while (rows > 0 && any()) {
    auto first = open_.extract(open_.begin());
    SweepRow sweep = std::move(first.mapped());
    by_name_.erase(name_of(sweep));
    rows_.erase(key_of(first.key()));
    bool is_done = false;
    const std::size_t looked_at = step(sweep, std::min(rows, kSweepRows), is_done);
    rows -= std::min(rows, std::max<std::size_t>(looked_at, 1));
    if (!is_done) add(std::move(sweep));
  }
}

std::optional<Instant> Sweeps::since() const {
  if (open_.empty()) return std::nullopt;
  return std::min_element(open_.begin(), open_.end(),
                          [](const auto& a, const auto& b) { return a.second.since < b.second.since; })
      ->second.since;
}

bool Sweeps::owes(MachineKind from, std::uint16_t shard, std::uint64_t number) const {
  return std::any_of(open_.begin(), open_.end(), [&](const auto& one) {
    const SweepRow& sweep = one.second;
    return sweep.machine == static_cast<std::uint64_t>(from) && sweep.shard == shard && sweep.number <= number;
  });
}

}  // namespace granary::machine
