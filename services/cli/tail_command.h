// `granary tail`: what the outward streams tell, one event a line, in the order of each partition; out of Kafka itself
// or through a running server.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "services/cli/commands.h"

namespace granary::cli {

struct TailArguments {
  std::string stream;  // billing, notices or rejected
  std::string from = "BEGINNING";
  std::optional<std::uint16_t> partition;  // not set: all
  bool follow = false;
  std::string brokers;  // empty: the server
  std::vector<std::string> kafka;
  std::string kafka_file;
};

// 0 done, 2 usage, 3 cannot read. With `follow` it ends only by a signal or where nothing can be read any more.
int tail(const ClientOptions& client, const TailArguments& arguments);

}  // namespace granary::cli
