// An outward stream as `granary tail` reads it: out of Kafka itself, or through a running server. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "shared/base/result.h"
#include "shared/service/kafka_options.h"

namespace granary::cli {

class OutwardStream {
 public:
  virtual ~OutwardStream() = default;
  virtual Result<std::uint16_t> partitions() = 0;
  // Appends the events of a partition from `from` on, as CloudEvents in JSON; answers where to ask next.
  virtual Result<std::string> read(std::uint16_t partition, const std::string& from,
                                   std::vector<std::string>& events) = 0;
};

// `name`: billing, notices or rejected. Without brokers it is read from the server at `url`. Errors: invalid_input,
// those of Kafka.
Result<std::unique_ptr<OutwardStream>> open_stream(const std::string& name, const std::string& url,
                                                   const service::KafkaArguments& kafka);

}  // namespace granary::cli
