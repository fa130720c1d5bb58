// What the ledger's sources tell of earlier imports: a file that is read again in another way would count twice. One
// thread.
//
// A file of another scheduler's log has a source of its own, named by its hash and options. Slurm's jobs have their
// cluster's source, whatever file tells them, so that how a cluster was read is remembered in sources that hold no
// usage: "urn:granary:import:zone:CLUSTER:ZONE", in which zone its local times were read, and
// "urn:granary:import:cluster:CLUSTER:NAME", under which name (--cluster) its jobs were taken.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "services/cli/api.h"
#include "services/import/options.h"

namespace granary::cli {

// A cluster as the file names it (empty: it does not), and the name under which its jobs are taken.
using ClusterNames = std::pair<std::string, std::string>;

class EarlierImports {
 public:
  // `has_local_times`: whether the zone matters. Errors: the server's.
  static Result<EarlierImports> ask(Api& api, const import::Options& options, const std::set<ClusterNames>& clusters,
                                    bool has_local_times);

  // Why the file would count twice; nullopt: as far as it is known, it would not. `is_same_in` says whether the file
  // comes to the same instants in another zone.
  [[nodiscard]] Result<std::optional<std::string>> refusal(
      const std::function<Result<bool>(const std::string& zone)>& is_same_in);

  // The events that have the ledger remember how the file is read now, after refusal(); empty: it knows.
  [[nodiscard]] const std::vector<std::string>& to_remember() const { return to_remember_; }

 private:
  EarlierImports(const import::Options& options, const std::set<ClusterNames>& clusters, bool has_local_times)
      : options_(&options), clusters_(clusters), has_local_times_(has_local_times) {}
  void take(const json::Value& source_row);
  void forget_what_took_nothing();
  [[nodiscard]] std::optional<std::string> other_name(const ClusterNames& cluster);

  const import::Options* options_;
  std::set<ClusterNames> clusters_;
  bool has_local_times_;
  std::string other_options_;                             // a source of the same file under other options
  std::map<std::string, std::set<std::string>> zones_;    // by the name under which the cluster's jobs are taken
  std::map<std::string, std::set<std::string>> aliases_;  // by the name in the file
  std::set<std::string> with_usage_;                      // sources
  std::vector<std::string> to_remember_;
};

}  // namespace granary::cli
