#include "shared/journal/kafka_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <vector>

#include "shared/base/probe.h"
#include "shared/journal/append_rules.h"

namespace granary::journal {
namespace {

using SteadyClock = std::chrono::steady_clock;

// How long a read waits for a record that is known to be stored: a leader that moves takes some seconds.
constexpr auto kReadPatience = std::chrono::seconds(15);
constexpr int kSliceMs = 50;            // between two looks whether the process stops
constexpr std::size_t kAheadMax = 512;  // messages that one call takes from the client's queue
// A question for an end, and one try of it.
constexpr auto kAnswerWithin = std::chrono::seconds(10);
constexpr int kAnswerStepMs = 2'000;
// The times that ListOffsets takes for the two ends (Kafka's protocol guide, API key 2).
constexpr std::int64_t kLatest = -1;
constexpr std::int64_t kEarliest = -2;
constexpr int kFetchMs = 60'000;  // librdkafka's own

bool is_passing(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR__TIMED_OUT || code == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION ||
         code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
}

void fill_record(const rd_kafka_message_t& message, Record& record) {
  const auto bytes = [](const void* data, std::size_t size) {
    return data == nullptr ? BytesView() : BytesView(static_cast<const char*>(data), size);
  };
  record.value = bytes(message.payload, message.len);
  record.key = bytes(message.key, message.key_len);
  record.headers.clear();
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i)
    record.headers.add(name, bytes(value, size));
}

}  // namespace

// One place in a partition, and what the client has read ahead from there.
struct KafkaReaders::ReadAhead {
  std::size_t client = 0;
  KafkaTopic topic;
  KafkaQueue queue;
  bool running = false;
  bool heard = false;  // something came since the last move: the end that the client knows is fresh
  Offset next = 0;
  Bytes last;             // value of the record before `next`
  bool has_last = false;  // whether one was read
  std::uint64_t disturbances = 0;
  std::uint64_t used = 0;
  std::vector<KafkaMessage> ahead;  // taken from the queue
  std::size_t at = 0;               // the first of them that is not read
};

struct KafkaReaders::PartitionReads {
  KafkaReaders* owner = nullptr;
  Partition partition;
  std::mutex mutex;  // one read at a time
  std::array<ReadAhead, 2> readers;
  std::uint64_t uses = 0;
  std::atomic<Offset> known_end = 0;
};

KafkaReaders::KafkaReaders(KafkaOptions options, Grown grown)
    : options_(std::move(options)), grown_(std::move(grown)) {}

KafkaReaders::~KafkaReaders() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
  for (const auto& [partition, reads] : reads_)
    for (ReadAhead& reader : reads->readers) {
      stop(*reads, reader);
      reader.topic.reset();
    }
}

Result<KafkaHandle> KafkaReaders::open_client(int socket_timeout_ms) {
  auto conf = kafka_conf(options_, {{"bootstrap.servers", options_.brokers},
                                    // No group.id: positions are the state's. A client with a group does not end
                                    // before its coordinator has answered, which may be away (see kafka_notes.h).
                                    {"enable.auto.commit", "false"},
                                    {"enable.auto.offset.store", "false"},
                                    {"auto.offset.reset", "error"},
                                    {"check.crcs", "true"},
                                    {"enable.partition.eof", "true"},
                                    {"isolation.level", "read_uncommitted"},
                                    {"allow.auto.create.topics", "false"},
                                    // Read ahead a little: 2 readers a partition, hundreds of partitions.
                                    {"queued.max.messages.kbytes", "4096"},
                                    {"fetch.error.backoff.ms", "50"},
                                    // A reader that moves waits until the present fetch is over.
                                    {"fetch.wait.max.ms", "50"},
                                    {"socket.timeout.ms", std::to_string(socket_timeout_ms)},
                                    {"socket.nagle.disable", "true"},
                                    {"reconnect.backoff.max.ms", "1000"}});
  if (!conf.ok()) return conf.error();
  rd_kafka_conf_set_opaque(conf->get(), this);
  rd_kafka_conf_set_error_cb(conf->get(), &KafkaReaders::heard);
  return kafka_open(RD_KAFKA_CONSUMER, std::move(*conf));
}

