#include "shared/door/health.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "shared/json/writer.h"

namespace granary::door {
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

std::string shard_json(const ShardStatus& shard) {
  std::string out = "{";
  append_text(out, "machine", machine::machine_name(shard.machine));
  append_number(out, "shard", shard.shard);
  append_number(out, "position", shard.position);
  append_number(out, "end", shard.end);
  append_time(out, "now", shard.now);
  append_time(out, "complete", shard.complete);
  append_number(out, "events", shard.events);
  append_number(out, "commits", shard.commits);
  append_number(out, "repeats_dropped", shard.repeats_dropped);
  append_number(out, "lane_alarms", shard.lane_alarms);
  append_number(out, "refusals", shard.refusals);
  append_number(out, "outbox_bytes", shard.outbox_bytes);
  if (!shard.parked.empty()) append_text(out, "parked", shard.parked);
  return out + '}';
}

template <class Keep>
std::string shards_json(const std::vector<ShardStatus>& shards, Keep keep) {
  std::string out = "[";
  for (const ShardStatus& shard : shards)
    if (keep(shard)) out += (out.size() > 1 ? "," : "") + shard_json(shard);
  return out + ']';
}

// A fresh registry for each scrape: the figures live where they arise.
class Figures {
 public:
  using Labels = prometheus::Labels;
  void gauge(const std::string& name, const std::string& help, const Labels& labels, double value) {
    prometheus::BuildGauge().Name(name).Help(help).Register(registry_).Add(labels).Set(value);
  }
  void counter(const std::string& name, const std::string& help, const Labels& labels, double value) {
    prometheus::BuildCounter().Name(name).Help(help).Register(registry_).Add(labels).Increment(value);
  }
  [[nodiscard]] std::string text() const { return prometheus::TextSerializer().Serialize(registry_.Collect()); }

 private:
  prometheus::Registry registry_{prometheus::Registry::InsertBehavior::Merge};
};

void add_shard(Figures& figures, const ShardStatus& shard) {
  const Figures::Labels labels{{"machine", std::string(machine::machine_name(shard.machine))},
                               {"shard", std::to_string(shard.shard)}};
  const auto number = [](std::uint64_t value) { return static_cast<double>(value); };
  figures.gauge("granary_shard_lag_records", "Records of the inbox that are not folded yet", labels,
                number(shard.end - std::min(shard.end, shard.position)));
  figures.gauge("granary_shard_now_seconds", "The largest tick folded, as Unix time", labels,
                static_cast<double>(shard.now.ms()) / 1000);
  figures.gauge("granary_shard_complete_seconds", "How far nothing more is in flight inside, as Unix time", labels,
                static_cast<double>(shard.complete.ms()) / 1000);
  figures.gauge("granary_shard_outbox_bytes", "Output that its targets have not acknowledged", labels,
                number(shard.outbox_bytes));
  figures.gauge("granary_shard_parked", "1 where the shard met a record that it cannot fold", labels,
                shard.parked.empty() ? 0 : 1);
  figures.counter("granary_shard_events_total", "Events folded", labels, number(shard.events));
  figures.counter("granary_shard_commits_total", "Commits of state", labels, number(shard.commits));
  figures.counter("granary_shard_repeats_dropped_total", "Events of lanes that came again and were dropped", labels,
                  number(shard.repeats_dropped));
  figures.counter("granary_shard_lane_alarms_total", "Packets dropped because they did not fit their lane", labels,
                  number(shard.lane_alarms));
  figures.counter("granary_shard_refusals_total", "Records that the rules refused", labels, number(shard.refusals));
}

void add_listener(Figures& figures, const http::ListenerMetrics& listener) {
  for (std::size_t kind = 1; kind < listener.answers_by_class.size(); ++kind)
    figures.counter("granary_http_answers_total", "Answers by class of status",
                    {{"class", std::to_string(kind) + "xx"}},
                    static_cast<double>(listener.answers_by_class[kind].load()));
  figures.counter("granary_http_requests_refused_total", "Requests refused by framing, a limit or the authenticator",
                  {}, static_cast<double>(listener.requests_refused.load()));
  figures.gauge("granary_http_requests_in_flight", "Requests without an answer yet", {},
                static_cast<double>(listener.requests_in_flight.load()));
  figures.counter("granary_http_connections_accepted_total", "Connections accepted", {},
                  static_cast<double>(listener.connections_accepted.load()));
  figures.counter("granary_http_connections_refused_total", "Connections over the limit", {},
                  static_cast<double>(listener.connections_refused.load()));
  figures.gauge("granary_http_connections_open", "Connections open now", {},
                static_cast<double>(listener.connections_open.load()));
  figures.counter("granary_http_body_bytes_read_total", "Bytes of request bodies", {},
                  static_cast<double>(listener.body_bytes_read.load()));
}

}  // namespace

