#include "shared/journal/kafka_writer.h"

#include <fmt/format.h>

#include "shared/base/check.h"
#include "shared/base/crash_point.h"
#include "shared/base/probe.h"

namespace granary::journal {
namespace {

Error finished_error(const Partition& partition) {
  return {
      ErrorCode::unavailable,
      fmt::format(
          "expected to append to {}, but this process is stopping; hint: send it again; it may or may not be stored",
          name_of(partition))};
}

}  // namespace

KafkaWriter::KafkaWriter(KafkaOptions options, Grown grown) : options_(std::move(options)), grown_(std::move(grown)) {}

KafkaWriter::~KafkaWriter() {
  finish(std::chrono::milliseconds(0));
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

Result<KafkaHandle> KafkaWriter::open_producer() {
  auto conf =
      kafka_conf(options_, {{"bootstrap.servers", options_.brokers},
                            {"acks", "all"},
                            {"enable.idempotence", "true"},
                            // A message that is given up ends the producer, so that 1 and 3 are never stored without 2.
                            {"enable.gapless.guarantee", "true"},
                            // Nothing is given up while a broker is away: the outbox above is bounded.
                            {"message.timeout.ms", "0"},
                            {"allow.auto.create.topics", "false"},
                            // Bounded here, by bytes, for a whole append at once.
                            {"queue.buffering.max.messages", "2147483647"},
                            {"queue.buffering.max.kbytes", "2147483647"},
                            {"linger.ms", "1"},
                            {"socket.nagle.disable", "true"},
                            {"reconnect.backoff.max.ms", "1000"}});
  if (!conf.ok()) return conf.error();
  rd_kafka_conf_set_dr_msg_cb(conf->get(), &KafkaWriter::delivered);
  rd_kafka_conf_set_opaque(conf->get(), this);
  return kafka_open(RD_KAFKA_PRODUCER, std::move(*conf));
}

Result<void> KafkaWriter::start() {
  auto producer = open_producer();
  if (!producer.ok()) return producer.error();
  producer_ = std::move(*producer);
  thread_ = std::thread([this] { run(); });
  return {};
}

rd_kafka_topic_t* KafkaWriter::topic(const std::string& name) {
  KafkaTopic& handle = topics_[name];
  if (!handle) handle.reset(rd_kafka_topic_new(producer_.get(), name.c_str(), nullptr));
  return handle.get();
}

void KafkaWriter::append(const Partition& partition, std::vector<Record> records, std::size_t bytes,
                         Journal::AppendDone done) {
  auto waiting = std::make_unique<Waiting>();
  waiting->partition = partition;
  waiting->bytes = bytes;
  waiting->offsets.reserve(records.size());
  waiting->done = std::move(done);
  {
    const std::lock_guard lock(mutex_);
    if (finished_) {
      waiting->error = finished_error(partition);
    } else if (broken_) {
      GRANARY_PROBE("an append comes while its producer is replaced");
      waiting->error =
          Error{ErrorCode::unavailable,
                fmt::format("expected to append to {}, but an append before has failed and its producer is being "
                            "replaced; hint: read the partition to see which records arrived, then append again",
                            name_of(partition))};
    } else if (bytes_ + bytes > options_.queue_bytes_max && appends_ > 0) {
      waiting->error =
          Error{ErrorCode::unavailable, fmt::format("expected the brokers to take what waits, but {} bytes wait "
                                                    "already; hint: check the brokers, then append again",
                                                    bytes_)};
    } else {
      crash_point("journal.before_write");
      waiting = produce(std::move(waiting), records);
    }
  }
  if (waiting) waiting->done(std::move(*waiting->error));
}

std::unique_ptr<KafkaWriter::Waiting> KafkaWriter::produce(std::unique_ptr<Waiting> waiting,
                                                           const std::vector<Record>& records) {
  rd_kafka_topic_t* where = topic(waiting->partition.topic);
  std::size_t sent = 0;
  for (const Record& record : records) {
    rd_kafka_headers_t* headers = nullptr;
    if (!record.headers.empty()) {
      headers = rd_kafka_headers_new(record.headers.size());
      for (const auto& [name, value] : record.headers)
        rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                            static_cast<ssize_t>(value.size()));
    }
    // The client copies the value; its signature has no const.
    const auto code =
        rd_kafka_producev(producer_.get(), RD_KAFKA_V_RKT(where), RD_KAFKA_V_PARTITION(waiting->partition.number),
                          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                          RD_KAFKA_V_VALUE(const_cast<char*>(record.value.data()), record.value.size()),
                          RD_KAFKA_V_KEY(record.key.empty() ? nullptr : record.key.data(), record.key.size()),
                          RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(waiting.get()), RD_KAFKA_V_END);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      // The producer is finished: what is left of the append will never be reported.
      if (headers != nullptr) rd_kafka_headers_destroy(headers);
      broken_ = true;
      waiting->error = kafka_error(code, name_of(waiting->partition), "append to");
      break;
    }
    ++sent;
  }
  if (sent == 0) return waiting;
  waiting->left = sent;
  ++appends_;
  bytes_ += waiting->bytes;
  (void)waiting.release();  // the delivery reports' from here on; they wait for mutex_
  return nullptr;
}