Result<void> KafkaReaders::start() {
  // A question to a broker that hangs waits for the socket's timeout, whatever timeout the call has. The threads that
  // ask have others to answer, or have to end.
  for (const auto& [client, timeout_ms] :
       {std::pair{&clients_[0], kFetchMs}, std::pair{&clients_[1], kFetchMs}, std::pair{&asking_, kAnswerStepMs}}) {
    auto opened = open_client(timeout_ms);
    if (!opened.ok()) return opened.error();
    *client = std::move(*opened);
  }
  thread_ = std::thread([this] {
    while (!stopping_)
      for (const KafkaHandle* client : {&clients_[0], &clients_[1], &asking_})
        rd_kafka_poll(client->get(), kSliceMs / 3);
  });
  return {};
}

void KafkaReaders::heard(rd_kafka_t*, int code, const char*, void* opaque) {
  auto* self = static_cast<KafkaReaders*>(opaque);
  if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) self->all_down_ = true;
  ++self->disturbances_;
}

// A queue that was empty holds something.
void KafkaReaders::filled(rd_kafka_t*, void* reads) {
  const auto* grown = static_cast<PartitionReads*>(reads);
  grown->owner->grown_(grown->partition);
}

KafkaReaders::PartitionReads& KafkaReaders::reads_of(const Partition& partition) {
  const std::lock_guard lock(mutex_);
  auto& reads = reads_[partition];
  if (!reads) {
    reads = std::make_unique<PartitionReads>();
    reads->owner = this;
    reads->partition = partition;
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      reads->readers[i].client = i;
      reads->readers[i].topic.reset(rd_kafka_topic_new(clients_[i].get(), partition.topic.c_str(), nullptr));
    }
  }
  return *reads;
}

void KafkaReaders::know_end(const Partition& partition, Offset end) {
  PartitionReads& reads = reads_of(partition);
  for (Offset known = reads.known_end; known < end;)
    if (reads.known_end.compare_exchange_weak(known, end)) break;
}

// Not rd_kafka_query_watermark_offsets: in librdkafka 2.0.2 it does not return while a broker refuses connections,
// whatever timeout it has.
rd_kafka_resp_err_t KafkaReaders::offset_at(const Partition& partition, std::int64_t time, std::int64_t& offset) {
  const KafkaPartitions asked(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_t* one =
      rd_kafka_topic_partition_list_add(asked.get(), partition.topic.c_str(), partition.number);
  one->offset = time;
  const auto code = rd_kafka_offsets_for_times(asking(), asked.get(), kAnswerStepMs);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return code;
  offset = one->offset;
  return one->err;
}

Result<Offset> KafkaReaders::end(const Partition& partition) {
  const Offset known = reads_of(partition).known_end;  // before the question: it may grow meanwhile
  std::int64_t low = 0;
  std::int64_t high = 0;
  auto code = RD_KAFKA_RESP_ERR__TIMED_OUT;
  const auto deadline = SteadyClock::now() + kAnswerWithin;
  // A broker that has just come back is not the leader at once. Each timeout is of one step; a stop is seen between
  // two.
  for (bool first = true; is_passing(code) && SteadyClock::now() < deadline; first = false) {
    if (hurried_ && (silent_ || !first)) break;
    if (!first && code != RD_KAFKA_RESP_ERR__TIMED_OUT) rd_kafka_poll(asking(), kSliceMs);
    code = offset_at(partition, kLatest, high);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) code = offset_at(partition, kEarliest, low);
  }
  silent_ = is_passing(code);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return kafka_error(code, name_of(partition), "find the end of");
  if (low > 0)
    return Error{ErrorCode::corrupt,
                 fmt::format("expected {} to begin at record 0, but it begins at {}; hint: records were deleted "
                             "(retention?): restore the topic, and run `granary topics --check`",
                             name_of(partition), low)};
  all_down_ = false;
  const auto end = static_cast<Offset>(high);
  if (end < known)
    return Error{ErrorCode::corrupt, fmt::format("expected {} to hold at least {} records, but it holds {}; hint: the "
                                                 "topic was cut or made anew: do not go on, restore it",
                                                 name_of(partition), known, end)};
  know_end(partition, end);
  return end;
}

