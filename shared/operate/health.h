// Whether the server is ready, and how its shards stand: for probes and operators (for Prometheus: metrics.h). Pure
// functions over what they are given; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "shared/clock/clock_keeper.h"
#include "shared/http/message.h"
#include "shared/peers/peers.h"
#include "shared/runtime/runtime.h"

namespace granary::operate {

// 200 once every shard serves (runtime::Runtime::serves) and the clock runs; else 503, and what is missing. Parked
// shards and those that fold again are listed; the former block nothing, the latter only if no old state answers for
// them.
http::Response readiness(const runtime::Runtime& runtime, const clock::ClockKeeper& clock);

// `{"partitions":N,"caught_up":...,"clock":{...},"shards":[...]}`: of every shard that this server runs its `owner`
// (the server that answers for it: `owner`, left out if empty), position, end, lag, times, counters, why it is
// parked, and `folding_again` with `until` (how far the old state had come) and `old_state_answers`.
// `peers` of those that other processes own by the list: `{"machine":...,"shard":N,"owner":...}`.
http::Response status_page(const runtime::Runtime& runtime, const clock::ClockKeeper& clock, const std::string& owner,
                           const peers::Peers* peers);

// Records of the inbox that are not folded yet.
std::uint64_t lag_records(const runtime::ShardStatus& shard);
// How far a shard is behind in the ledger's time: the newest tick that the door knows of minus the shard's `now`, if
// records of its inbox are not folded yet; 0 if there are none. nullopt: it has folded no tick yet, so nobody can
// tell.
std::optional<std::int64_t> lag_ms(const runtime::ShardStatus& shard, units::Instant newest_tick);

// The clock as a JSON object: state, now, last_tick; the step that waits for a confirmation.
std::string clock_json(const clock::ClockKeeper& clock);

}  // namespace granary::operate
