// What the ledger's sources tell of earlier imports: a file that is read again in another way would count twice. One
// thread.
//
// A file of another scheduler's log has a source of its own, named by its hash and options. Slurm's jobs have their
// cluster's source, whatever file tells them, so that the way a cluster's local times were read stands in a source
// beside it, which holds no usage: "urn:granary:import:zone:CLUSTER:ZONE".
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "services/standalone/api.h"
#include "services/standalone/import/options.h"

namespace granary::standalone {

struct EarlierImports {
  std::string other_options;  // a source of the same file under other options; empty: none
  // Zones in which local times of the file's clusters were read, by cluster.
  std::map<std::string, std::set<std::string>> zones;
};

Result<EarlierImports> earlier_imports(Api& api, const import::Options& options, const std::set<std::string>& clusters);

// The event by which the ledger remembers the zone.
std::string zone_event(const std::string& cluster, const std::string& zone);

}  // namespace granary::standalone
