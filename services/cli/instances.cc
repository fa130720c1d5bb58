#include "services/cli/instances.h"

#include <set>

#include "services/cli/api.h"

namespace granary::cli {
namespace {

bool is_list(const json::Value* value) {
  return value != nullptr && value->is(json::Kind::array);
}

Instance ask(const std::string& url) {
  auto api = Api::connect(url);
  auto answer = api.ok() ? api->get("/v1/status") : Result<json::Value>(api.error());
  if (!answer.ok()) return {url, {}, url + " does not answer: " + answer.error().message};
  if (!is_list(answer->find("shards"))) return {url, {}, url + " does not answer"};
  return {url, std::move(*answer), {}};
}

}  // namespace

Result<std::vector<Instance>> all_instances(const std::string& url) {
  auto api = Api::connect(url);
  auto answer = api.ok() ? api->get("/v1/status") : Result<json::Value>(api.error());
  if (!answer.ok()) return answer.error();
  const json::Value* clock = answer->find("clock");
  if (clock == nullptr || !clock->is(json::Kind::object) || !is_list(answer->find("shards")))
    return Error{ErrorCode::invalid_input, url + " does not answer as a Granary server; hint: --url names it"};
  std::vector<Instance> instances;
  instances.push_back({url, std::move(*answer), {}});
  const json::Value* const peers = instances.front().status.find("peers");
  if (!is_list(peers)) return instances;
  std::set<std::string> urls;
  for (const json::Value& peer : peers->items()) urls.insert(text_of(peer, "owner"));
  for (const std::string& peer : urls) instances.push_back(ask(peer));
  return instances;
}

}  // namespace granary::cli