std::string clock_json(const ClockKeeper& clock) {
  std::string out = "{";
  const auto step = clock.pending_step();
  append_text(out, "state", step ? "needs_confirmation" : "running");
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

Response readiness(const runtime::Runtime& runtime, const ClockKeeper& clock) {
  // In this order, so that what is said to be ready lists every shard that was parked on the way.
  const bool caught_up = runtime.caught_up();
  const auto shards = runtime.status();
  const bool ready = caught_up && !clock.needs_confirmation();
  const auto is_behind = [](const ShardStatus& shard) { return shard.parked.empty() && shard.position < shard.end; };
  Response response{.status = ready ? 200 : 503, .content_type = "application/json"};
  response.body = std::string("{\"ready\":") + (ready ? "true" : "false") +
                  ",\"caught_up\":" + (caught_up ? "true" : "false") + ",\"clock\":" + clock_json(clock);
  if (!caught_up) response.body += ",\"behind\":" + shards_json(shards, is_behind);
  response.body += ",\"parked\":" + shards_json(shards, [](const ShardStatus& shard) { return !shard.parked.empty(); });
  response.body += '}';
  if (!ready) response.headers.push_back({"Retry-After", "1"});
  return response;
}

Response status_page(const runtime::Runtime& runtime, const ClockKeeper& clock) {
  Response response{.status = 200, .content_type = "application/json"};
  response.body = "{\"partitions\":" + std::to_string(runtime.partitions()) +
                  ",\"caught_up\":" + (runtime.caught_up() ? "true" : "false") + ",\"clock\":" + clock_json(clock) +
                  ",\"shards\":" + shards_json(runtime.status(), [](const ShardStatus&) { return true; }) + '}';
  return response;
}

Response metrics_page(const runtime::Runtime& runtime, const ClockKeeper& clock, const EventDoor& events,
                      const http::ListenerMetrics* listener) {
  Figures figures;
  for (const ShardStatus& shard : runtime.status()) add_shard(figures, shard);
  figures.gauge("granary_ready", "1 once caught up and the clock runs", {},
                runtime.caught_up() && !clock.needs_confirmation() ? 1 : 0);
  figures.gauge("granary_clock_needs_confirmation", "1 while nothing is appended until a person confirms the clock", {},
                clock.needs_confirmation() ? 1 : 0);
  figures.counter("granary_clock_failed_ticks_total", "Ticks whose append failed", {},
                  static_cast<double>(clock.failed_ticks()));
  const EventDoorCounters door = events.counters();
  figures.counter("granary_door_requests_total", "Requests that posted events", {}, static_cast<double>(door.requests));
  figures.counter("granary_door_events_accepted_total", "Events appended", {}, static_cast<double>(door.accepted));
  figures.counter("granary_door_events_failed_total", "Events whose append failed", {},
                  static_cast<double>(door.failed));
  for (const auto& [reason, count] : door.refused)
    figures.counter("granary_door_events_refused_total", "Events refused at the door, by reason", {{"reason", reason}},
                    static_cast<double>(count));
  for (const auto& [type, count] : door.requests_refused)
    figures.counter("granary_door_requests_refused_total", "Requests refused as a whole, by the problem's type",
                    {{"type", type}}, static_cast<double>(count));
  if (listener != nullptr) add_listener(figures, *listener);
  return {.status = 200, .content_type = "text/plain; version=0.0.4; charset=utf-8", .body = figures.text()};
}

}  // namespace granary::door