void KafkaReaders::stop(const PartitionReads& reads, ReadAhead& reader) {
  if (!reader.running) return;
  rd_kafka_queue_cb_event_enable(reader.queue.get(), nullptr, nullptr);
  rd_kafka_consume_stop(reader.topic.get(), reads.partition.number);
  reader.ahead.clear();
  reader.at = 0;
  reader.queue.reset();
  reader.running = false;
}

Result<void> KafkaReaders::move(PartitionReads& reads, ReadAhead& reader, Offset to) {
  stop(reads, reader);
  reader.queue.reset(rd_kafka_queue_new(clients_[reader.client].get()));
  reader.next = to;
  reader.heard = false;
  reader.disturbances = disturbances_;
  if (rd_kafka_consume_start_queue(reader.topic.get(), reads.partition.number, static_cast<std::int64_t>(to),
                                   reader.queue.get()) != 0)
    return kafka_error(rd_kafka_last_error(), name_of(reads.partition), "read from");
  reader.running = true;
  rd_kafka_queue_cb_event_enable(reader.queue.get(), &KafkaReaders::filled, &reads);
  return {};
}

Offset KafkaReaders::end_seen(const PartitionReads& reads, const ReadAhead& reader) const {
  std::int64_t low = 0;
  std::int64_t high = 0;
  // What the last fetched answer said; no question to the broker.
  rd_kafka_get_watermark_offsets(clients_[reader.client].get(), reads.partition.topic.c_str(), reads.partition.number,
                                 &low, &high);
  return std::max<Offset>(static_cast<Offset>(std::max<std::int64_t>(high, 0)), reads.known_end);
}

Error KafkaReaders::trouble(PartitionReads& reads, ReadAhead& reader, rd_kafka_resp_err_t code) {
  ++disturbances_;
  Error error = kafka_error(code, name_of(reads.partition), "read from");
  stop(reads, reader);
  if (error.code != ErrorCode::corrupt) return error;
  // Outside the partition: the caller may have asked for too much, or the partition was cut.
  const auto now = end(reads.partition);
  if (!now.ok()) return now.error();
  return reader.next > *now ? read_beyond_end(reads.partition, reader.next, *now) : error;
}

Result<const rd_kafka_message_t*> KafkaReaders::peek(PartitionReads& reads, ReadAhead& reader) {
  const auto deadline = SteadyClock::now() + kReadPatience;
  while (true) {
    if (reader.at == reader.ahead.size()) {
      reader.ahead.clear();
      reader.at = 0;
      const bool at_end = reader.heard && end_seen(reads, reader) <= reader.next;
      KafkaMessage first(rd_kafka_consume_queue(reader.queue.get(), at_end ? 0 : kSliceMs));
      if (!first) {
        if (at_end) return nullptr;
        if (!all_down_ && !hurried_ && SteadyClock::now() < deadline) continue;
        return Error{ErrorCode::unavailable,
                     fmt::format("expected record {} of {}, but no broker answers; hint: check that the brokers run",
                                 reader.next, name_of(reads.partition))};
      }
      reader.ahead.push_back(std::move(first));
      // With a timeout this call waits for the whole batch; with 0 it takes only what is already there.
      std::array<rd_kafka_message_t*, kAheadMax> more{};
      const auto count = rd_kafka_consume_batch_queue(reader.queue.get(), 0, more.data(), more.size());
      for (ssize_t i = 0; i < count; ++i) reader.ahead.emplace_back(more[static_cast<std::size_t>(i)]);
    }
    const rd_kafka_message_t& message = *reader.ahead[reader.at];
    if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      reader.heard = true;
      all_down_ = false;
      ++reader.at;
      continue;
    }
    if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) return trouble(reads, reader, message.err);
    reader.heard = true;
    all_down_ = false;
    const auto offset = static_cast<Offset>(message.offset);
    if (offset == reader.next) return &message;
    if (offset > reader.next)
      return Error{ErrorCode::corrupt,
                   fmt::format("expected record {} of {}, the next one there is {}; hint: offsets have a hole "
                               "(compaction, a transaction?): restore the topic, and run `granary topics --check`",
                               reader.next, name_of(reads.partition), offset)};
    ++reader.at;
  }
}

