#include "shared/fold/fold.h"

#include "shared/base/check.h"
#include "shared/base/probe.h"
#include "shared/codec/limits.h"
#include "shared/fold/outward.h"
#include "shared/proof/hash.h"

namespace granary::runtime {
namespace {

using events::RecordKind;
using machine::Outcome;

constexpr std::int64_t kCompletionGridMs = 5 * units::kMinuteMs;
constexpr std::size_t kOutcomesKept = 1 << 14;

Instant floor_to_grid(Instant at) {
  return Instant(at.ms() - at.ms() % kCompletionGridMs);
}

std::string unknown_version(std::uint64_t version) {
  return "rules version " + std::to_string(version) + ", of which this build knows nothing; it knows up to " +
         std::to_string(events::kRulesNewest);
}

}  // namespace

journal::Partition partition_of(const LaneTarget& target) {
  return {std::string(machine::topic_name(target.topic)), target.partition};
}

Fold::Fold(const Ledger& ledger, MachineKind machine, std::uint16_t shard, std::unique_ptr<Machine> rules)
    : ledger_(ledger),
      machine_(machine),
      shard_(shard),
      inbox_(machine::inbox_of(machine)),
      rules_(std::move(rules)),
      router_(ledger.partitions),
      noted_(kOutcomesKept) {
  for (const MachineKind writer : machine::writers_of(inbox_))
    for (std::uint16_t i = 0; i < machine::shards_of(writer, ledger_.partitions); ++i)
      in_[{writer, i}].hash = chain_start(ledger_.id, writer, i, inbox_, shard_);
}

void Fold::open(const store::View& whole) {
  if (const auto value = whole.get(kPlaceKey)) {
    const auto row = decode_row<PlaceRow>(*value);
    position_ = row.position;
    last_hash_ = hash_from(row.last_hash).value_or(Hash32{});
    now_ = row.now;
    rules_version_ = row.rules;
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
  return {machine_, shard_, ledger_.partitions, position_, now_, complete_, &router_, rules_version_};
}

Fold::Step Fold::park(std::string reason) {
  park_reason_ = std::move(reason);
  return Step::parked;
}

Fold::Step Fold::fold(BytesView record) {
  // The state of a newer build, over which an older one was started again.
  if (rules_version_ > events::kRulesNewest) [[unlikely]] {
    GRANARY_PROBE("a state goes by rules that this build does not know");
    return park("the state goes by " + unknown_version(rules_version_));
  }
  Step step = Step::folded;
  switch (events::whose_is(record, ledger_.id)) {
    case events::Whose::newer:
      GRANARY_PROBE("a record of an unknown kind or version parks");
      return park("a record of a kind or version that this build does not know (kind and version " +
                  to_hex(record.substr(events::kFrontBytes - 1, 1)) + ")");
    case events::Whose::foreign:
      GRANARY_PROBE("a record of another ledger, or of nobody, is refused");
      refuse_record(record, "foreign", "only Granary's doors and machines may write here; find out who else does");
      break;
    case events::Whose::known:
      step = fold_known(record, *events::kind_of(record));
      break;
  }
  if (step == Step::parked) return step;
  last_record_.assign(record);
  folded_since_flush_ = true;
  ++position_;
  return step;
}

Fold::Step Fold::fold_known(BytesView record, RecordKind kind) {
  switch (kind) {
    case RecordKind::genesis:
      return fold_genesis(record);
    case RecordKind::tick: {
      events::Tick tick;
      const codec::Read read = codec::read_message(events::body_of(record), tick);
      if (read == codec::Read::newer) {
        GRANARY_PROBE("a newer build's tick parks");
        return park("a tick with a field that this build does not know");
      }
      if (read == codec::Read::ok && tick.instant >= units::kInstantMin && tick.instant <= units::kInstantMax) {
        fold_tick(tick.instant);
      } else {
        GRANARY_PROBE("a tick that is none is refused");
        refuse_record(record, "malformed", "a tick that does not decode, or of no time that Granary knows");
      }
      return Step::folded;
    }
    case RecordKind::raw:
      return fold_raw(record);
    case RecordKind::packet:
      return fold_packet(record);
    case RecordKind::checkpoint:
      GRANARY_PROBE("a checkpoint stands in an inbox");
      refuse_record(record, "wrong_partition", "a checkpoint stands in no inbox");
      return Step::folded;
  }
  return Step::folded;
}

Fold::Step Fold::fold_genesis(BytesView record) {
  events::Genesis genesis;
  const codec::Read read = codec::read_message(events::body_of(record), genesis);
  if (read == codec::Read::newer) return park("a genesis record with a field that this build does not know");
  if (read != codec::Read::ok || position_ != 0 || genesis.ledger != ledger_.id) {
    GRANARY_PROBE("a second genesis record stands in an inbox");
    refuse_record(record, "foreign", "a genesis record stands first in a partition, and once");
    return Step::folded;
  }
  if (genesis.rules > events::kRulesNewest) {
    GRANARY_PROBE("a ledger begins with rules that this build does not know");
    return park("a ledger that begins with rules version " + std::to_string(genesis.rules) +
                "; this build knows up to " + std::to_string(events::kRulesNewest));
  }
  rules_version_ = genesis.rules;
  return Step::folded;
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
      if (writer == machine_) broadcast(topic, ledger_.partitions, completed);
  }
}

void Fold::update_complete() {
  complete_ = now_;
  for (const auto& [lane, state] : in_) complete_ = std::min(complete_, state.completed);
}

Fold::Step Fold::fold_raw(BytesView record) {
  std::uint16_t form = 1;
  const codec::Read envelope = codec::read_message(events::body_of(record), raw_, form);
  if (envelope == codec::Read::newer) {
    GRANARY_PROBE("a newer build's raw record parks");
    return park("a raw record with a field that this build does not know, from " + raw_.source);
  }
  if (envelope == codec::Read::malformed) {
    GRANARY_PROBE("a raw record that does not decode is refused");
    refuse_record(record, "malformed", "a raw record that does not decode");
    return Step::folded;
  }
  switch (decoder_.decode(raw_.substance)) {
    case events::DecodeResult::ok:
      break;
    case events::DecodeResult::unknown_type:
      GRANARY_PROBE("an event of an unknown type parks");
      return park("an event of a type that this build has no rule for (number " +
                  std::to_string(static_cast<int>(events::peek_type(raw_.substance))) + ", from " + raw_.source + ")");
    case events::DecodeResult::newer:
      GRANARY_PROBE("an event with a newer build's field or value parks");
      return park("an event with a field or a value that this build does not know (number " +
                  std::to_string(static_cast<int>(events::peek_type(raw_.substance))) + ", from " + raw_.source + ")");
    case events::DecodeResult::malformed:
      GRANARY_PROBE("a substance that does not decode is refused");
      refuse_record(record, "malformed", "a substance that does not decode");
      return Step::folded;
  }
  const auto named = [this] {
    return std::string(events::type_name(events::type_of(decoder_.event()))) + ", from " + raw_.source;
  };
  const auto entry = events::entry_of(decoder_.event());
  if (!entry) {
    GRANARY_PROBE("a raw event that no door takes parks");
    return park("an event that no door takes (" + named() + ")");
  }
  ++counters_.events;
  const Id16 identity = machine::identity_of(raw_);
  if (auto refused = why_refused(*entry, identity, std::max(form, decoder_.form()))) {
    refuse_raw(*std::move(refused));
    return Step::folded;
  }
  if (!rules_->has_rule(machine::Way::raw, decoder_.event(), rules_version_)) {
    GRANARY_PROBE("a raw event without a rule parks");
    return park("an event that this build has no rule for (" + named() + ")");
  }
  // In every build alike: the version after that in force is taken, or waits for a build that knows it.
  if (const auto* activated = std::get_if<events::RulesActivated>(&decoder_.event());
      activated != nullptr && activated->version == rules_version_ + 1 && activated->version > events::kRulesNewest) {
    GRANARY_PROBE("an activation of rules that this build does not know parks");
    return park(unknown_version(activated->version));
  }
  Outcome outcome = rules_->apply_raw({raw_, decoder_.event(), identity}, context(), *this);
  if (outcome.judgement == machine::Judgement::refused) {
    refuse_raw(std::move(outcome));
    return Step::folded;
  }
  counters_.repeats += outcome.judgement == machine::Judgement::repeat ? 1 : 0;
  note(std::move(outcome));
  return Step::folded;
}

std::optional<Outcome> Fold::why_refused(const events::Entry& entry, const Id16& identity, std::uint16_t form) const {
  if (auto trouble = events::check_envelope(raw_, entry.root)) {
    GRANARY_PROBE("an envelope breaks a rule of form that doors hold");
    return Outcome::refuse(machine::interned(trouble->reason), "", std::move(trouble->hint));
  }
  const bool is_usage = entry.topic == Topic::usage;
  const Id16 key = is_usage && entry.root != nullptr ? machine::root_identity(raw_.root) : identity;
  const std::uint64_t partition = is_usage ? read_u64(view_of(key)) % ledger_.partitions : 0;
  if (entry.topic != inbox_ || partition != shard_) {
    GRANARY_PROBE("a raw event stands in another inbox than its own");
    return Outcome::refuse("wrong_partition", "",
                           "its key belongs to " + std::string(machine::topic_name(entry.topic)) + "/" +
                               std::to_string(partition) + "; post it at a door, which knows where it goes");
  }
  if (form > rules_version_) {
    GRANARY_PROBE("a raw event has a form whose rules are not in force");
    return Outcome::refuse(
        "rules_not_in_force", "",
        "its form came with rules version " + std::to_string(form) + ", in force is " + std::to_string(rules_version_));
  }
  if (auto trouble = events::check_form(decoder_.event())) {
    GRANARY_PROBE("a raw event breaks a rule of form that doors hold");
    return Outcome::refuse(machine::interned(trouble->reason), std::move(trouble->field), std::move(trouble->hint));
  }
  return std::nullopt;
}

void Fold::refuse_raw(Outcome outcome) {
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
  // Of a record that no door wrote they may be as long as a record, and the refusal is one too.
  if (raw_.source.size() <= codec::kTextBytesMax) refused.source = raw_.source;
  if (raw_.id.size() <= codec::kTextBytesMax) refused.id = raw_.id;
  refused.substance_sha256 = to_hex(view_of(machine::substance_hash(raw_)));
  refused.recorded_at = raw_.recorded_at;
  if (raw_.collector.size() <= events::kCollectorBytesMax) refused.collector = raw_.collector;
  publish(machine::shard_partition(machine_, shard_, ledger_.partitions), refused);
  note(std::move(outcome));
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
  publish(machine::shard_partition(machine_, shard_, ledger_.partitions), refused);
  note(Outcome::refuse(reason, "", refused.hint));
}

Fold::Step Fold::fold_packet(BytesView record) {
  PacketView view;
  const codec::Read read = PacketView::read(events::body_of(record), view);
  if (read == codec::Read::newer) {
    GRANARY_PROBE("a newer build's packet parks");
    return park("a packet with a field that this build does not know");
  }
  const auto lane = read == codec::Read::ok ? in_.find({view.machine, view.shard}) : in_.end();
  if (lane == in_.end()) {
    GRANARY_PROBE("a packet is of no lane that leads here");
    ++counters_.lane_alarms;
    alarm_ = read == codec::Read::ok ? "a packet of a lane that does not lead here" : "a packet that does not decode";
    refuse_record(record, read == codec::Read::ok ? "wrong_partition" : "malformed", alarm_);
    return Step::folded;
  }
  PacketView* const packet = &view;
  InLane& state = lane->second;
  const std::uint64_t first = packet->first;
  const Joint joint = join(*packet, state.folded, state.hash);
  if (joint == Joint::gap || joint == Joint::other) {
    if (joint == Joint::gap) GRANARY_PROBE("a packet leaves a gap in its lane");
    if (joint == Joint::other) GRANARY_PROBE("a packet follows another event than was folded");
    ++counters_.lane_alarms;
    alarm_ = "expected event " + std::to_string(state.folded + 1) + " of " +
             std::string(machine::machine_name(packet->machine)) + " shard " + std::to_string(packet->shard) +
             ", got " +
             (joint == Joint::gap ? "a packet from event " + std::to_string(first) + " on"
                                  : "a packet that follows another event " + std::to_string(state.folded));
    return Step::folded;
  }
  if (joint == Joint::old) GRANARY_PROBE("a packet brings only what was folded");
  if (joint == Joint::next && packet->first > first) GRANARY_PROBE("a packet begins with what was folded");
  counters_.repeats_dropped += packet->first - first;
  // All of it is read before anything of it is folded, so that what this build cannot read leaves nothing half done.
  decoder_.clear();
  std::uint64_t rules = rules_version_;
  for (PacketView ahead = *packet; const auto event = ahead.next();) {
    const bool is_read = decoder_.add(*event) == events::DecodeResult::ok;
    const std::string why = is_read ? why_no_rule(*decoder_.events().back(), decoder_.form(), rules)
                                    : "an event of a lane that this build cannot read";
    if (!why.empty()) {
      GRANARY_PROBE("an event of a lane that this build has no rule for parks");
      return park(why + " (number " + std::to_string(ahead.first - 1) + " of " +
                  std::string(machine::machine_name(packet->machine)) + " shard " + std::to_string(packet->shard) +
                  ")");
    }
  }
  for (const events::Event* event : decoder_.events()) {
    state.hash = proof::chain(state.hash, *packet->next());
    state.folded = packet->first - 1;
    state.dirty = true;
    ++counters_.events;
    if (const auto* completed = std::get_if<events::LaneCompleted>(event)) {
      state.completed = std::max(state.completed, completed->instant);
      update_complete();
    } else if (const auto* activated = std::get_if<events::RulesActivated>(event)) {
      if (activated->version > rules_version_)
        activate_rules(activated->version);
      else
        GRANARY_PROBE("a second lane brings the rules that are in force");
    } else {
      rules_->apply_lane({packet->machine, packet->shard, state.folded, *event}, context(), *this);
    }
  }
  return Step::folded;
}

std::string Fold::why_no_rule(const events::Event& event, std::uint16_t form, std::uint64_t& rules) const {
  if (std::holds_alternative<events::LaneCompleted>(event)) return {};
  if (const auto* activated = std::get_if<events::RulesActivated>(&event)) {
    if (activated->version <= rules) return {};
    if (activated->version > events::kRulesNewest) return unknown_version(activated->version);
    if (activated->version != rules + 1)
      return "rules version " + std::to_string(activated->version) + " after version " + std::to_string(rules);
    rules = activated->version;
    return {};
  }
  if (form > rules)
    return "an event in a form of rules version " + std::to_string(form) + ", which is not in force here";
  if (!rules_->has_rule(machine::Way::lane, event, rules))
    return "an event of a lane that this build has no rule for, " +
           std::string(events::type_name(events::type_of(event)));
  return {};
}

// The machine's lanes are told before anything that the new rules emit, so that no event of a newer form meets an older
// rule.
void Fold::activate_rules(std::uint64_t version) {
  GRANARY_CHECK(version == rules_version_ + 1, "a rules version was left out");
  rules_version_ = version;
  for (const Topic topic : machine::kTopics) {
    if (!machine::is_inbox(topic)) continue;
    for (const MachineKind writer : machine::writers_of(topic))
      if (writer == machine_) broadcast(topic, ledger_.partitions, events::RulesActivated{version});
  }
}

std::uint64_t Fold::next_number(Topic topic, std::uint16_t partition) const {
  const auto lane = out_.find({topic, partition});
  return lane == out_.end() ? 1 : lane->second.number + 1;
}

std::uint64_t Fold::send(Topic topic, std::uint16_t partition, BytesView event) {
  const LaneTarget target{topic, partition};
  const auto [found, is_new] = out_.try_emplace(target);
  LaneCounter& lane = found->second;
  if (is_new) lane.hash = chain_start(ledger_.id, machine_, shard_, topic, partition);
  const Hash32 before = lane.hash;
  lane.hash = proof::chain(lane.hash, machine::is_inbox(topic) ? event : outward_chained(event, chained_));
  ++lane.number;
  OpenPacket& packet = open_[target];
  if (!standing_.empty()) {
    if (const auto standing = standing_.find(target);
        standing != standing_.end() && lane.number <= standing->second.number) {
      if (lane.number == standing->second.number) {
        counters_.diverged |= standing->second.hash != (machine::is_inbox(topic) ? lane.hash : outward_hash(event));
        GRANARY_PROBE("a fold comes to the last event that a target held already");
        standing_.erase(standing);
      }
      if (!packet.open) changed_.push_back(target);
      packet.open = true;  // the counter has to be written even though nothing is sent
      return lane.number;
    }
  }
  if (packet.open && !packet.builder.empty() && !packet.builder.fits(event)) {
    GRANARY_PROBE("a packet is full before its commit");
    close_packet(target, packet);
  }
  if (packet.builder.empty()) packet.builder.start(ledger_.id, machine_, shard_, lane.number, before);
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
  if (std::exchange(folded_since_flush_, false)) last_hash_ = proof::sha256(last_record_);
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
  rows.put(Bytes(kPlaceKey), encode_row(PlaceRow{position_, Bytes(view_of(last_hash_)), now_, rules_version_}));
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
  return proof::sha256(encode_row(checkpoint));
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
  if (slot.offset != offset) {
    GRANARY_PROBE("an outcome is asked for that is no longer known");
    return std::nullopt;
  }
  return slot.outcome;
}

}  // namespace granary::runtime
