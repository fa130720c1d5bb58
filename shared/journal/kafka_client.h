// What the parts of the Kafka door share: handles of librdkafka, its settings, its errors as ours. Inside
// shared/journal only. Threads: a handle may be used from any; the functions are pure.
#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "shared/base/result.h"
#include "shared/journal/journal.h"
#include "shared/journal/kafka_journal.h"

namespace granary::journal {

template <auto destroy>
struct KafkaDestroy {
  template <class T>
  void operator()(T* handle) const {
    destroy(handle);
  }
};
// Closes without leaving a group, which would wait for its coordinator: Granary is a member of no group.
inline void destroy_handle(rd_kafka_t* handle) {
  rd_kafka_destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}
using KafkaHandle = std::unique_ptr<rd_kafka_t, KafkaDestroy<destroy_handle>>;
using KafkaTopic = std::unique_ptr<rd_kafka_topic_t, KafkaDestroy<rd_kafka_topic_destroy>>;
using KafkaQueue = std::unique_ptr<rd_kafka_queue_t, KafkaDestroy<rd_kafka_queue_destroy>>;
using KafkaConf = std::unique_ptr<rd_kafka_conf_t, KafkaDestroy<rd_kafka_conf_destroy>>;
using KafkaMessage = std::unique_ptr<rd_kafka_message_t, KafkaDestroy<rd_kafka_message_destroy>>;
using KafkaPartitions =
    std::unique_ptr<rd_kafka_topic_partition_list_t, KafkaDestroy<rd_kafka_topic_partition_list_destroy>>;

// The settings of `options` and then `fixed`, which a user may not change. Errors: invalid_input (an unknown key or a
// wrong value, or a key of `fixed`, or of the other kind's, that a user has set).
Result<KafkaConf> kafka_conf(const KafkaOptions& options,
                             const std::vector<std::pair<std::string, std::string>>& fixed);
// Takes the configuration. Errors: invalid_input, io_error.
Result<KafkaHandle> kafka_open(rd_kafka_type_t type, KafkaConf conf);

// The error of a call about `where`: unavailable if trying again can help, corrupt or not_found if the log does not
// exist or is another one.
Error kafka_error(rd_kafka_resp_err_t code, const std::string& where, const std::string& what);

std::string name_of(const Partition& partition);

}  // namespace granary::journal
