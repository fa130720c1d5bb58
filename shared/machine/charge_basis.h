// What a charge depends on of a usage, in 32 bytes that stand for it: who pays (project, or cluster and account), the
// resources in any order, start and end. Two reports of one job are the same usage if these are equal, whatever else
// they say (state, partition, QOS, job, reservations).
//
// Threads: an object belongs to its machine's thread; it holds only memory that is reused.
#pragma once

#include <vector>

#include "shared/base/bytes.h"
#include "shared/events/usage.h"

namespace granary::machine {

// Where two reports of one job differ first, in this order.
enum class BasisDifference : std::uint8_t { none, payer, start, end, resources };

class ChargeBasis {
 public:
  // Layout: 8 bytes of the SHA-256 over the parts project, cluster, account; start and end as i64 milliseconds; 8 bytes
  // of the SHA-256 over the resources, each with what it comes to over the interval, so that 2 GPUs for an hour and
  // 7,200,000,000 resource-us are the same.
  [[nodiscard]] Hash32 of(const events::UsageReported& usage);

  static BasisDifference compare(const Hash32& one, const Hash32& other);

 private:
  void append(const events::ResourceUsed& used, std::int64_t duration_ms);

  std::vector<const events::ResourceUsed*> ordered_;
  Bytes scratch_;
};

}  // namespace granary::machine
