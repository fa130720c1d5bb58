// The servers of a ledger: the one that is asked, and those that own the shards which it does not. One thread.
#pragma once

#include <string>
#include <vector>

#include "shared/base/result.h"
#include "shared/json/strict_json.h"

namespace granary::cli {

struct Instance {
  std::string url;
  json::Value status;   // GET /v1/status; its `clock` is an object, its `shards` a list of objects
  std::string trouble;  // it does not answer, and why; then there is no status
};

// The shards of an instance that answered.
const std::vector<json::Value>& shards_of(const Instance& instance);

// The server of `url` first. An error: it does not answer, or not as a Granary server does.
Result<std::vector<Instance>> all_instances(const std::string& url);

}  // namespace granary::cli
