// What each implementation of the log refuses, in the same words. Inside shared/journal only. Pure functions, any
// thread.
#pragma once

#include "shared/journal/journal.h"

namespace granary::journal {

// A name and at least one partition, or invalid_input.
Result<void> check_topic(const TopicInfo& topic);
// `topic` is asked for, and there is one of its name with `partitions`: conflict if the numbers differ.
Result<void> check_same_topic(const TopicInfo& topic, std::size_t partitions);
// At least one record and none too large, or invalid_input. Returns the bytes of all values.
Result<std::size_t> check_records(const std::vector<Record>& records);

Error unknown_topic(const Partition& partition);
Error unknown_partition(const Partition& partition, std::size_t partitions);
Error read_beyond_end(const Partition& partition, Offset from, Offset end);

}  // namespace granary::journal
