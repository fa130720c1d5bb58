// Runs a Granary process: opens the log, starts the machines that it hosts, keeps the clock, opens the door, and stops
// in order when it is asked to. What `granary serve` and the four services share.
//
// Threads: run_server blocks the one that calls it until SIGTERM or SIGINT; call it once a process, before other
// threads are started.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "shared/ask/reach.h"
#include "shared/base/clock.h"
#include "shared/machine/machine.h"
#include "shared/routes/route.h"
#include "shared/runtime/runtime.h"
#include "shared/service/kafka_options.h"

namespace granary::service {

// A machine that the process can run, and its questions over HTTP.
struct Hosted {
  machine::MachineKind machine{};
  std::function<std::unique_ptr<machine::Machine>()> make;
  std::function<routes::Table(const ask::Reach&)> routes;
};

// Without brokers: the embedded journal below `data`, which one process has for itself.
struct ServerOptions : KafkaArguments {
  std::string data = "granary-data";
  std::string listen = "127.0.0.1:8080";
  // Of a new ledger.
  std::optional<std::uint16_t> partitions;
  // Which shards of the hosted machines are this process's: "all" or "0-3,7".
  std::string shards = "all";
  // Records of an inbox between two checkpoints of it; not set: runtime::Options'.
  std::optional<std::size_t> checkpoint_records;
  // The list of who owns which shards (shared/peers/peers.h); empty: nobody else is known.
  std::string peers;
  // What time it is; outlives the server. A test may step it.
  const Clock* clock = &system_clock();
  // Log lines on stderr: "json" or "text"; empty: text if that is a terminal.
  std::string log;
};

// Whether the process may make the ledger (topics, genesis) if there is none.
enum class Creates { yes, no };

// The exit code: 0 stopped as asked, 1 stopped because the log or a store failed, 2 usage, 3 cannot start.
int run_server(const ServerOptions& options, const std::vector<Hosted>& hosted, Creates creates);

// Below a data directory: where the state of a shard lies.
std::string state_directory(const std::string& data, machine::MachineKind machine, std::uint16_t shard);

}  // namespace granary::service
