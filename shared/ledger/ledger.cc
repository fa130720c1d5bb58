#include "shared/ledger/ledger.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include "shared/base/check.h"
#include "shared/base/probe.h"
#include "shared/events/record.h"
#include "shared/events/rules.h"

namespace granary::runtime {
namespace {

using machine::Topic;

std::string where(const journal::Partition& partition) {
  return fmt::format("{}/{}", partition.topic, partition.number);
}

journal::Partition first_inbox() {
  return {std::string(machine::topic_name(Topic::applications)), 0};
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
  return Error{
      ErrorCode::corrupt,
      fmt::format("{} belongs to ledger {} of {} partitions, this is ledger {} of {}; hint: point to the right "
                  "journal",
                  where(partition), to_hex(view_of(genesis.ledger)), genesis.partitions, to_hex(view_of(ledger.id)),
                  ledger.partitions)};
}

}  // namespace

Result<Ledger> read_ledger(const journal::Journal& journal) {
  auto genesis = read_genesis(journal, first_inbox());
  if (!genesis.ok()) return genesis.error();
  if (!*genesis)
    return Error{ErrorCode::not_found, "there is no ledger in this journal; hint: `granary serve` makes one"};
  const events::Genesis& body = **genesis;
  if (body.partitions < 1 || body.partitions > kPartitionsMax)
    return Error{ErrorCode::corrupt, fmt::format("expected a genesis record of 1 to {} partitions, got {}; hint: this "
                                                 "topic was not made by Granary",
                                                 kPartitionsMax, body.partitions)};
  return Ledger{body.ledger, static_cast<std::uint16_t>(body.partitions), body.rules};
}

namespace {

Result<void> append_genesis(journal::Journal& journal, const journal::Partition& partition, const Ledger& ledger,
                            const Clock& clock) {
  std::vector<journal::Record> records(1);
  records.front().value =
      events::encode_record(ledger.id, events::Genesis{ledger.id, ledger.partitions, partition.topic, partition.number,
                                                       units::Instant(clock.wall_ms()), ledger.rules});
  const auto done = append_and_wait(journal, partition, std::move(records));
  if (!done.ok()) return done.error();
  return {};
}

Result<void> check_wanted(const NewLedger& wanted, const Ledger& ledger) {
  if (wanted.partitions && *wanted.partitions != ledger.partitions)
    return Error{ErrorCode::conflict,
                 fmt::format("this ledger has {} partitions, not {}: the number is chosen once, when a ledger is made; "
                             "hint: leave --partitions out, or use another data directory",
                             ledger.partitions, *wanted.partitions)};
  if (wanted.id && *wanted.id != ledger.id)
    return Error{ErrorCode::conflict, fmt::format("expected ledger {}, got ledger {}; hint: point to the right journal",
                                                  to_hex(view_of(*wanted.id)), to_hex(view_of(ledger.id)))};
  return {};
}

// The first record of the first inbox names the ledger. If two processes make a ledger at once, one of them is second
// there and has to take the ledger of the first; so the record is read again after the append.
Result<Ledger> find_or_begin(journal::Journal& journal, const NewLedger& wanted, const Clock& clock) {
  auto found = read_ledger(journal);
  if (!found.ok()) {
    if (found.error().code != ErrorCode::not_found) return found.error();
    Ledger ledger;
    ledger.partitions = wanted.partitions.value_or(kPartitionsDefault);
    ledger.rules = events::kRulesNewest;
    if (wanted.id)
      ledger.id = *wanted.id;
    else
      GRANARY_CHECK(RAND_bytes(ledger.id.data(), static_cast<int>(ledger.id.size())) == 1,
                    "no random bytes for a ledger's id");
    GRANARY_TRY(append_genesis(journal, first_inbox(), ledger, clock));
    found = read_ledger(journal);
    if (!found.ok()) return found.error();
    if (found->id != ledger.id) GRANARY_PROBE("another process has made the ledger at the same time");
  }
  GRANARY_TRY(check_wanted(wanted, *found));
  return found;
}

}  // namespace

Result<Ledger> open_ledger(journal::Journal& journal, const NewLedger& wanted, const Clock& clock) {
  if (wanted.partitions && (*wanted.partitions < 1 || *wanted.partitions > kPartitionsMax))
    return Error{ErrorCode::invalid_input, fmt::format("expected 1 to {} partitions, got {}; hint: --partitions 8",
                                                       kPartitionsMax, *wanted.partitions)};
  GRANARY_TRY(journal.create_topic({first_inbox().topic, 1}));
  const auto ledger = find_or_begin(journal, wanted, clock);
  if (!ledger.ok()) return ledger.error();
  for (const Topic topic : machine::kTopics) {
    const std::string name(machine::topic_name(topic));
    const std::uint16_t count = machine::partitions_of(topic, ledger->partitions);
    GRANARY_TRY(journal.create_topic({name, count}));
    if (!machine::is_inbox(topic)) continue;
    for (std::uint16_t number = 0; number < count; ++number) {
      const journal::Partition partition{name, number};
      auto genesis = read_genesis(journal, partition);
      if (!genesis.ok()) return genesis.error();
      if (!*genesis) {
        GRANARY_TRY(append_genesis(journal, partition, *ledger, clock));
        genesis = read_genesis(journal, partition);  // another process may have been first
        if (!genesis.ok()) return genesis.error();
      }
      GRANARY_CHECK(genesis->has_value(), "a genesis record was appended and is not there");
      GRANARY_TRY(check_genesis(**genesis, *ledger, partition));
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
        return Error{ErrorCode::corrupt,
                     fmt::format("{} is empty, without the genesis record of its ledger; hint: it was made again, or "
                                 "its creation was cut short: restore it, or finish a new ledger with granary topics "
                                 "--create",
                                 where(partition))};
      GRANARY_TRY(check_genesis(**genesis, ledger, partition));
    }
  }
  return {};
}

}  // namespace granary::runtime
