#include "shared/service/server.h"

#include <fmt/format.h>

#include <unistd.h>

#include <atomic>
#include <charconv>
#include <filesystem>
#include <set>

#include "shared/base/check.h"
#include "shared/base/version.h"
#include "shared/entry/event_door.h"
#include "shared/http/listener.h"
#include "shared/journal/embedded_journal.h"
#include "shared/ledger/ledger.h"
#include "shared/operate/routes.h"
#include "shared/peers/peers.h"
#include "shared/peers/remote_shards.h"
#include "shared/peers/routes_elsewhere.h"
#include "shared/service/descriptors.h"
#include "shared/service/kafka_options.h"
#include "shared/service/stop_signal.h"
#include "shared/store/rocks_states.h"
#include "shared/telemetry/log.h"

namespace granary::service {
namespace {

using machine::MachineKind;
using telemetry::Level;

// The embedded log stops before the stores have to: what is acknowledged can still be folded while the door answers
// 507, and all goes on by itself once there is room. Of the rows that stores have in memory each may still become a
// file.
constexpr std::uint64_t kJournalReserveBytes = 256ULL << 20;
static_assert(kJournalReserveBytes > store::RocksOptions{}.reserve_bytes + store::RocksOptions{}.write_buffer_bytes);

// How long a stop waits for requests, and then for appends whose log does not answer.
constexpr auto kRequestGrace = std::chrono::seconds(4);
constexpr auto kAppendGrace = std::chrono::seconds(2);

// Reads of the log for GET /v1/streams and /v1/rejected. Over Kafka one may take seconds: two threads keep a slow one
// from holding up all others, and what waits behind them is told to come again.
constexpr std::size_t kLogReaders = 2;
constexpr std::size_t kLogReadsMax = 64;
constexpr std::size_t kFollowersMax = 256;  // as many as may follow: each has one look under way

// Long answers of other processes, of which lists over all shards are put together. They wait for nothing, so that one
// thread does.
constexpr std::size_t kAnswerReaders = 1;
constexpr std::size_t kAnswerReadsMax = 64;

int cannot_start(const Error& error) {
  telemetry::log(Level::error, "cannot_start", "The server cannot start",
                 {{"cause", error.message}, {"code", error_code_name(error.code)}});
  return 3;
}

telemetry::Format log_format(const std::string& chosen) {
  if (chosen.empty()) return isatty(STDERR_FILENO) == 1 ? telemetry::Format::text : telemetry::Format::json;
  return chosen == "text" ? telemetry::Format::text : telemetry::Format::json;
}

struct Address {
  std::string host;
  std::uint16_t port = 0;
  [[nodiscard]] std::string url_host() const { return host.find(':') == std::string::npos ? host : '[' + host + ']'; }
};

Result<Address> parse_listen(const std::string& text) {
  const auto colon = text.rfind(':');
  Address address;
  const Error wrong{ErrorCode::invalid_input,
                    fmt::format("--listen: expected ADDRESS:PORT, got \"{}\"; hint: 127.0.0.1:8080, port 0 takes a "
                                "free one, the largest is 65535",
                                text)};
  if (colon == std::string::npos || colon + 1 == text.size()) return wrong;
  const char* end = text.data() + text.size();
  const auto port = std::from_chars(text.data() + colon + 1, end, address.port);
  if (port.ec != std::errc() || port.ptr != end) return wrong;
  address.host = text.substr(0, colon);
  if (address.host.starts_with('[') && address.host.ends_with(']'))
    address.host = address.host.substr(1, address.host.size() - 2);
  GRANARY_TRY(http::Listener::check_address(address.host));
  return address;
}

struct OpenLedger {
  std::unique_ptr<journal::Journal> journal;
  runtime::Ledger ledger;
};

Result<OpenLedger> open_embedded(const ServerOptions& options) {
  journal::EmbeddedOptions embedded;
  embedded.reserve_bytes = kJournalReserveBytes;
  auto journal = journal::open_embedded_journal(options.data + "/journal", embedded);
  if (!journal.ok()) return journal.error();
  const auto ledger = runtime::open_ledger(**journal, {options.partitions}, *options.clock);
  if (!ledger.ok()) return ledger.error();
  return OpenLedger{std::move(*journal), *ledger};
}

Result<OpenLedger> open_kafka(const ServerOptions& options, Creates creates) {
  const auto kafka = kafka_options(options);
  if (!kafka.ok()) return kafka.error();
  auto journal = journal::open_kafka_journal(*kafka);
  if (!journal.ok()) return journal.error();
  auto ledger = creates == Creates::yes ? runtime::open_ledger(**journal, {options.partitions}, *options.clock)
                                        : runtime::read_ledger(**journal);
  if (!ledger.ok() && ledger.error().code == ErrorCode::not_found)
    return Error{ErrorCode::not_found,
                 fmt::format("expected a ledger at {}, found none; hint: granary topics --create --brokers {}",
                             options.brokers, options.brokers)};
  if (!ledger.ok()) return ledger.error();
  if (options.partitions && *options.partitions != ledger->partitions)
    return Error{ErrorCode::conflict, fmt::format("this ledger has {} partitions, not {}; hint: leave --partitions out",
                                                  ledger->partitions, *options.partitions)};
  GRANARY_TRY(check_topics(*kafka, **journal, *ledger));
  return OpenLedger{std::move(*journal), *ledger};
}

Result<std::set<runtime::ShardName>> owned_shards(const ServerOptions& options, const std::vector<Hosted>& hosted,
                                                  std::uint16_t partitions) {
  std::set<runtime::ShardName> owned;
  for (const Hosted& one : hosted) {
    const std::uint16_t count = machine::shards_of(one.machine, partitions);
    const auto shards = peers::parse_shards(options.shards, count);
    if (!shards.ok()) return Error{ErrorCode::invalid_input, "--shards: " + shards.error().message};
    for (const std::uint16_t shard : *shards) owned.insert({one.machine, shard});
  }
  return owned;
}

}  // namespace

std::string state_directory(const std::string& data, MachineKind machine, std::uint16_t shard) {
  return store::RocksStates::state_path(data + "/state", runtime::name_of({machine, shard}));
}

int run_server(const ServerOptions& options, const std::vector<Hosted>& hosted, Creates creates) {
  telemetry::start(log_format(options.log));
  const auto address = parse_listen(options.listen);
  if (!address.ok()) {
    cannot_start(address.error());
    return 2;
  }
  const auto list = options.peers.empty() ? Result<std::string>("") : peers::Peers::read_text(options.peers);
  if (!list.ok()) return cannot_start(list.error());
  StopSignal stop;
  std::error_code failed;
  std::filesystem::create_directories(options.data + "/state", failed);
  if (failed)
    return cannot_start({ErrorCode::io_error, fmt::format("expected to make the directory {}/state, got: {}; hint: "
                                                          "--data names a directory that this user may write to",
                                                          options.data, failed.message())});
  auto opened = options.brokers.empty() ? open_embedded(options) : open_kafka(options, creates);
  if (!opened.ok()) return cannot_start(opened.error());
  auto& [journal, ledger] = *opened;

  auto owned = owned_shards(options, hosted, ledger.partitions);
  if (!owned.ok()) return cannot_start(owned.error());
  auto peers = options.peers.empty() ? Result<peers::Peers>(peers::Peers())
                                     : peers::Peers::parse(*list, options.peers, ledger.partitions);
  if (!peers.ok()) return cannot_start(peers.error());

  const auto descriptors = take_descriptors(owned->size(), http::Limits{}.connections);
  if (!descriptors.ok()) return cannot_start(descriptors.error());

  // Other processes and the time. They are made before whatever is called back by them or asks through them, and
  // stopped before all of that.
  http::Loop loop;
  peers::Forwarder forwarder(loop);
  http::WorkPool answer_readers(kAnswerReaders, kAnswerReadsMax);
  peers::RemoteShards remote_shards(*peers, forwarder);

  store::RocksOptions rocks;
  rocks.descriptors_per_store = descriptors->per_store;
  store::RocksEnvironment environment{rocks};
  store::RocksStates states(environment, options.data + "/state");
  const auto make_machine = [&hosted](MachineKind machine, std::uint16_t) -> std::unique_ptr<machine::Machine> {
    for (const Hosted& one : hosted)
      if (one.machine == machine) return one.make();
    return nullptr;
  };
  runtime::Options running;
  running.owned = std::move(*owned);
  running.elsewhere = &remote_shards;
  if (options.checkpoint_records) running.checkpoint_records = *options.checkpoint_records;
  auto runtime = runtime::start_runtime(*journal, running, make_machine, states, options.data + "/state",
                                        [&stop](const Error& error) { stop.fail(error); });
  if (!runtime.ok()) return cannot_start(runtime.error());
  clock::ClockOptions ticking;
  ticking.other_doors = options.brokers.empty() ? clock::OtherDoors::none : clock::OtherDoors::may_tick;
  auto clock = clock::ClockKeeper::start(*journal, **runtime, *options.clock, ticking);
  if (!clock.ok()) return cannot_start(clock.error());

  entry::EventDoor door(*journal, **runtime, loop, **clock);
  std::atomic<const http::ListenerMetrics*> metrics = nullptr;
  std::atomic<std::uint16_t> port = 0;
  const auto url = [&] { return fmt::format("http://{}:{}", address->url_host(), port.load()); };
  // As the others call this process, if it is in the list.
  const std::string listed = running.owned->empty() ? "" : peers->owner_of(*running.owned->begin());
  const auto owner = [&] { return listed.empty() ? url() : listed; };
  http::WorkPool log_readers(kLogReaders, kLogReadsMax);
  http::WorkPool followers(1, kFollowersMax);
  std::set<MachineKind> here;
  routes::Table of_services;
  for (const Hosted& one : hosted) {
    const routes::Table table = one.routes({**runtime, forwarder, answer_readers});
    of_services.insert(of_services.end(), table.begin(), table.end());
    here.insert(one.machine);
  }
  const operate::Doors doors{*journal,  **runtime, forwarder, log_readers,
                             followers, door,      **clock,   [&metrics] { return metrics.load(); },
                             owner,     &*peers};
  http::Router router;
  routes::add_to(router, operate::routes(doors, of_services));
  routes::add_to(router, of_services);
  if (here.size() < machine::kMachines.size())
    router.set_fallback(
        peers::RoutesElsewhere::handler(std::make_shared<peers::RoutesElsewhere>(*peers, here, forwarder)));
  http::ListenerOptions listen;
  listen.address = address->host;
  listen.port = address->port;
  listen.limits.connections = descriptors->connections;
  // Those that stream leave some for probes and for what is answered at once.
  listen.limits.streams = std::min(listen.limits.streams, descriptors->connections / 2);
  auto listener = http::Listener::start(listen, [&router](http::Request request, http::Responder responder) {
    router.serve(std::move(request), std::move(responder));
  });
  if (!listener.ok()) return cannot_start(listener.error());
  metrics = &(*listener)->metrics();
  port = (*listener)->port();
  telemetry::log(Level::info, "started", "The server serves, listening on " + url(),
                 {{"url", url()},
                  {"ledger", to_hex(view_of(ledger.id))},
                  {"partitions", ledger.partitions},
                  {"shards", (*runtime)->status().size()},
                  {"open_files_max", descriptors->limit},
                  {"connections_max", descriptors->connections},
                  {"brokers", options.brokers},
                  {"data", options.data},
                  {"version", kVersion}});

  const auto failure = stop.wait();
  if (failure) {
    telemetry::log(Level::error, "stopping", "The log or a store failed for good; the server stops",
                   {{"cause", failure->message}, {"code", error_code_name(failure->code)}});
    door.fail(*failure);
  } else {
    telemetry::log(Level::info, "stopping", "The server was asked to stop");
  }
  journal->stop_waiting();
  (*listener)->stop(kRequestGrace);
  log_readers.stop();
  followers.stop();
  answer_readers.stop();
  forwarder.stop();
  loop.stop();
  journal->finish_appends(kAppendGrace);
  door.close();
  (*clock)->stop();
  (*runtime)->stop();
  journal.reset();
  telemetry::log(Level::info, "stopped", "The server has stopped");
  return failure ? 1 : 0;
}

}  // namespace granary::service
