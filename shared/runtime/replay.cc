#include "shared/runtime/replay.h"

#include <fmt/format.h>

#include <algorithm>

#include "shared/proof/hash.h"

namespace granary::runtime {
namespace {
constexpr std::size_t kReadBytes = 4U << 20;       // memory of one batch; a larger one is not read faster
constexpr std::uint64_t kCommitBytes = 32U << 20;  // of what is sent: bounds the memory, as a shard does by its commits
}  // namespace

Result<ShardDigest> replay_shard(const journal::Journal& journal, const Ledger& ledger, MachineKind machine,
                                 std::uint16_t shard, std::uint64_t position, std::unique_ptr<Machine> rules,
                                 store::Store& scratch, std::size_t commit_every,
                                 const std::function<void(std::size_t)>& progress, std::uint64_t events) {
  const journal::Partition inbox{std::string(machine::topic_name(machine::inbox_of(machine))), shard};
  Fold fold(ledger, machine, shard, std::move(rules));
  fold.open(scratch);
  std::size_t uncommitted = 0;
  std::uint64_t sent = 0;  // bytes, at the last commit
  const auto commit = [&]() -> Result<void> {
    store::WriteSet rows;
    std::vector<OutPacket> ready;
    fold.flush(rows, ready);
    // Nothing is published: the outbox would only fill the scratch store.
    for (const OutPacket& packet : ready) rows.erase(outbox_key(packet.target, packet.first));
    GRANARY_TRY(scratch.commit(rows));
    fold.committed();
    uncommitted = 0;
    sent = fold.bytes_sent();
    return {};
  };
  // All of a record, however many steps it takes, or its first events.
  const auto fold_record = [&](const journal::Record& record, std::uint64_t until) -> Result<void> {
    for (;;) {
      const Fold::Step step = fold.fold_until(record.value, until);
      if (step == Fold::Step::parked)
        return Error{ErrorCode::corrupt, fmt::format("{}/{} cannot be folded at record {}: {}", inbox.topic, shard,
                                                     fold.position(), fold.park_reason())};
      if (step == Fold::Step::folded || fold.events_done() == until) return {};
      GRANARY_TRY(commit());
    }
  };
  journal::ReadBatch batch;
  while (fold.position() < position || (events > 0 && !fold.is_unfinished())) {
    GRANARY_TRY(journal.read(inbox, fold.position(), kReadBytes, batch));
    if (batch.records.empty() || fold.position() > position)
      return Error{ErrorCode::corrupt,
                   fmt::format("{}/{} ends at {}, expected {} records{}", inbox.topic, shard, fold.position(), position,
                               events > 0 ? " and a part of another" : "")};
    std::size_t folded = 0;
    for (const journal::Record& record : batch.records) {
      if (fold.position() == position) {
        if (events > 0) GRANARY_TRY(fold_record(record, events));
        break;
      }
      GRANARY_TRY(fold_record(record, Fold::kAllEvents));
      ++folded;
      if (++uncommitted >= commit_every || fold.bytes_sent() - sent >= kCommitBytes) GRANARY_TRY(commit());
    }
    progress(folded);
  }
  GRANARY_TRY(commit());
  return stored_digest(scratch, machine, shard);
}

ShardDigest stored_digest(const store::View& store, MachineKind machine, std::uint16_t shard) {
  const StoredPlace place = stored_place(store);
  return {machine, shard, place.position, place.events, state_digest(store), stored_lanes(store)};
}

Hash32 overall_digest(std::vector<ShardDigest> shards) {
  std::sort(shards.begin(), shards.end(), [](const ShardDigest& a, const ShardDigest& b) {
    return std::pair(a.machine, a.shard) < std::pair(b.machine, b.shard);
  });
  Bytes all;
  for (const ShardDigest& one : shards) {
    append_part(all, fmt::format("{}/{}", machine::machine_name(one.machine), one.shard));
    Bytes position;
    append_u64(position, one.position);
    append_part(all, position);
    append_part(all, view_of(one.digest));
  }
  return proof::sha256(all);
}

std::string first_difference(const store::View& expected, const store::View& got) {
  std::string difference;
  const auto name = [](BytesView key) {
    return fmt::format("table {}, key {}", static_cast<int>(key.empty() ? 0 : key[0]), to_hex(key));
  };
  const DomainView want(expected);
  const DomainView have(got);
  want.scan("", "", [&](BytesView key, BytesView value) {
    const auto other = have.get(key);
    if (!other)
      difference = name(key) + ": only the fold has it";
    else if (*other != value)
      difference = name(key) + ": another value";
    return difference.empty();
  });
  if (!difference.empty()) return difference;
  have.scan("", "", [&](BytesView key, BytesView) {
    if (!want.get(key)) difference = name(key) + ": only the state has it";
    return difference.empty();
  });
  if (!difference.empty()) return difference;
  LaneCounters emitted = stored_lanes(expected);
  LaneCounters kept = stored_lanes(got);
  for (const auto& [target, counter] : kept) emitted.try_emplace(target);
  for (const auto& [target, counter] : emitted) {
    const LaneCounter& other = kept[target];
    if (other == counter) continue;
    const journal::Partition partition = partition_of(target);
    return fmt::format("lane to {}/{}: the fold emitted {} events, the state says {}{}", partition.topic,
                       partition.number, counter.number, other.number,
                       counter.number == other.number ? " with another chained hash" : "");
  }
  return difference;
}

}  // namespace granary::runtime
