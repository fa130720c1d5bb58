#include "shared/operate/health.h"

#include <algorithm>

#include "shared/events/rules.h"
#include "shared/json/writer.h"

namespace granary::operate {
namespace {

using http::Response;
using runtime::ShardStatus;

void append_text(std::string& out, std::string_view name, std::string_view value) {
  if (out.back() != '{') out += ',';
  out += '"';
  out += name;
  out += "\":";
  json::append_json_string(out, value);
}

void append_number(std::string& out, std::string_view name, std::uint64_t value) {
  if (out.back() != '{') out += ',';
  out += '"';
  out += name;
  out += "\":" + std::to_string(value);
}

void append_time(std::string& out, std::string_view name, units::Instant at) {
  if (at != units::Instant()) append_text(out, name, units::format_time(at));
}

std::string shard_json(const ShardStatus& shard, units::Instant newest_tick, const std::string& owner) {
  std::string out = "{";
  append_text(out, "machine", machine::machine_name(shard.machine));
  append_number(out, "shard", shard.shard);
  if (!owner.empty()) append_text(out, "owner", owner);
  append_number(out, "position", shard.position);
  append_number(out, "end", shard.end);
  append_number(out, "lag_records", lag_records(shard));
  if (const auto lag = lag_ms(shard, newest_tick))
    append_number(out, "lag_seconds", static_cast<std::uint64_t>(*lag / units::kSecondMs));
  append_time(out, "now", shard.now);
  append_time(out, "complete", shard.complete);
  append_number(out, "events", shard.events);
  append_number(out, "commits", shard.commits);
  append_number(out, "repeats_dropped", shard.repeats_dropped);
  append_number(out, "repeats", shard.repeats);
  append_number(out, "lane_alarms", shard.lane_alarms);
  append_number(out, "refusals", shard.refusals);
  append_number(out, "outbox_bytes", shard.outbox_bytes);
  append_number(out, "outbox_packets", shard.outbox_packets);
  for (const machine::Figure& figure : shard.figures) append_number(out, figure.name, figure.value);
  append_number(out, "rules", shard.rules);
  if (!shard.parked.empty()) append_text(out, "parked", shard.parked);
  if (shard.folding_again) {
    out += ",\"folding_again\":{";
    append_number(out, "until", shard.folding_again->until);
    out += std::string(",\"old_state_answers\":") + (shard.folding_again->old_answers ? "true" : "false") + '}';
  }
  return out + '}';
}

template <class Keep>
std::string shards_json(const std::vector<ShardStatus>& shards, units::Instant newest_tick, const std::string& owner,
                        Keep keep) {
  std::string out = "[";
  for (const ShardStatus& shard : shards)
    if (keep(shard)) out += (out.size() > 1 ? "," : "") + shard_json(shard, newest_tick, owner);
  return out + ']';
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
  std::string out = "{";
  const auto step = clock.pending_step();
  append_text(out, "state", step ? "needs_confirmation" : clock.runs() ? "running" : "comparing");
  append_text(out, "now", units::format_time(clock.now()));
  append_time(out, "last_tick", clock.last_tick());
  append_number(out, "failed_ticks", clock.failed_ticks());
  if (step) {
    out += ",\"step\":{";
    append_text(out, "from", units::format_time(step->from));
    append_text(out, "to", units::format_time(step->to));
    out += '}';
    append_text(out, "hint", "if this machine's clock is right, say `granary clock confirm`; else set it and restart");
  }
  return out + '}';
}

Response readiness(const runtime::Runtime& runtime, const clock::ClockKeeper& clock) {
  // In this order, so that what is said to be ready lists every shard that was parked on the way.
  const bool serves = runtime.serves();
  const bool caught_up = runtime.caught_up();
  const auto shards = runtime.status();
  const bool ready = serves && clock.runs();
  const auto is_behind = [](const ShardStatus& shard) { return shard.parked.empty() && shard.position < shard.end; };
  Response response{.status = ready ? 200 : 503, .content_type = "application/json"};
  response.body = std::string("{\"ready\":") + (ready ? "true" : "false") +
                  ",\"caught_up\":" + (caught_up ? "true" : "false") + ",\"clock\":" + clock_json(clock);
  if (!caught_up) response.body += ",\"behind\":" + shards_json(shards, clock.last_tick(), "", is_behind);
  response.body += ",\"parked\":" + shards_json(shards, clock.last_tick(), "",
                                                [](const ShardStatus& shard) { return !shard.parked.empty(); });
  const auto folds_again = [](const ShardStatus& shard) { return shard.folding_again.has_value(); };
  if (std::any_of(shards.begin(), shards.end(), folds_again))
    response.body += ",\"folding_again\":" + shards_json(shards, clock.last_tick(), "", folds_again);
  response.body += '}';
  if (!ready) response.headers.push_back({"Retry-After", "1"});
  return response;
}

Response status_page(const runtime::Runtime& runtime, const clock::ClockKeeper& clock, const std::string& owner,
                     const peers::Peers* peers) {
  Response response{.status = 200, .content_type = "application/json"};
  response.body = "{\"partitions\":" + std::to_string(runtime.partitions()) +
                  ",\"rules_known\":" + std::to_string(events::kRulesNewest) +
                  ",\"caught_up\":" + (runtime.caught_up() ? "true" : "false") + ",\"clock\":" + clock_json(clock) +
                  ",\"shards\":" +
                  shards_json(runtime.status(), clock.last_tick(), owner, [](const ShardStatus&) { return true; }) +
                  ",\"peers\":[";
  bool first = true;
  for (const auto& [shard, url] : peers == nullptr ? std::map<runtime::ShardName, std::string>() : peers->owners()) {
    if (!runtime.owner_of(shard)) continue;
    response.body += first ? "{" : ",{";
    first = false;
    append_text(response.body, "machine", machine::machine_name(shard.first));
    append_number(response.body, "shard", shard.second);
    append_text(response.body, "owner", url);
    response.body += '}';
  }
  response.body += "]}";
  return response;
}

}  // namespace granary::operate
