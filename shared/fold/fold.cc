#include "shared/fold/fold.h"

#include <fmt/format.h>

#include "shared/base/check.h"
#include "shared/base/probe.h"
#include "shared/fold/record_checks.h"
#include "shared/proof/hash.h"

namespace granary::runtime {
namespace {

using events::RecordKind;
using machine::Outcome;

// How often a shard tells its progress on its lanes. What closes by `complete` waits this long, and each time costs a
// record on every lane.
constexpr std::int64_t kCompletionGridMs = 5 * units::kMinuteMs;
// In a ledger of more partitions than this, each hour: P partitions cost 2 P² + 3 P records each time.
constexpr std::uint16_t kOftenUpTo = 16;
constexpr std::int64_t kSparseCompletionGridMs = units::kHourMs;

Instant floor_to_grid(Instant at, std::uint16_t partitions) {
  return Instant(at.ms() - at.ms() % (partitions <= kOftenUpTo ? kCompletionGridMs : kSparseCompletionGridMs));
}

}  // namespace

Fold::Fold(const Ledger& ledger, MachineKind machine, std::uint16_t shard, std::unique_ptr<Machine> rules)
    : ledger_(ledger),
      machine_(machine),
      shard_(shard),
      inbox_(machine::inbox_of(machine)),
      rules_(std::move(rules)),
      router_(ledger.partitions),
      in_(ledger, machine, shard),
      out_(ledger, machine, shard) {}

void Fold::open(const store::View& whole) {
  if (const auto value = whole.get(kPlaceKey)) {
    const auto row = decode_row<PlaceRow>(*value);
    position_ = row.position;
    events_done_ = row.events;
    last_hash_ = hash_from(row.last_hash).value_or(Hash32{});
    now_ = row.now;
    rules_version_ = row.rules;
  }
  in_.open(whole);
  out_.open(whole);
  const auto stamp = whole.get(kStampKey);
  stamped_ = stamp && decode_row<StampRow>(*stamp) == own_stamp(rules_->row_form());
  domain_ = std::make_unique<DomainView>(whole);
  rules_->open(*domain_);
  complete_ = in_.complete(now_);
  if (const auto until = rules_->swept_until(context())) complete_ = std::min(complete_, *until);
}

machine::Context Fold::context() {
  return {machine_, shard_, ledger_.partitions, position_, now_, complete_, &router_, rules_version_};
}

Fold::Step Fold::park(std::string reason) {
  park_reason_ = std::move(reason);
  return Step::parked;
}

Fold::Step Fold::fold_until(BytesView record, std::uint64_t events) {
  // An older build was started again over the state of a newer one.
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
      GRANARY_PROBE("a record of another ledger, or without a mark, is refused");
      refuse_record(record, "foreign", "only Granary's doors and machines may write here; find out what else does");
      break;
    case events::Whose::known:
      step = fold_known(record, *events::kind_of(record), events);
      break;
  }
  if (step != Step::folded) return step;
  events_done_ = 0;
  last_record_.assign(record);
  folded_since_flush_ = true;
  ++position_;
  return step;
}

Fold::Step Fold::fold_known(BytesView record, RecordKind kind, std::uint64_t events) {
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
        GRANARY_PROBE("an invalid tick is refused");
        refuse_record(record, "malformed",
                      "a tick that does not decode, or whose time is not of the years 1970 to 9999");
      }
      return Step::folded;
    }
    case RecordKind::raw:
      return fold_raw(record);
    case RecordKind::packet:
      return fold_packet(record, events);
    case RecordKind::checkpoint:
      GRANARY_PROBE("an inbox has a checkpoint record");
      refuse_record(record, "wrong_partition", "a checkpoint belongs to the topic of checkpoints, not to an inbox");
      return Step::folded;
  }
  return Step::folded;
}

Fold::Step Fold::fold_genesis(BytesView record) {
  events::Genesis genesis;
  const codec::Read read = codec::read_message(events::body_of(record), genesis);
  if (read == codec::Read::newer) return park("a genesis record with a field that this build does not know");
  if (read != codec::Read::ok || position_ != 0 || genesis.ledger != ledger_.id) {
    GRANARY_PROBE("an inbox has a second genesis record");
    refuse_record(record, "foreign", "only the first record of a partition is a genesis record");
    return Step::folded;
  }
  if (genesis.rules > events::kRulesNewest) {
    GRANARY_PROBE("a ledger begins with rules that this build does not know");
    return park(fmt::format("a ledger that begins with rules version {}; this build knows up to {}", genesis.rules,
                            events::kRulesNewest));
  }
  rules_version_ = genesis.rules;
  return Step::folded;
}

