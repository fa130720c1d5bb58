#include "shared/journal/kafka_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sstream>

#include "shared/base/text_file.h"
#include "shared/telemetry/log.h"

namespace granary::journal {
namespace {

constexpr std::size_t kSettingsBytesMax = 1U << 20;  // of a file of settings: a larger one is some other file

// The laws of the log depend on these settings, so a user may not set them.
constexpr std::array kReserved{"acks",
                               "request.required.acks",
                               "enable.idempotence",
                               "enable.gapless.guarantee",
                               "message.timeout.ms",
                               "delivery.timeout.ms",
                               "transactional.id",
                               "partitioner",
                               "allow.auto.create.topics",
                               "enable.auto.commit",
                               "auto.commit.enable",
                               "enable.auto.offset.store",
                               "auto.offset.reset",
                               "check.crcs",
                               "enable.partition.eof",
                               "isolation.level",
                               "group.id",
                               "bootstrap.servers",
                               "metadata.broker.list"};

// librdkafka's own log lines, which it would write to stderr itself. They may hold names of brokers, but no values of
// settings.
void log_of_kafka(const rd_kafka_t* handle, int level, const char* facility, const char* text) {
  // This warning about settings always comes: a setting that Granary needs is experimental.
  if (!telemetry::started() || std::string_view(facility) == "CONFWARN") return;
  static telemetry::LineBudget lines(5);
  const auto left_out = lines.take();
  if (!left_out) return;
  constexpr int kSyslogError = 3, kSyslogWarning = 4;
  // It repairs its connections itself, although it reports some of that as errors.
  const auto severity = level < kSyslogError      ? telemetry::Level::error
                        : level <= kSyslogWarning ? telemetry::Level::warn
                                                  : telemetry::Level::info;
  telemetry::log(
      severity, "kafka_client", text,
      {{"client", handle == nullptr ? "" : rd_kafka_name(handle)}, {"facility", facility}, {"left_out", *left_out}});
}

}  // namespace

std::string name_of(const Partition& partition) {
  return fmt::format("{}/{}", partition.topic, partition.number);
}

Result<KafkaConf> kafka_conf(const KafkaOptions& options,
                             const std::vector<std::pair<std::string, std::string>>& fixed) {
  KafkaConf conf(rd_kafka_conf_new());
  rd_kafka_conf_set_log_cb(conf.get(), log_of_kafka);
  std::array<char, 512> why{};
  for (const auto& [key, value] : options.settings) {
    if (std::find(kReserved.begin(), kReserved.end(), key) != kReserved.end())
      return Error{ErrorCode::invalid_input, fmt::format("expected a setting that is the user's to choose, got `{}`, "
                                                         "which the log's guarantees depend on; hint: leave it out",
                                                         key)};
    // The value may be a secret: it is not printed, and librdkafka's own text, which may hold it, is not either.
    if (rd_kafka_conf_set(conf.get(), key.c_str(), value.c_str(), why.data(), why.size()) != RD_KAFKA_CONF_OK)
      return Error{ErrorCode::invalid_input, fmt::format("expected a setting of librdkafka {}, got `{}` with a value "
                                                         "that it does not take; hint: see its CONFIGURATION.md",
                                                         rd_kafka_version_str(), key)};
  }
  for (const auto& [key, value] : fixed)
    if (rd_kafka_conf_set(conf.get(), key.c_str(), value.c_str(), why.data(), why.size()) != RD_KAFKA_CONF_OK)
      return Error{ErrorCode::io_error, fmt::format("librdkafka refused {}={}: {}", key, value, why.data())};
  return conf;
}

Result<KafkaHandle> kafka_open(rd_kafka_type_t type, KafkaConf conf) {
  std::array<char, 512> why{};
  KafkaHandle handle(rd_kafka_new(type, conf.get(), why.data(), why.size()));
  if (!handle)
    return Error{ErrorCode::invalid_input,
                 fmt::format("expected settings of Kafka that fit together, got: {}; hint: check --brokers and --kafka",
                             why.data())};
  static_cast<void>(conf.release());  // the handle's now
  return handle;
}

Error kafka_error(rd_kafka_resp_err_t code, const std::string& where, const std::string& what) {
  const std::string said = fmt::format("{} ({})", rd_kafka_err2name(code), rd_kafka_err2str(code));
  switch (code) {
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      return {
          ErrorCode::not_found,
          fmt::format("expected to {} {}, got {}; hint: the topic is not there (any more): `granary topics --check`",
                      what, where, said)};
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
      return {ErrorCode::corrupt,
              fmt::format("expected to {} {}, got {}; hint: the topic was cut or made anew: do not go on, restore it",
                          what, where, said)};
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
      return {ErrorCode::io_error,
              fmt::format("expected to {} {}, got {}; hint: the broker's access rules", what, where, said)};
    case RD_KAFKA_RESP_ERR__BAD_MSG:
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
      return {ErrorCode::corrupt,
              fmt::format("expected to {} {}, got {}; hint: bytes of the log are damaged: restore it from a replica",
                          what, where, said)};
    default:
      return {ErrorCode::unavailable,
              fmt::format("expected to {} {}, got {}; hint: check that the brokers run and can be reached", what, where,
                          said)};
  }
}

Result<std::vector<std::pair<std::string, std::string>>> read_kafka_settings(const std::string& path) {
  const auto content = read_text_file(path, "KEY=VALUE lines", kSettingsBytesMax);
  if (!content.ok()) return content.error();
  std::istringstream lines(*content);
  std::vector<std::pair<std::string, std::string>> settings;
  std::size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    const auto begin = line.find_first_not_of(" \t\r");
    if (begin == std::string::npos || line[begin] == '#') continue;
    const auto end = line.find_last_not_of(" \t\r");
    const auto equals = line.find('=', begin);
    if (equals == std::string::npos || equals == begin)
      return Error{
          ErrorCode::invalid_input,
          fmt::format("{}, line {}: expected KEY=VALUE, got a line without; hint: `#` begins a comment", path, number)};
    const auto trimmed = [](std::string text) {
      text.erase(0, text.find_first_not_of(" \t"));
      return text.erase(text.find_last_not_of(" \t") + 1);
    };
    settings.emplace_back(trimmed(line.substr(begin, equals - begin)), trimmed(line.substr(equals + 1, end - equals)));
  }
  return settings;
}

}  // namespace granary::journal
