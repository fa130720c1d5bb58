#include "shared/ledger/ledger.h"

#include <openssl/rand.h>

#include "shared/base/check.h"
#include "shared/base/probe.h"
#include "shared/events/record.h"
#include "shared/events/rules.h"

namespace granary::runtime {
namespace {

using machine::Topic;

std::string where(const journal::Partition& partition) {
  return partition.topic + "/" + std::to_string(partition.number);
}

// The genesis of a partition; nullopt: it is empty.
Result<std::optional<events::Genesis>> read_genesis(const journal::Journal& journal,
                                                    const journal::Partition& partition) {
  const auto end = journal.end(partition);
  if (!end.ok()) return end.error();
  if (*end == 0) return std::optional<events::Genesis>();
  journal::ReadBatch batch;
  GRANARY_TRY(journal.read(partition, 0, 1, batch));
  events::Genesis genesis;
  if (batch.records.empty() || events::kind_of(batch.records.front().value) != events::RecordKind::genesis ||
      !codec::decode(events::body_of(batch.records.front().value), genesis) ||
      events::whose_is(batch.records.front().value, genesis.ledger) != events::Whose::known)
    return Error{ErrorCode::corrupt,
                 where(partition) + " does not begin with a genesis record; hint: this topic was not made by Granary"};
  return std::optional(genesis);
}

Result<void> check_genesis(const events::Genesis& genesis, const Ledger& ledger, const journal::Partition& partition) {
  if (genesis.ledger == ledger.id && genesis.partitions == ledger.partitions && genesis.rules == ledger.rules &&
      genesis.topic == partition.topic && genesis.partition == partition.number)
    return {};
  return Error{ErrorCode::corrupt, where(partition) + " belongs to ledger " + to_hex(view_of(genesis.ledger)) + " of " +
                                       std::to_string(genesis.partitions) + " partitions, this is ledger " +
                                       to_hex(view_of(ledger.id)) + " of " + std::to_string(ledger.partitions) +
                                       "; hint: point to the right journal"};
}

}  // namespace

Result<Ledger> read_ledger(const journal::Journal& journal) {
  const journal::Partition first{std::string(machine::topic_name(Topic::applications)), 0};
  auto genesis = read_genesis(journal, first);
  if (!genesis.ok()) return genesis.error();
  if (!*genesis)
    return Error{ErrorCode::not_found, "no ledger stands in this journal; hint: `granary serve` makes one"};
  const events::Genesis& body = **genesis;
  if (body.partitions < 1 || body.partitions > kPartitionsMax)
    return Error{ErrorCode::corrupt, "the ledger's genesis names " + std::to_string(body.partitions) + " partitions"};
  return Ledger{body.ledger, static_cast<std::uint16_t>(body.partitions), body.rules};
}

Result<Ledger> open_ledger(journal::Journal& journal, const NewLedger& wanted, const Clock& clock) {
  const auto& partitions = wanted.partitions;
  if (partitions && (*partitions < 1 || *partitions > kPartitionsMax))
    return Error{ErrorCode::invalid_input, "expected 1 to " + std::to_string(kPartitionsMax) + " partitions, got " +
                                               std::to_string(*partitions) + "; hint: --partitions 8"};
  Ledger ledger;
  GRANARY_TRY(journal.create_topic({std::string(machine::topic_name(Topic::applications)), 1}));
  bool stood = false;
  if (auto standing = read_ledger(journal); standing.ok()) {
    ledger = *standing;
    stood = true;
    if (partitions && *partitions != ledger.partitions) {
      return Error{ErrorCode::conflict,
                   "this ledger has " + std::to_string(ledger.partitions) + " partitions, not " +
                       std::to_string(*partitions) +
                       ": the number is chosen once, when a ledger is made; hint: leave --partitions out, or "
                       "use another data directory"};
    }
  } else if (standing.error().code == ErrorCode::not_found) {
    ledger.partitions = partitions.value_or(kPartitionsDefault);
    ledger.rules = events::kRulesNewest;
    if (wanted.id)
      ledger.id = *wanted.id;
    else
      GRANARY_CHECK(RAND_bytes(ledger.id.data(), static_cast<int>(ledger.id.size())) == 1,
                    "no random bytes for a ledger's id");
  } else {
    return standing.error();
  }
  for (const Topic topic : machine::kTopics) {
    const std::string name(machine::topic_name(topic));
    const std::uint16_t count = machine::partitions_of(topic, ledger.partitions);
    GRANARY_TRY(journal.create_topic({name, count}));
    if (!machine::is_inbox(topic)) continue;
    for (std::uint16_t number = 0; number < count; ++number) {
      const journal::Partition partition{name, number};
      auto genesis = read_genesis(journal, partition);
      if (!genesis.ok()) return genesis.error();
      if (*genesis) {
        GRANARY_TRY(check_genesis(**genesis, ledger, partition));
        continue;
      }
      if (stood) GRANARY_PROBE("a ledger whose making was cut short is finished");
      journal::Record record;
      record.value = events::encode_record(ledger.id, events::Genesis{ledger.id, ledger.partitions, name, number,
                                                                      units::Instant(clock.wall_ms()), ledger.rules});
      std::vector<journal::Record> records;
      records.push_back(std::move(record));
      if (auto done = append_and_wait(journal, partition, std::move(records)); !done.ok()) return done.error();
    }
  }
  return ledger;
}

Result<void> check_ledger(const journal::Journal& journal, const Ledger& ledger) {
  for (const Topic topic : machine::kTopics) {
    if (!machine::is_inbox(topic)) continue;
    for (std::uint16_t number = 0; number < machine::partitions_of(topic, ledger.partitions); ++number) {
      const journal::Partition partition{std::string(machine::topic_name(topic)), number};
      auto genesis = read_genesis(journal, partition);
      if (!genesis.ok()) return genesis.error();
      if (!*genesis)
        return Error{ErrorCode::corrupt, where(partition) +
                                             " is empty, without the genesis record of its ledger; hint: it was made "
                                             "anew, or its making was cut short: restore it, or finish a new ledger "
                                             "with granary topics --create"};
      GRANARY_TRY(check_genesis(**genesis, ledger, partition));
    }
  }
  return {};
}

}  // namespace granary::runtime