void Fold::fold_tick(Instant instant) {
  if (instant <= now_) return;
  const Instant before = std::exchange(now_, instant);
  complete_ = in_.complete(now_);
  if (rules_->has_sweeps(context())) rules_->sweep(machine::kSweepRowsOfTick, context(), *this);
  rules_->apply_tick(before, context(), *this);
  if (const auto until = rules_->swept_until(context())) complete_ = std::min(complete_, *until);
  const Instant edge = floor_to_grid(now_, ledger_.partitions);
  if (edge <= floor_to_grid(before, ledger_.partitions)) return;
  const events::LaneCompleted completed{std::min(edge, complete_)};
  for (const Topic topic : machine::kTopics)
    if (writes_to(topic) && machine::counts_for_complete(machine_, topic))
      broadcast(topic, ledger_.partitions, completed);
}

void Fold::go_on_with_sweeps() {
  const machine::Context at = context();
  if (rules_->has_sweeps(at)) [[unlikely]]
    rules_->sweep(machine::kSweepRows, at, *this);
}

bool Fold::writes_to(Topic inbox) const {
  return machine::is_inbox(inbox) && ledger_.topology->row(inbox).writers.contains(machine_);
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
  const auto numbered = [this] {
    return fmt::format("number {}, from {}", static_cast<int>(events::peek_type(raw_.substance)), raw_.source);
  };
  switch (decoder_.decode(raw_.substance)) {
    case events::DecodeResult::ok:
      break;
    case events::DecodeResult::unknown_type:
      GRANARY_PROBE("an event of an unknown type parks");
      return park(fmt::format("an event of a type that this build has no rule for ({})", numbered()));
    case events::DecodeResult::newer:
      GRANARY_PROBE("an event with a newer build's field or value parks");
      return park(fmt::format("an event with a field or a value that this build does not know ({})", numbered()));
    case events::DecodeResult::malformed:
      GRANARY_PROBE("a substance that does not decode is refused");
      refuse_record(record, "malformed", "a substance that does not decode");
      return Step::folded;
  }
  const auto named = [this] {
    return fmt::format("{}, from {}", events::type_name(events::type_of(decoder_.event())), raw_.source);
  };
  const auto entry = events::entry_of(decoder_.event());
  if (!entry) {
    GRANARY_PROBE("a raw event that no door takes parks");
    return park(fmt::format("an event that no door takes ({})", named()));
  }
  ++counters_.events;
  const Id16 identity = machine::identity_of(raw_);
  if (auto refused =
          why_refused(raw_, decoder_.event(), std::max(form, decoder_.form()), *entry, identity, context())) {
    refuse_raw(*std::move(refused));
    return Step::folded;
  }
  if (!rules_->has_rule(machine::Way::raw, decoder_.event(), rules_version_)) {
    GRANARY_PROBE("a raw event without a rule parks");
    return park(fmt::format("an event that this build has no rule for ({})", named()));
  }
  // The same in every build: the next version is taken, or waits for a build that knows it.
  if (const auto* activated = std::get_if<events::RulesActivated>(&decoder_.event());
      activated != nullptr && activated->version == rules_version_ + 1 && activated->version > events::kRulesNewest) {
    GRANARY_PROBE("an activation of rules that this build does not know parks");
    return park(unknown_version(activated->version));
  }
  go_on_with_sweeps();
  Outcome outcome = rules_->apply_raw({raw_, decoder_.event(), identity}, context(), *this);
  if (outcome.judgement == machine::Judgement::refused) {
    refuse_raw(std::move(outcome));
    return Step::folded;
  }
  counters_.repeats += outcome.judgement == machine::Judgement::repeat ? 1 : 0;
  outcomes_.note(position_, std::move(outcome));
  return Step::folded;
}

void Fold::refuse_raw(Outcome outcome) {
  count_refusal(outcome.reason);
  publish(machine::shard_partition(machine_, shard_, ledger_.partitions),
          refusal_of_raw(raw_, decoder_.event(), outcome, context()));
  outcomes_.note(position_, std::move(outcome));
}

void Fold::refuse_record(BytesView record, std::string_view reason, std::string hint) {
  count_refusal(reason);
  publish(machine::shard_partition(machine_, shard_, ledger_.partitions),
          refusal_of_record(record, reason, hint, context()));
  outcomes_.note(position_, Outcome::refuse(reason, "", std::move(hint)));
}

void Fold::count_refusal(std::string_view reason) {
  ++counters_.refusals;
  ++counters_.refusals_by_name[reason];
}