Result<void> KafkaReaders::check_last(PartitionReads& reads, ReadAhead& reader) {
  const std::uint64_t disturbances = disturbances_;
  if (reader.running && reader.disturbances == disturbances) return {};
  const Offset next = reader.next;
  if (!reader.has_last) {
    if (!reader.running) return move(reads, reader, next);
    reader.disturbances = disturbances;
    return {};
  }
  GRANARY_PROBE("the last record is read again after a disturbance");
  GRANARY_TRY(move(reads, reader, next - 1));
  const auto message = peek(reads, reader);
  Record record;
  if (message.ok() && *message != nullptr) fill_record(**message, record);
  const bool same = message.ok() && *message != nullptr && record.value == reader.last;
  if (same) {
    ++reader.at;
    reader.next = next;
    reader.disturbances = disturbances;
    return {};
  }
  stop(reads, reader);  // so that the next read checks again
  reader.next = next;
  if (!message.ok() && message.error().can_retry()) return message.error();
  GRANARY_PROBE("the last record that was read is another one now, or gone");
  return Error{ErrorCode::corrupt, fmt::format("expected record {} of {} to be the one that was read, but it is {}; "
                                               "hint: the topic was cut or made anew: do not go on, restore it",
                                               next - 1, name_of(reads.partition),
                                               message.ok() && *message != nullptr ? "another" : "gone")};
}

Result<void> KafkaReaders::read(const Partition& partition, Offset from, std::size_t bytes_max, ReadBatch& batch) {
  PartitionReads& reads = reads_of(partition);
  const std::lock_guard lock(reads.mutex);
  ReadAhead* reader = nullptr;
  for (ReadAhead& one : reads.readers)
    if (one.used > 0 && one.next == from) reader = &one;
  if (reader == nullptr) {
    reader = reads.readers[0].used <= reads.readers[1].used ? &reads.readers[0] : &reads.readers[1];
    reader->has_last = false;
    GRANARY_TRY(move(reads, *reader, from));
  }
  reader->used = ++reads.uses;
  GRANARY_TRY(check_last(reads, *reader));
  batch.first = from;
  std::size_t count = 0;
  for (std::size_t bytes = 0;; ++count) {
    // Only the first is worth waiting for.
    if (count > 0 && reader->at == reader->ahead.size() && rd_kafka_queue_length(reader->queue.get()) == 0) break;
    const auto message = peek(reads, *reader);
    if (!message.ok() && count == 0) return message.error();
    if (!message.ok() || *message == nullptr) break;  // an error comes again with the next read
    if (count > 0 && bytes + (*message)->len > bytes_max) break;
    bytes += (*message)->len;
    if (count == batch.records.size()) batch.records.emplace_back();
    fill_record(**message, batch.records[count]);
    ++reader->at;
    ++reader->next;
  }
  batch.records.resize(count);
  if (count > 0) {
    reader->last = batch.records.back().value;
    reader->has_last = true;
    know_end(partition, reader->next);
  } else if (from > end_seen(reads, *reader)) {
    const auto now = end(partition);
    if (!now.ok()) return now.error();
    if (from > *now) return read_beyond_end(partition, from, *now);
  }
  batch.end = std::max(end_seen(reads, *reader), reader->next);
  return {};
}

}  // namespace granary::journal
