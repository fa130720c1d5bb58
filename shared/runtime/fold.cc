#include "shared/runtime/fold.h"

#include "shared/base/check.h"
#include "shared/proof/hash.h"
#include "shared/runtime/outward.h"

namespace granary::runtime {
namespace {

namespace wire = events::wire;
using events::RecordKind;
using machine::Outcome;

constexpr std::int64_t kCompletionGridMs = 5 * units::kMinuteMs;
constexpr std::size_t kOutcomesKept = 1 << 14;

Instant floor_to_grid(Instant at) {
  return Instant(at.ms() - at.ms() % kCompletionGridMs);
}

}  // namespace

journal::Partition partition_of(const LaneTarget& target) {
  return {std::string(machine::topic_name(target.topic)), target.partition};
}

Fold::Fold(MachineKind machine, std::uint16_t shard, std::uint16_t partitions, std::unique_ptr<Machine> rules)
    : machine_(machine),
      shard_(shard),
      partitions_(partitions),
      inbox_(machine::inbox_of(machine)),
      rules_(std::move(rules)),
      router_(partitions),
      noted_(kOutcomesKept) {
  for (const MachineKind writer : machine::writers_of(inbox_))
    for (std::uint16_t i = 0; i < machine::shards_of(writer, partitions_); ++i) in_[{writer, i}];
}

void Fold::open(const store::View& whole) {
  if (const auto value = whole.get(kPlaceKey)) {
    const auto row = decode_row<PlaceRow>(*value);
    position_ = row.position;
    last_hash_ = hash_from(row.last_hash).value_or(Hash32{});
    now_ = row.now;
  }
  whole.scan(kInLaneKey, prefix_end(kInLaneKey), [this](BytesView key, BytesView value) {
    const auto row = decode_row<LaneRow>(value);
    in_[{static_cast<MachineKind>(key[2]), read_u16(key.substr(3))}] = {
        row.number, hash_from(row.hash).value_or(Hash32{}), row.completed, false};
    return true;
  });
  out_ = stored_lanes(whole);
  update_complete();
  const auto stamp = whole.get(kStampKey);
  stamped_ = stamp && decode_row<StampRow>(*stamp) == own_stamp(rules_->row_form());
  domain_ = std::make_unique<DomainView>(whole);
  rules_->open(*domain_);
}

machine::Context Fold::context() {
  return {machine_, shard_, partitions_, position_, now_, complete_, &router_};
}

Fold::Step Fold::park(std::string reason) {
  park_reason_ = std::move(reason);
  return Step::parked;
}

Fold::Step Fold::fold(BytesView record) {
  const auto kind = events::kind_of(record);
  if (!kind) {
    return park("a record of a kind or version that this build does not know (first byte " +
                to_hex(record.substr(0, 1)) + ")");
  }
  Step step = Step::folded;
  switch (*kind) {
    case RecordKind::genesis:
      break;
    case RecordKind::tick: {
      events::Tick tick;
      const wire::Read read = wire::read_message(events::body_of(record), tick);
      if (read == wire::Read::newer) return park("a tick with a field that this build does not know");
      if (read == wire::Read::ok)
        fold_tick(tick.instant);
      else
        refuse_record(record, "malformed", "a tick that does not decode");
      break;
    }
    case RecordKind::raw:
      step = fold_raw(record);
      break;
    case RecordKind::packet:
      step = fold_packet(record);
      break;
    case RecordKind::checkpoint:
      return park("a checkpoint, which stands in no inbox");
  }
  if (step == Step::parked) return step;
  last_record_.assign(record);
  ++position_;
  return step;
}

void Fold::fold_tick(Instant instant) {
  if (instant <= now_) return;
  const Instant before = std::exchange(now_, instant);
  update_complete();
  rules_->apply_tick(before, context(), *this);
  if (floor_to_grid(now_) <= floor_to_grid(before)) return;
  const events::LaneCompleted completed{std::min(floor_to_grid(now_), complete_)};
  for (const Topic topic : machine::kTopics) {
    if (!machine::is_inbox(topic) || topic == inbox_) continue;
    for (const MachineKind writer : machine::writers_of(topic))
      if (writer == machine_) broadcast(topic, partitions_, completed);
  }
}

void Fold::update_complete() {
  complete_ = now_;
  for (const auto& [lane, state] : in_) complete_ = std::min(complete_, state.completed);
}

Fold::Step Fold::fold_raw(BytesView record) {
  const wire::Read envelope = wire::read_message(events::body_of(record), raw_);
  if (envelope == wire::Read::newer)
    return park("a raw record with a field that this build does not know, from " + raw_.source);
  if (envelope == wire::Read::malformed) {
    refuse_record(record, "malformed", "a raw record that does not decode");
    return Step::folded;
  }
  switch (decoder_.decode(raw_.substance)) {
    case events::DecodeResult::ok:
      break;
    case events::DecodeResult::unknown_type:
      return park("an event of a type that this build has no rule for (number " +
                  std::to_string(static_cast<int>(events::peek_type(raw_.substance))) + ", from " + raw_.source + ")");
    case events::DecodeResult::newer:
      return park("an event with a field or a value that this build does not know (number " +
                  std::to_string(static_cast<int>(events::peek_type(raw_.substance))) + ", from " + raw_.source + ")");
    case events::DecodeResult::malformed:
      refuse_record(record, "malformed", "a substance that does not decode");
      return Step::folded;
  }
  const Id16 identity = machine::identity_of(raw_);
  Outcome outcome = rules_->apply_raw({raw_, decoder_.event(), identity}, context(), *this);
  ++counters_.events;
  if (outcome.judgement == machine::Judgement::refused) {
    ++counters_.refusals;
    ++counters_.refusals_by_name[outcome.reason];
    events::RecordRefused refused;
    refused.machine = machine_;
    refused.reason = outcome.reason;
    refused.field = outcome.field;
    refused.hint = outcome.hint;
    refused.topic = machine::topic_name(inbox_);
    refused.partition = shard_;
    refused.offset = position_;
    refused.type = events::type_name(events::type_of(decoder_.event()));
    refused.source = raw_.source;
    refused.id = raw_.id;
    refused.substance_sha256 = to_hex(view_of(machine::substance_hash(raw_)));
    refused.recorded_at = raw_.recorded_at;
    emit(Topic::rejected, machine::shard_partition(machine_, shard_, partitions_), refused);
  }
  counters_.repeats += outcome.judgement == machine::Judgement::repeat ? 1 : 0;
  note(std::move(outcome));
  return Step::folded;
}

void Fold::refuse_record(BytesView record, std::string_view reason, std::string hint) {
  ++counters_.refusals;
  ++counters_.refusals_by_name[reason];
  events::RecordRefused refused;
  refused.machine = machine_;
  refused.reason = reason;
  refused.hint = std::move(hint);
  refused.topic = machine::topic_name(inbox_);
  refused.partition = shard_;
  refused.offset = position_;
  refused.substance_sha256 = to_hex(view_of(proof::sha256(record)));
  emit(Topic::rejected, machine::shard_partition(machine_, shard_, partitions_), refused);
  note(Outcome::refuse(reason, "", refused.hint));
}

Fold::Step Fold::fold_packet(BytesView record) {
  auto packet = PacketView::parse(events::body_of(record));
  const auto lane = packet ? in_.find({packet->machine, packet->shard}) : in_.end();
  if (lane == in_.end()) {
    ++counters_.lane_alarms;
    alarm_ = "a packet that does not decode, or of a lane that does not lead here";
    refuse_record(record, "malformed", alarm_);
    return Step::folded;
  }
  InLane& state = lane->second;
  const std::uint64_t first = packet->first;
  const Joint joint = join(*packet, state.folded, state.hash);
  if (joint == Joint::gap || joint == Joint::other) {
    ++counters_.lane_alarms;
    alarm_ = "expected event " + std::to_string(state.folded + 1) + " of " +
             std::string(machine::machine_name(packet->machine)) + " shard " + std::to_string(packet->shard) +
             ", got " +
             (joint == Joint::gap ? "a packet from event " + std::to_string(first) + " on"
                                  : "a packet that follows another event " + std::to_string(state.folded));
    return Step::folded;
  }
  counters_.repeats_dropped += packet->first - first;
  // All of it is read before anything of it is folded, so that what this build cannot read leaves nothing half done.
  decoder_.clear();
  for (PacketView ahead = *packet; const auto event = ahead.next();) {
    if (decoder_.add(*event) != events::DecodeResult::ok)
      return park("an event of a lane that this build cannot read (number " + std::to_string(ahead.first - 1) + " of " +
                  std::string(machine::machine_name(packet->machine)) + " shard " + std::to_string(packet->shard) +
                  ")");
  }
  for (const events::Event* event : decoder_.events()) {
    state.hash = proof::chain(state.hash, *packet->next());
    state.folded = packet->first - 1;
    state.dirty = true;
    ++counters_.events;
    if (const auto* completed = std::get_if<events::LaneCompleted>(event)) {
      state.completed = std::max(state.completed, completed->instant);
      update_complete();
    } else {
      rules_->apply_lane({packet->machine, packet->shard, state.folded, *event}, context(), *this);
    }
  }
  return Step::folded;
}

std::uint64_t Fold::send(Topic topic, std::uint16_t partition, BytesView event) {
  const LaneTarget target{topic, partition};
  LaneCounter& lane = out_[target];
  const Hash32 before = lane.hash;
  lane.hash = proof::chain(lane.hash, event);
  ++lane.number;
  OpenPacket& packet = open_[target];
  if (!standing_.empty()) {
    if (const auto standing = standing_.find(target);
        standing != standing_.end() && lane.number <= standing->second.number) {
      if (lane.number == standing->second.number) {
        counters_.diverged |= standing->second.hash != (machine::is_inbox(topic) ? lane.hash : outward_hash(event));
        standing_.erase(standing);
      }
      if (!packet.open) changed_.push_back(target);
      packet.open = true;  // the counter has to be written even though nothing is sent
      return lane.number;
    }
  }
  if (packet.open && !packet.builder.empty() && !packet.builder.fits(event)) close_packet(target, packet);
  if (packet.builder.empty()) packet.builder.start(machine_, shard_, lane.number, before);
  if (!packet.open) changed_.push_back(target);
  packet.open = true;
  GRANARY_CHECK(packet.builder.fits(event), "an event is larger than a record: its machine has to cut it");
  packet.builder.add(event);
  return lane.number;
}

void Fold::close_packet(const LaneTarget& target, OpenPacket& packet) {
  const std::uint64_t first = packet.builder.first();
  const std::uint64_t last = packet.builder.last();
  ready_.push_back({target, first, last, packet.builder.take()});
  packet.builder = PacketBuilder();
}

void Fold::flush(store::WriteSet& rows, std::vector<OutPacket>& ready) {
  if (!last_record_.empty()) last_hash_ = proof::sha256(last_record_);
  last_record_.clear();
  store::WriteSet domain;
  rules_->flush(domain);
  for (const auto& [key, value] : domain.changes()) {
    Bytes full(1, kDomain);
    full.append(key);
    if (value)
      rows.put(std::move(full), *value);
    else
      rows.erase(std::move(full));
  }
  rows.put(Bytes(kPlaceKey), encode_row(PlaceRow{position_, Bytes(view_of(last_hash_)), now_}));
  if (!std::exchange(stamped_, true)) rows.put(Bytes(kStampKey), encode_row(own_stamp(rules_->row_form())));
  for (auto& [lane, state] : in_) {
    if (!state.dirty) continue;
    state.dirty = false;
    rows.put(lane_key(kInLaneKey, static_cast<std::uint8_t>(lane.first), lane.second),
             encode_row(LaneRow{state.folded, Bytes(view_of(state.hash)), state.completed}));
  }
  for (const LaneTarget& target : changed_) {
    OpenPacket& packet = open_[target];
    if (!packet.builder.empty()) close_packet(target, packet);
    packet.open = false;
    const LaneCounter& lane = out_[target];
    rows.put(lane_key(kOutLaneKey, static_cast<std::uint8_t>(target.topic), target.partition),
             encode_row(LaneRow{lane.number, Bytes(view_of(lane.hash)), {}}));
  }
  changed_.clear();
  for (const OutPacket& packet : ready_) rows.put(outbox_key(packet.target, packet.first), packet.bytes);
  ready = std::move(ready_);
  ready_.clear();
}

events::Checkpoint Fold::checkpoint() const {
  events::Checkpoint checkpoint;
  checkpoint.topic = machine::topic_name(inbox_);
  checkpoint.partition = shard_;
  checkpoint.size = position_;
  checkpoint.last_record_hash = Bytes(view_of(last_hash_));
  for (const auto& [lane, state] : in_)
    checkpoint.lanes.push_back({lane.first, lane.second, state.folded + 1, Bytes(view_of(state.hash))});
  checkpoint.check = Bytes(view_of(check_of(checkpoint)));
  return checkpoint;
}

Hash32 check_of(events::Checkpoint checkpoint) {
  checkpoint.check.clear();
  return proof::sha256(events::encode_record(checkpoint));
}

void Fold::committed() {
  rules_->committed();
}

std::uint64_t Fold::folded_from(MachineKind machine, std::uint16_t shard) const {
  const auto lane = in_.find({machine, shard});
  return lane == in_.end() ? 0 : lane->second.folded;
}

void Fold::note(Outcome outcome) {
  Noted& slot = noted_[position_ % noted_.size()];
  slot.offset = position_;
  slot.outcome = std::move(outcome);
}

std::optional<Outcome> Fold::outcome_of(std::uint64_t offset) const {
  const Noted& slot = noted_[offset % noted_.size()];
  if (slot.offset != offset) return std::nullopt;
  return slot.outcome;
}

}  // namespace granary::runtime
