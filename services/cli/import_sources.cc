#include "services/cli/import_sources.h"

#include <fmt/format.h>

#include "services/import/cloud_event.h"
#include "shared/http/uri.h"

namespace granary::cli {
namespace {

std::string memory_of(const char* what, const std::string& cluster) {
  return fmt::format("urn:granary:import:{}:{}:", what, http::percent_encode(cluster));
}

std::string remembering(const std::string& source) {
  return import::stated_event(source, "read", units::kInstantMin, 0);
}

// Takes what follows `prefix`, if it does.
void take_rest(const std::string& source, const std::string& prefix, std::set<std::string>& rests) {
  if (!source.starts_with(prefix)) return;
  if (auto rest = http::percent_decode(source.substr(prefix.size()))) rests.insert(std::move(*rest));
}

}  // namespace

Result<EarlierImports> EarlierImports::ask(Api& api, const import::Options& options,
                                           const std::set<ClusterNames>& clusters, bool has_local_times) {
  EarlierImports earlier(options, clusters, has_local_times);
  const auto listed = api.each_row("/v1/sources", [&earlier](const json::Value& row) { earlier.take(row); });
  if (!listed.ok()) return listed.error();
  earlier.forget_what_took_nothing();
  return earlier;
}

void EarlierImports::take(const json::Value& source_row) {
  const std::string source = text_of(source_row, "source");
  // What waits for its project or account counts once it is bound.
  const bool has_usage = text_of(source_row, "metered") != "0" || text_of(source_row, "pending") != "0";
  const std::string prefix = import::source_prefix(*options_);
  if (!prefix.empty() && source.starts_with(prefix) && source != import::source_of(*options_, "") &&
      !source.ends_with(":award") && has_usage)
    other_options_ = source;
  if (has_usage) with_usage_.insert(source);
  for (const auto& [recorded, name] : clusters_) {
    take_rest(source, memory_of("zone", name), zones_[name]);
    if (recorded.empty()) continue;
    take_rest(source, memory_of("cluster", recorded), aliases_[recorded]);
    if (has_usage && source == import::source_of(*options_, recorded)) aliases_[recorded].insert(recorded);
  }
}

// How a cluster was read counts for nothing if nothing of it was taken.
void EarlierImports::forget_what_took_nothing() {
  const auto has_usage = [this](const std::string& name) {
    return with_usage_.contains(import::source_of(*options_, name));
  };
  std::erase_if(zones_, [&](const auto& zones) { return !has_usage(zones.first); });
  for (auto& [recorded, names] : aliases_)
    std::erase_if(names, [&](const std::string& name) { return !has_usage(name); });
}

std::optional<std::string> EarlierImports::other_name(const ClusterNames& cluster) {
  const auto& [recorded, name] = cluster;
  if (recorded.empty() || aliases_[recorded].contains(name)) return std::nullopt;
  if (name != recorded)
    to_remember_.push_back(remembering(memory_of("cluster", recorded) + http::percent_encode(name)));
  if (aliases_[recorded].empty()) return std::nullopt;
  const std::string& other = *aliases_[recorded].begin();
  return fmt::format(
      "the jobs of cluster {} were imported as those of {} before; as those of {} they would count twice; hint: {}, or "
      "--again if they are another cluster's",
      recorded, other, name, other == recorded ? "leave --cluster out" : "say --cluster " + other);
}

Result<std::optional<std::string>> EarlierImports::refusal(
    const std::function<Result<bool>(const std::string& zone)>& is_same_in) {
  std::optional<std::string> refused;
  if (!other_options_.empty())
    refused = fmt::format(
        "this file was imported under other options ({}); under these it would count twice; hint: repeat the options, "
        "or say --again",
        other_options_);
  for (const ClusterNames& cluster : clusters_) {
    if (auto other = other_name(cluster)) refused = std::move(other);
    if (!has_local_times_) continue;
    const std::string& name = cluster.second;
    std::string other_zone;
    bool is_known = zones_[name].contains(options_->time_zone);
    for (const std::string& zone : zones_[name]) {
      if (is_known) break;
      const auto is_same = is_same_in(zone);
      if (!is_same.ok()) return is_same.error();
      is_known = *is_same;
      if (!is_known) other_zone = zone;
    }
    if (is_known) continue;
    to_remember_.push_back(remembering(memory_of("zone", name) + http::percent_encode(options_->time_zone)));
    if (!other_zone.empty())
      refused = fmt::format(
          "local times of cluster {0} were imported in the zone {1} before; in {2} its jobs would be other ones and "
          "count twice; hint: --time-zone {1} if that was right, or --again if the zone is another one",
          name, other_zone, options_->time_zone);
  }
  return refused;
}

}  // namespace granary::cli
