#include "shared/shard/waits.h"

#include <algorithm>

#include "shared/base/probe.h"
#include "shared/shard/shard.h"

namespace granary::runtime {

void Waits::add(std::weak_ptr<void> alive, std::function<bool(Shard&)> met, std::function<void(Shard&)> done) {
  waits_.push_back({std::move(alive), std::move(met), std::move(done)});
}

void Waits::add(std::weak_ptr<void> alive, Needs needs, Met done, std::chrono::milliseconds doubt_after) {
  const auto told = std::make_shared<Met>(std::move(done));
  const std::uint64_t position = needs.position;
  waits_.push_back({std::move(alive), [needs = std::move(needs)](Shard& one) { return one.meets(needs); },
                    [told](Shard& one) { (*told)(one.lane_numbers()); }, position, [told] { (*told)(std::nullopt); },
                    std::chrono::steady_clock::now() + doubt_after});
}

void Waits::run(Shard& shard) {
  std::vector<Wait> due;
  std::erase_if(waits_, [&](Wait& wait) {
    if (wait.alive.expired()) return true;
    if (!wait.met(shard)) return false;
    due.push_back(std::move(wait));
    return true;
  });
  for (const Wait& wait : due) wait.done(shard);
}

void Waits::end_in_vain(std::uint64_t& known_end, std::chrono::milliseconds doubt_after,
                        const std::function<Result<journal::Offset>()>& ask_end) {
  if (waits_.empty()) return;
  const auto now = std::chrono::steady_clock::now();
  const auto is_in_doubt = [&](const Wait& wait) {
    return wait.in_vain && wait.position > known_end && wait.doubt_at <= now && !wait.alive.expired();
  };
  if (std::none_of(waits_.begin(), waits_.end(), is_in_doubt)) return;
  const auto end = ask_end();
  if (end.ok()) known_end = std::max(known_end, *end);
  std::vector<Wait> in_vain;
  std::erase_if(waits_, [&](Wait& wait) {
    if (!is_in_doubt(wait)) return false;
    wait.doubt_at = now + doubt_after;
    if (!end.ok()) return false;
    GRANARY_PROBE("a wait is for a place behind the end of the log");
    in_vain.push_back(std::move(wait));
    return true;
  });
  for (const Wait& wait : in_vain) wait.in_vain();
}

}  // namespace granary::runtime