Fold::Step Fold::fold_packet(BytesView record, std::uint64_t events) {
  PacketView packet;
  const codec::Read read = PacketView::read(events::body_of(record), packet);
  if (read == codec::Read::newer) {
    GRANARY_PROBE("a newer build's packet parks");
    return park("a packet with a field that this build does not know");
  }
  LanesIn::Lane* const lane = read == codec::Read::ok ? in_.find(packet.machine, packet.shard) : nullptr;
  if (lane == nullptr) {
    GRANARY_PROBE("a packet is of no lane that leads here");
    ++counters_.lane_alarms;
    alarm_ = read == codec::Read::ok ? "a packet of a lane that does not lead here" : "a packet that does not decode";
    refuse_record(record, read == codec::Read::ok ? "wrong_partition" : "malformed", alarm_);
    return Step::folded;
  }
  const std::uint64_t first = packet.first;
  const Joint joint = join(packet, lane->folded, lane->hash);
  if (joint == Joint::gap || joint == Joint::other) {
    if (joint == Joint::gap) GRANARY_PROBE("a packet leaves a gap in its lane");
    if (joint == Joint::other) GRANARY_PROBE("a packet follows another event than was folded");
    ++counters_.lane_alarms;
    const std::string got = joint == Joint::gap ? fmt::format("a packet from event {} on", first)
                                                : fmt::format("a packet that follows another event {}", lane->folded);
    alarm_ = fmt::format("expected event {} of {} shard {}, got {}", lane->folded + 1,
                         machine::machine_name(packet.machine), packet.shard, got);
    return Step::folded;
  }
  const std::uint64_t folded_before = packet.first - first;
  // The whole packet is read before any of it is folded: if this build cannot read an event, nothing is half done.
  decoder_.clear();
  std::uint64_t rules = rules_version_;
  for (PacketView ahead = packet; const auto event = ahead.next();) {
    const bool is_read = decoder_.add(*event) == events::DecodeResult::ok;
    const std::string why = is_read ? why_no_rule(*decoder_.events().back(), decoder_.form(), *rules_, rules)
                                    : "an event of a lane that this build cannot read";
    if (!why.empty()) {
      GRANARY_PROBE("an event of a lane that this build has no rule for parks");
      return park(fmt::format("{} (number {} of {} shard {})", why, ahead.first - 1,
                              machine::machine_name(packet.machine), packet.shard));
    }
  }
  if (events_done_ == 0) {
    if (joint == Joint::old) GRANARY_PROBE("a packet brings only what was folded");
    if (joint == Joint::next && folded_before > 0) GRANARY_PROBE("a packet begins with what was folded");
    counters_.repeats_dropped += folded_before;
    events_done_ = folded_before;
  }
  const std::uint64_t sent_before = out_.bytes_sent();
  for (const events::Event* event : decoder_.events()) {
    if (events_done_ >= events) return Step::unfinished;
    if (out_.bytes_sent() - sent_before > step_bytes_) {
      GRANARY_PROBE("a record is folded in several steps");
      return Step::unfinished;
    }
    LanesIn::advance(*lane, *packet.next());
    ++events_done_;
    ++counters_.events;
    if (const auto* completed = std::get_if<events::LaneCompleted>(event)) {
      lane->completed = std::max(lane->completed, completed->instant);
      complete_ = in_.complete(now_);
      if (const auto until = rules_->swept_until(context())) complete_ = std::min(complete_, *until);
    } else if (const auto* activated = std::get_if<events::RulesActivated>(event)) {
      if (activated->version > rules_version_)
        activate_rules(activated->version);
      else
        GRANARY_PROBE("a second lane brings the rules that are in force");
    } else {
      go_on_with_sweeps();
      rules_->apply_lane({packet.machine, packet.shard, lane->folded, *event}, context(), *this);
    }
  }
  return Step::folded;
}

// The activation goes out on the machine's lanes before anything that the new rules emit, so that no event of a newer
// form meets an older rule.
void Fold::activate_rules(std::uint64_t version) {
  GRANARY_CHECK(version == rules_version_ + 1, "a rules version was left out");
  rules_version_ = version;
  for (const Topic topic : machine::kTopics)
    if (writes_to(topic)) broadcast(topic, ledger_.partitions, events::RulesActivated{version});
}

void Fold::flush(store::WriteSet& rows, std::vector<OutPacket>& ready) {
  if (std::exchange(folded_since_flush_, false)) last_hash_ = proof::sha256(last_record_);
  store::WriteSet domain;
  const auto swept_until = rules_->swept_until(context());
  rules_->flush(domain);
  for (const auto& [key, value] : domain.changes()) {
    Bytes full(1, kDomain);
    full.append(key);
    if (value)
      rows.put(std::move(full), *value);
    else
      rows.erase(std::move(full));
  }
  rows.put(Bytes(kPlaceKey), encode_row(PlaceRow{position_, Bytes(view_of(last_hash_)), now_, rules_version_,
                                                 events_done_, swept_until}));
  if (!std::exchange(stamped_, true)) rows.put(Bytes(kStampKey), encode_row(own_stamp(rules_->row_form())));
  in_.flush(rows);
  out_.flush(rows, ready);
}

events::Checkpoint Fold::checkpoint() const {
  events::Checkpoint checkpoint;
  checkpoint.topic = machine::topic_name(inbox_);
  checkpoint.partition = shard_;
  checkpoint.size = position_;
  checkpoint.last_record_hash = Bytes(view_of(last_hash_));
  in_.describe(checkpoint);
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
  const LanesIn::Lane* const lane = in_.find(machine, shard);
  return lane == nullptr ? 0 : lane->folded;
}

}  // namespace granary::runtime
