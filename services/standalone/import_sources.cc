#include "services/standalone/import_sources.h"

#include "services/standalone/import_events.h"
#include "shared/http/uri.h"

namespace granary::standalone {
namespace {

std::string zone_prefix(const std::string& cluster) {
  return "urn:granary:import:zone:" + http::percent_encode(cluster) + ":";
}

}  // namespace

Result<EarlierImports> earlier_imports(Api& api, const import::Options& options,
                                       const std::set<std::string>& clusters) {
  EarlierImports found;
  const std::string prefix = import::source_prefix(options);
  const std::string own_source = import::source_of(options, "");
  const auto listed = api.each_row("/v1/sources", [&](const json::Value& row) {
    const std::string source = text_of(row, "source");
    if (!prefix.empty() && source.starts_with(prefix) && source != own_source && !source.ends_with(":award") &&
        text_of(row, "metered") != "0")
      found.other_options = source;
    for (const std::string& cluster : clusters) {
      const std::string zones = zone_prefix(cluster);
      if (source.starts_with(zones)) found.zones[cluster].insert(source.substr(zones.size()));
    }
  });
  if (!listed.ok()) return listed.error();
  return found;
}

std::string zone_event(const std::string& cluster, const std::string& zone) {
  return stated_event(zone_prefix(cluster) + zone, "zone", units::kInstantMin, 0);
}

}  // namespace granary::standalone
