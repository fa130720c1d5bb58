// granary-outward-check DATA | --brokers LIST  [--lines TOPIC]: whether the outward streams of a ledger that no server
// runs are whole. Over the embedded journal every partition holds each number once and in order. Over Kafka a number
// may stand again (a writer whose answer was lost, two owners at once), but only as the same record, and never before
// the one that precedes it.
//
// Prints for each stream how many numbers and how many records it holds; with --lines the values of that stream after
// it, each number once. Exit code 1 and the first place that is wrong, where one is.
#include <cstdio>
#include <map>
#include <string>
#include <string_view>

#include "shared/fold/outward.h"
#include "shared/journal/embedded_journal.h"
#include "shared/journal/kafka_journal.h"
#include "shared/ledger/ledger.h"

namespace {

using namespace granary;

enum class Repeats { none, the_same };

struct Held {
  std::uint64_t numbers = 0;
  std::uint64_t records = 0;
};

// Errors: the journal's; `corrupt` where a number is missing, or stands again where it must not.
Result<Held> check(const journal::Journal& journal, const journal::Partition& partition, Repeats repeats, bool lines) {
  journal::ReadBatch batch;
  Held held;
  std::vector<journal::Record> kept;
  while (true) {
    GRANARY_TRY(journal.read(partition, held.records, 1U << 20, batch));
    if (batch.records.empty()) return held;
    for (const journal::Record& record : batch.records) {
      const std::string where =
          partition.topic + "/" + std::to_string(partition.number) + "/" + std::to_string(held.records++) + ": ";
      const std::string next = std::to_string(partition.number) + "-" + std::to_string(held.numbers + 1);
      const std::string id(runtime::header(record, "ce_id"));
      if (id == next) {
        ++held.numbers;
        if (lines) std::printf("%s\n", record.value.c_str());
        if (repeats == Repeats::the_same) kept.push_back(record);
        continue;
      }
      const auto number = runtime::outward_number(record).value_or(0);
      if (repeats == Repeats::none || number == 0 || number > held.numbers)
        return Error{ErrorCode::corrupt, where + "expected ce_id " + next + ", got " + id};
      const journal::Record& first = kept[number - 1];
      if (first.value != record.value || first.key != record.key || first.headers != record.headers)
        return Error{ErrorCode::corrupt, where + "ce_id " + id + " stands again and is another record"};
    }
  }
}

int fail(const Error& error) {
  std::fprintf(stderr, "%s\n", error.message.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::string data;
  journal::KafkaOptions kafka;
  std::string lines;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--brokers" && i + 1 < argc) {
      kafka.brokers = argv[++i];
    } else if (argument == "--lines" && i + 1 < argc) {
      lines = argv[++i];
    } else {
      data = argument;
    }
  }
  if (data.empty() == kafka.brokers.empty())
    return fail({ErrorCode::invalid_input, "expected the --data of a server, or --brokers LIST"});
  const auto journal =
      kafka.brokers.empty() ? journal::open_embedded_journal(data + "/journal") : journal::open_kafka_journal(kafka);
  if (!journal.ok()) return fail(journal.error());
  const auto ledger = runtime::read_ledger(**journal);
  if (!ledger.ok()) return fail(ledger.error());
  const Repeats repeats = kafka.brokers.empty() ? Repeats::none : Repeats::the_same;
  std::map<std::string, Held> streams;
  for (const machine::Topic topic : machine::kTopics) {
    if (!machine::is_stream(topic)) continue;
    const std::string name(machine::topic_name(topic));
    for (std::uint16_t p = 0; p < machine::partitions_of(topic, ledger->partitions); ++p) {
      const auto held = check(**journal, {name, p}, repeats, name == lines);
      if (!held.ok()) return fail(held.error());
      streams[name].numbers += held->numbers;
      streams[name].records += held->records;
    }
  }
  for (const auto& [name, held] : streams)
    std::fprintf(lines.empty() ? stdout : stderr, "%s %llu %llu\n", name.c_str(),
                 static_cast<unsigned long long>(held.numbers), static_cast<unsigned long long>(held.records));
}
