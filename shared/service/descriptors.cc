#include "shared/service/descriptors.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>

namespace granary::service {

Result<Descriptors> share_out(std::uint64_t limit, std::size_t shards, std::size_t connections_max) {
  const std::uint64_t stores = shards * kStoresOfShard;
  const std::uint64_t reserved = kDescriptorsOfProcess + stores * kDescriptorsOfStore;
  const std::uint64_t wanted = reserved + kConnectionsMin;
  if (limit < wanted)
    return Error{
        ErrorCode::invalid_input,
        fmt::format("expected at least {} open files for the log, {} shards and {} connections, got a limit of "
                    "{}; hint: ulimit -n {}, LimitNOFILE in a systemd unit, or fewer shards in this process",
                    wanted, shards, kConnectionsMin, limit, wanted)};
  Descriptors shared;
  shared.limit = limit;
  shared.reserved = reserved;
  shared.connections = static_cast<std::size_t>(std::min<std::uint64_t>(limit - reserved, connections_max));
  const std::uint64_t left = limit - kDescriptorsOfProcess - shared.connections;
  const std::uint64_t per_store = stores == 0 ? kDescriptorsOfStoreMany : left / stores;
  shared.per_store = per_store >= kDescriptorsOfStoreMany ? 0 : per_store;
  return shared;
}

Result<Descriptors> take_descriptors(std::size_t shards, std::size_t connections_max) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) limit = {1024, 1024};
  const rlim_t soft = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = soft;
  return share_out(limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : limit.rlim_cur, shards, connections_max);
}

}  // namespace granary::service