void KafkaWriter::delivered(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
  static_cast<KafkaWriter*>(opaque)->answered(*message);
}

// On the writer's thread, within its poll.
void KafkaWriter::answered(const rd_kafka_message_t& message) {
  auto* waiting = static_cast<Waiting*>(message._private);
  bool last = false;
  {
    const std::lock_guard lock(mutex_);
    if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      broken_ = true;
      if (!waiting->error)
        waiting->error = finished_ ? finished_error(waiting->partition)
                                   : kafka_error(message.err, name_of(waiting->partition), "append to");
    } else if (message.offset < 0) {
      // A repeat of the client's own, so old that the broker does not know its offset any more.
      broken_ = true;
      if (!waiting->error)
        waiting->error = Error{ErrorCode::unavailable,
                               fmt::format("expected the offset of a record in {}, but the broker says only that the "
                                           "record is stored; hint: read the partition to see where",
                                           name_of(waiting->partition))};
    } else {
      const auto offset = static_cast<Offset>(message.offset);
      Offset& end = ends_[waiting->partition];
      if (offset < end && !waiting->error) {
        broken_ = true;
        waiting->error =
            Error{ErrorCode::corrupt, fmt::format("expected the next record of {} at {} or later, but it got {}; hint: "
                                                  "the topic was cut or made anew: do not go on, restore it",
                                                  name_of(waiting->partition), end, offset)};
      }
      end = std::max(end, offset + 1);
      waiting->offsets.push_back(offset);
    }
    last = --waiting->left == 0;
  }
  if (!last) return;
  crash_point("journal.after_write");
  const std::unique_ptr<Waiting> owned(waiting);
  if (!owned->offsets.empty()) grown_(owned->partition, owned->offsets.back() + 1);
  if (owned->error)
    owned->done(std::move(*owned->error));
  else
    owned->done(std::move(owned->offsets));
  owned->done = nullptr;  // what it holds goes before finish() returns
  const std::lock_guard lock(mutex_);
  --appends_;
  bytes_ -= owned->bytes;
  changed_.notify_all();
}

void KafkaWriter::run() {
  constexpr int kPollMs = 50;
  while (!stopping_) {
    rd_kafka_poll(producer_.get(), kPollMs);
    {
      const std::lock_guard lock(mutex_);
      if (!broken_) continue;
    }
    GRANARY_PROBE("a producer is replaced");
    // Any delivery error ends the producer: everything it still holds is answered, then a new one takes its place.
    rd_kafka_purge(producer_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    while (rd_kafka_outq_len(producer_.get()) > 0) rd_kafka_poll(producer_.get(), kPollMs);
    auto next = open_producer();
    GRANARY_CHECK(next.ok(), "settings that opened a producer open another");
    const std::lock_guard lock(mutex_);
    topics_.clear();
    producer_ = std::move(*next);
    broken_ = false;
  }
}

void KafkaWriter::finish(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  if (!thread_.joinable()) return;
  changed_.wait_for(lock, patience, [this] { return appends_ == 0; });
  finished_ = true;
  if (appends_ == 0) return;
  GRANARY_PROBE("appends still wait for the brokers as the process stops");
  broken_ = true;  // the writer's thread purges
  changed_.wait(lock, [this] { return appends_ == 0; });
}

}  // namespace granary::journal
