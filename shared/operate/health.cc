#include "shared/operate/health.h"

#include <algorithm>

#include "shared/events/rules.h"
#include "shared/json/writer.h"

namespace granary::operate {
namespace {

using http::Response;
using runtime::ShardStatus;

using Json = json::Writer<std::string>;

void add_time(Json& out, std::string_view name, units::Instant at) {
  if (at != units::Instant()) out.member(name, units::format_time(at));
}

void add_shard(Json& out, const ShardStatus& shard, units::Instant newest_tick, const std::string& owner) {
  out.begin_object().member("machine", machine::machine_name(shard.machine)).member("shard", shard.shard);
  if (!owner.empty()) out.member("owner", owner);
  out.member("position", shard.position).member("end", shard.end).member("lag_records", lag_records(shard));
  if (const auto lag = lag_ms(shard, newest_tick)) out.member("lag_seconds", *lag / units::kSecondMs);
  add_time(out, "now", shard.now);
  add_time(out, "complete", shard.complete);
  out.member("events", shard.events)
      .member("commits", shard.commits)
      .member("repeats_dropped", shard.repeats_dropped)
      .member("repeats", shard.repeats)
      .member("lane_alarms", shard.lane_alarms)
      .member("refusals", shard.refusals)
      .member("outbox_bytes", shard.outbox_bytes)
      .member("outbox_packets", shard.outbox_packets);
  for (const machine::Figure& figure : shard.figures) out.member(figure.name, figure.value);
  out.member("rules", shard.rules);
  if (!shard.parked.empty()) out.member("parked", shard.parked);
  if (shard.folding_again)
    out.name("folding_again")
        .begin_object()
        .member("until", shard.folding_again->until)
        .member("old_state_answers", shard.folding_again->old_answers)
        .end_object();
  out.end_object();
}

template <class Keep>
void add_shards(Json& out, std::string_view name, const std::vector<ShardStatus>& shards, units::Instant newest_tick,
                const std::string& owner, Keep keep) {
  out.name(name).begin_array();
  for (const ShardStatus& shard : shards)
    if (keep(shard)) add_shard(out, shard, newest_tick, owner);
  out.end_array();
}

}  // namespace

std::uint64_t lag_records(const ShardStatus& shard) {
  return shard.end - std::min(shard.end, shard.position);
}

std::optional<std::int64_t> lag_ms(const ShardStatus& shard, units::Instant newest_tick) {
  if (lag_records(shard) == 0) return 0;
  if (shard.now == units::Instant()) return std::nullopt;
  return std::max<std::int64_t>(0, newest_tick.ms() - shard.now.ms());
}

std::string clock_json(const clock::ClockKeeper& clock) {
  std::string text;
  Json out(text);
  const auto step = clock.pending_step();
  out.begin_object();
  out.member("state", step ? "needs_confirmation" : clock.runs() ? "running" : "comparing");
  out.member("now", units::format_time(clock.now()));
  add_time(out, "last_tick", clock.last_tick());
  out.member("failed_ticks", clock.failed_ticks());
  if (step)
    out.name("step")
        .begin_object()
        .member("from", units::format_time(step->from))
        .member("to", units::format_time(step->to))
        .end_object()
        .member("hint", "if this machine's clock is right, say `granary clock confirm`; else set it and restart");
  out.end_object();
  return text;
}

Response readiness(const runtime::Runtime& runtime, const clock::ClockKeeper& clock) {
  // In this order, so that what is said to be ready lists every shard that was parked on the way.
  const bool serves = runtime.serves();
  const bool caught_up = runtime.caught_up();
  const auto shards = runtime.status();
  const bool ready = serves && clock.runs();
  const auto add = [&](Json& out, std::string_view name, auto keep) {
    add_shards(out, name, shards, clock.last_tick(), "", keep);
  };
  Response response{.status = ready ? 200 : 503, .content_type = "application/json"};
  Json out(response.body);
  out.begin_object().member("ready", ready).member("caught_up", caught_up).name("clock").json(clock_json(clock));
  if (!caught_up)
    add(out, "behind", [](const ShardStatus& shard) { return shard.parked.empty() && shard.position < shard.end; });
  add(out, "parked", [](const ShardStatus& shard) { return !shard.parked.empty(); });
  const auto folds_again = [](const ShardStatus& shard) { return shard.folding_again.has_value(); };
  if (std::any_of(shards.begin(), shards.end(), folds_again)) add(out, "folding_again", folds_again);
  out.end_object();
  if (!ready) response.headers.push_back({"Retry-After", "1"});
  return response;
}

Response status_page(const runtime::Runtime& runtime, const clock::ClockKeeper& clock, const std::string& owner,
                     const peers::Peers* peers) {
  Response response{.status = 200, .content_type = "application/json"};
  Json out(response.body);
  out.begin_object()
      .member("partitions", runtime.partitions())
      .member("rules_known", events::kRulesNewest)
      .member("caught_up", runtime.caught_up())
      .name("clock")
      .json(clock_json(clock));
  add_shards(out, "shards", runtime.status(), clock.last_tick(), owner, [](const ShardStatus&) { return true; });
  out.name("peers").begin_array();
  for (const auto& [shard, url] : peers == nullptr ? std::map<runtime::ShardName, std::string>() : peers->owners()) {
    if (!runtime.owner_of(shard)) continue;
    out.begin_object()
        .member("machine", machine::machine_name(shard.first))
        .member("shard", shard.second)
        .member("owner", url)
        .end_object();
  }
  out.end_array().end_object();
  return response;
}

}  // namespace granary::operate
