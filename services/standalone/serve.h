// `granary serve`: the four services in one process over the embedded journal. Blocks until SIGTERM or SIGINT.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace granary::standalone {

struct ServeOptions {
  std::string data = "granary-data";
  std::string listen = "127.0.0.1:8080";
  std::optional<std::uint16_t> partitions;
};

// The exit code: 0 stopped as asked, 1 stopped because the log or a store failed, 2 usage, 3 cannot start.
int serve(const ServeOptions& options);

}  // namespace granary::standalone
