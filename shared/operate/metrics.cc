#include "shared/operate/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "shared/operate/health.h"

namespace granary::operate {
namespace {

using machine::MachineKind;
using runtime::ShardStatus;
using telemetry::Histogram;

double number(std::uint64_t value) {
  return static_cast<double>(value);
}

double unix_seconds(units::Instant at) {
  return static_cast<double>(at.ms()) / units::kSecondMs;
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
  void histogram(const std::string& name, const std::string& help, const Labels& labels, const Histogram& value) {
    const std::vector<double> bounds(value.bounds().begin(), value.bounds().end());
    prometheus::BuildHistogram()
        .Name(name)
        .Help(help)
        .Register(registry_)
        .Add(labels, bounds)
        .ObserveMultiple({value.counts().begin(), value.counts().end()}, value.sum());
  }
  [[nodiscard]] std::string text() const { return prometheus::TextSerializer().Serialize(registry_.Collect()); }

 private:
  prometheus::Registry registry_{prometheus::Registry::InsertBehavior::Merge};
};

void add_shard(Figures& figures, const ShardStatus& shard, units::Instant newest_tick) {
  const Figures::Labels labels{{"machine", std::string(machine::machine_name(shard.machine))},
                               {"shard", std::to_string(shard.shard)}};
  figures.gauge("granary_shard_lag_records", "Records of the inbox that are not folded yet", labels,
                number(lag_records(shard)));
  if (const auto lag = lag_ms(shard, newest_tick))
    figures.gauge("granary_shard_lag_seconds",
                  "Behind in the ledger's time: the door's newest tick minus the shard's now, 0 where all is folded; "
                  "missing until the shard has folded a tick",
                  labels, static_cast<double>(*lag) / units::kSecondMs);
  figures.gauge("granary_shard_now_seconds", "The largest tick folded, as Unix time", labels, unix_seconds(shard.now));
  figures.gauge("granary_shard_complete_seconds", "How far nothing more is in flight inside, as Unix time", labels,
                unix_seconds(shard.complete));
  figures.gauge("granary_shard_outbox_bytes", "Output that its targets have not acknowledged", labels,
                number(shard.outbox_bytes));
  figures.gauge("granary_shard_outbox_packets", "Packets of output that its targets have not acknowledged", labels,
                number(shard.outbox_packets));
  figures.gauge("granary_shard_parked", "1 where the shard met a record that it cannot fold", labels,
                shard.parked.empty() ? 0 : 1);
  figures.gauge(
      "granary_shard_folding_again",
      "1 while the shard folds again what the state of another build held; that one answers questions, or none", labels,
      shard.folding_again ? 1 : 0);
  for (const machine::Figure& figure : shard.figures)
    figures.gauge("granary_" + std::string(figure.metric), std::string(figure.help), labels, number(figure.value));
  figures.counter("granary_shard_events_total", "Events folded", labels, number(shard.events));
  figures.counter("granary_shard_apply_seconds_total", "Time spent in folding, without reading and committing", labels,
                  shard.apply_seconds);
  figures.counter("granary_shard_commits_total", "Commits of state", labels, number(shard.commits));
  figures.counter("granary_shard_commit_seconds_total", "Time spent in commits of state", labels,
                  shard.commit_seconds.sum());
  figures.counter("granary_shard_repeats_dropped_total", "Events of lanes that came again and were dropped", labels,
                  number(shard.repeats_dropped));
  figures.counter("granary_shard_repeats_total", "Posted events that came again and changed nothing", labels,
                  number(shard.repeats));
  figures.counter("granary_shard_lane_alarms_total", "Packets dropped because they did not fit their lane", labels,
                  number(shard.lane_alarms));
  figures.counter("granary_shard_refusals_total", "Records that the rules refused", labels, number(shard.refusals));
}

// What would be too many series by shard: over this server's shards of a machine.
void add_machine(Figures& figures, MachineKind kind, const std::vector<ShardStatus>& shards) {
  const std::string name(machine::machine_name(kind));
  Histogram commit_seconds(telemetry::kSecondsBounds);
  Histogram commit_events(telemetry::kEventsBounds);
  std::map<std::string_view, std::uint64_t> refusals{{"conflicting_duplicate", 0}, {"malformed", 0}};
  for (const ShardStatus& shard : shards) {
    if (shard.machine != kind) continue;
    commit_seconds.add(shard.commit_seconds);
    commit_events.add(shard.commit_events);
    for (const auto& [reason, count] : shard.refusals_by_name) refusals[reason] += count;
  }
  figures.histogram("granary_commit_seconds", "Duration of commits of state", {{"machine", name}}, commit_seconds);
  figures.histogram("granary_commit_events", "Events in a commit of state; 0: ticks alone", {{"machine", name}},
                    commit_events);
  for (const auto& [reason, count] : refusals)
    figures.counter("granary_refusals_total", "Records that the rules refused, by the rule's name",
                    {{"machine", name}, {"reason", std::string(reason)}}, number(count));
  figures.counter("granary_identity_conflicts_total",
                  "Events that bore the identity of another and differed from it (conflicting_duplicate)",
                  {{"machine", name}}, number(refusals.at("conflicting_duplicate")));
}

void add_clock(Figures& figures, const clock::ClockKeeper& clock) {
  figures.gauge("granary_clock_needs_confirmation", "1 while nothing is appended until a person confirms the clock", {},
                clock.needs_confirmation() ? 1 : 0);
  figures.gauge("granary_clock_now_seconds", "The door's clock, as Unix time", {}, unix_seconds(clock.now()));
  figures.gauge("granary_clock_last_tick_seconds", "The newest tick that the door knows of, as Unix time", {},
                unix_seconds(clock.last_tick()));
  figures.counter("granary_clock_failed_ticks_total", "Ticks whose append failed", {}, number(clock.failed_ticks()));
}

void add_door(Figures& figures, const entry::EventDoorCounters& door) {
  figures.counter("granary_door_requests_total", "Requests that posted events", {}, number(door.requests));
  figures.counter("granary_door_events_accepted_total", "Events appended", {}, number(door.accepted));
  figures.counter("granary_door_events_failed_total", "Events whose append failed", {}, number(door.failed));
  for (const auto& [reason, count] : door.refused)
    figures.counter("granary_door_events_refused_total", "Events refused at the door, by reason", {{"reason", reason}},
                    number(count));
  for (const auto& [type, count] : door.requests_refused)
    figures.counter("granary_door_requests_refused_total", "Requests refused as a whole, by the problem's type",
                    {{"type", type}}, number(count));
  figures.gauge("granary_door_appends_in_flight", "Appends that the journal has not answered yet", {},
                number(door.appends_in_flight));
  figures.histogram("granary_door_append_seconds", "From handing an append to the journal until its answer", {},
                    door.append_seconds);
  const std::string name = "granary_door_request_seconds";
  const std::string help =
      "From receiving a request that posts events until its answer; waits_for=fold: it asked for a wait (Prefer: wait, "
      "?after=), which is in it";
  figures.histogram(name, help, {{"waits_for", "append"}}, door.durable_seconds);
  figures.histogram(name, help, {{"waits_for", "fold"}}, door.folded_seconds);
}

void add_listener(Figures& figures, const http::ListenerMetrics& listener) {
  for (std::size_t kind = 1; kind < listener.answers_by_class.size(); ++kind)
    figures.counter("granary_http_answers_total", "Answers by class of status",
                    {{"class", std::to_string(kind) + "xx"}}, number(listener.answers_by_class[kind].load()));
  figures.counter("granary_http_requests_refused_total", "Requests refused by framing, a limit or the authenticator",
                  {}, number(listener.requests_refused.load()));
  figures.gauge("granary_http_requests_in_flight", "Requests without an answer yet", {},
                static_cast<double>(listener.requests_in_flight.load()));
  figures.counter("granary_http_connections_accepted_total", "Connections accepted", {},
                  number(listener.connections_accepted.load()));
  figures.counter("granary_http_connections_refused_total", "Connections over the limit", {},
                  number(listener.connections_refused.load()));
  figures.gauge("granary_http_connections_open", "Connections open now", {},
                static_cast<double>(listener.connections_open.load()));
  figures.gauge("granary_http_streams_open", "Answers that stream now", {},
                static_cast<double>(listener.streams_open.load()));
  figures.counter("granary_http_body_bytes_read_total", "Bytes of request bodies", {},
                  number(listener.body_bytes_read.load()));
}

}  // namespace

http::Response metrics_page(const runtime::Runtime& runtime, const clock::ClockKeeper& clock,
                            const entry::EventDoor& events, const http::ListenerMetrics* listener) {
  Figures figures;
  const auto shards = runtime.status();
  for (const ShardStatus& shard : shards) add_shard(figures, shard, clock.last_tick());
  for (const MachineKind kind : machine::kMachines) add_machine(figures, kind, shards);
  figures.gauge("granary_ready", "1 once every shard serves and the clock runs", {},
                runtime.serves() && clock.runs() ? 1 : 0);
  add_clock(figures, clock);
  add_door(figures, events.counters());
  if (listener != nullptr) add_listener(figures, *listener);
  return {.status = 200, .content_type = "text/plain; version=0.0.4; charset=utf-8", .body = figures.text()};
}

}  // namespace granary::operate
