// granary-outward-check DATA: whether every outward partition of a server that has stopped holds each number once and
// in order. Exit code 1 and the first place that does not, where one does not.
#include <cstdio>
#include <string>

#include "shared/journal/embedded_journal.h"
#include "shared/runtime/ledger.h"
#include "shared/runtime/outward.h"

namespace {

using namespace granary;

// The number of records. Errors: the journal's; `corrupt` where a number is missing or comes twice.
Result<std::uint64_t> check(const journal::Journal& journal, const journal::Partition& partition) {
  journal::ReadBatch batch;
  std::uint64_t count = 0;
  while (true) {
    GRANARY_TRY(journal.read(partition, count, 1U << 20, batch));
    if (batch.records.empty()) return count;
    for (const journal::Record& record : batch.records) {
      const std::string expected = std::to_string(partition.number) + "-" + std::to_string(++count);
      const std::string id(runtime::header(record, "ce_id"));
      if (id != expected)
        return Error{ErrorCode::corrupt, partition.topic + ": expected ce_id " + expected + ", got " + id};
    }
  }
}

int fail(const Error& error) {
  std::fprintf(stderr, "%s\n", error.message.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return fail({ErrorCode::invalid_input, "expected one argument: the --data of a server"});
  const auto journal = journal::open_embedded_journal(std::string(argv[1]) + "/journal");
  if (!journal.ok()) return fail(journal.error());
  const auto ledger = runtime::read_ledger(**journal);
  if (!ledger.ok()) return fail(ledger.error());
  for (const machine::Topic topic : machine::kTopics) {
    if (!machine::is_stream(topic)) continue;
    std::uint64_t all = 0;
    for (std::uint16_t p = 0; p < machine::partitions_of(topic, ledger->partitions); ++p) {
      const auto count = check(**journal, {std::string(machine::topic_name(topic)), p});
      if (!count.ok()) return fail(count.error());
      all += *count;
    }
    std::printf("%s %llu\n", std::string(machine::topic_name(topic)).c_str(), static_cast<unsigned long long>(all));
  }
}
