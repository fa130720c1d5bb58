#include "services/cli/instances.h"

#include <fmt/format.h>

#include <set>

#include "services/cli/api.h"

namespace granary::cli {
namespace {

Result<json::Value> ask(const std::string& url) {
  auto api = Api::connect(url);
  if (!api.ok()) return api.error();
  auto status = api->get("/v1/status");
  if (!status.ok()) return status.error();
  if (const auto clock = member_of(*status, "clock", json::Kind::object); !clock.ok()) return clock.error();
  if (const auto shards = objects_of(*status, "shards"); !shards.ok()) return shards.error();
  return status;
}

Instance instance_at(const std::string& url) {
  auto status = ask(url);
  if (!status.ok()) return {url, {}, fmt::format("{} does not answer: {}", url, status.error().message)};
  return {url, std::move(*status), {}};
}

}  // namespace

Result<std::vector<Instance>> all_instances(const std::string& url) {
  auto status = ask(url);
  if (!status.ok()) return status.error();
  std::vector<Instance> instances;
  instances.push_back({url, std::move(*status), {}});
  const json::Value& first = instances.front().status;
  if (first.find("peers") == nullptr) return instances;
  const auto peers = objects_of(first, "peers");
  if (!peers.ok()) return peers.error();
  std::set<std::string> urls;
  for (const json::Value& peer : **peers) {
    const auto owner = member_of(peer, "owner", json::Kind::string);
    if (!owner.ok()) return owner.error();
    urls.insert((*owner)->string());
  }
  for (const std::string& peer : urls) instances.push_back(instance_at(peer));
  return instances;
}

const std::vector<json::Value>& shards_of(const Instance& instance) {
  return instance.status.find("shards")->items();
}

}  // namespace granary::cli
