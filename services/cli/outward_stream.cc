#include "services/cli/outward_stream.h"

#include <fmt/format.h>

#include <utility>

#include "services/cli/api.h"
#include "shared/ask/streams.h"
#include "shared/http/uri.h"
#include "shared/json/writer.h"

namespace granary::cli {
namespace {

constexpr std::size_t kReadBytes = 1U << 20;  // of Kafka, at once
constexpr int kReadRows = 1000;               // of a server, at once

class KafkaStream final : public OutwardStream {
 public:
  KafkaStream(std::unique_ptr<journal::Journal> journal, std::string topic)
      : journal_(std::move(journal)), topic_(std::move(topic)) {}

  Result<std::uint16_t> partitions() override {
    const auto topics = journal_->topics();
    if (!topics.ok()) return topics.error();
    for (const journal::TopicInfo& one : *topics)
      if (one.name == topic_) return one.partitions;
    return Error{ErrorCode::not_found,
                 fmt::format("expected topic {}, found none; hint: granary topics --check", topic_)};
  }
  Result<std::string> read(std::uint16_t partition, const std::string& from,
                           std::vector<std::string>& events) override {
    const journal::Partition where{topic_, partition};
    const auto at = ask::stream_start(*journal_, where, from);
    if (!at.ok()) return at.error();
    GRANARY_TRY(journal_->read(where, *at, kReadBytes, batch_));
    for (const journal::Record& record : batch_.records) events.push_back(ask::cloud_event_json(record));
    return std::to_string(*at + batch_.records.size());
  }

 private:
  std::unique_ptr<journal::Journal> journal_;
  std::string topic_;
  journal::ReadBatch batch_;
};

class ServerStream final : public OutwardStream {
 public:
  ServerStream(Api api, const std::string& stream) : api_(std::move(api)), path_("/v1/streams/" + stream) {}

  Result<std::uint16_t> partitions() override {
    const auto page = api_.get(path_ + "?limit=1");
    if (!page.ok()) return page.error();
    const auto count = integer_of(*page, "partitions");
    if (!count.ok()) return count.error();
    if (*count < 1 || *count > UINT16_MAX) return strange_answer("1 to 65535 `partitions`", std::to_string(*count));
    return static_cast<std::uint16_t>(*count);
  }
  Result<std::string> read(std::uint16_t partition, const std::string& from,
                           std::vector<std::string>& events) override {
    const auto page = api_.get(
        fmt::format("{}?limit={}&partition={}&from={}", path_, kReadRows, partition, http::percent_encode(from)));
    if (!page.ok()) return page.error();
    const auto rows = member_of(*page, "rows", json::Kind::array);
    if (!rows.ok()) return rows.error();
    for (const json::Value& row : (*rows)->items()) json::append_json(events.emplace_back(), row);
    const auto next = member_of(*page, "next", json::Kind::string);
    if (!next.ok()) return next.error();
    return (*next)->string();
  }

 private:
  Api api_;
  std::string path_;
};

}  // namespace

Result<std::unique_ptr<OutwardStream>> open_stream(const std::string& name, const std::string& url,
                                                   const service::KafkaArguments& kafka) {
  if (kafka.brokers.empty()) {
    auto api = Api::connect(url);
    if (!api.ok()) return api.error();
    return std::unique_ptr<OutwardStream>(std::make_unique<ServerStream>(std::move(*api), name));
  }
  auto options = service::kafka_options(kafka);
  if (!options.ok()) return options.error();
  auto journal = journal::open_kafka_journal(*options);
  if (!journal.ok()) return journal.error();
  return std::unique_ptr<OutwardStream>(
      std::make_unique<KafkaStream>(std::move(*journal), std::string(machine::topic_name(*ask::stream_called(name)))));
}

}  // namespace granary::cli
