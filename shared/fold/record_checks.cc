#include "shared/fold/record_checks.h"

#include <fmt/format.h>

#include "shared/base/probe.h"
#include "shared/codec/limits.h"
#include "shared/proof/hash.h"

namespace granary::runtime {
namespace {

using machine::Outcome;
using machine::Topic;

events::RecordRefused refusal_at(const machine::Context& context) {
  events::RecordRefused refused;
  refused.machine = context.machine;
  refused.topic = machine::topic_name(machine::inbox_of(context.machine));
  refused.partition = context.shard;
  refused.offset = context.offset;
  return refused;
}

}  // namespace

std::string unknown_version(std::uint64_t version) {
  return fmt::format("rules version {}, of which this build knows nothing; it knows up to {}", version,
                     events::kRulesNewest);
}

std::optional<Outcome> why_refused(const events::Raw& raw, const events::Event& event, std::uint16_t form,
                                   const events::Entry& entry, const Id16& identity, const machine::Context& context) {
  if (auto trouble = events::check_envelope(raw, entry.root)) {
    GRANARY_PROBE("an envelope breaks a rule of form that doors hold");
    return Outcome::refuse(machine::interned(trouble->reason), "", std::move(trouble->hint));
  }
  const bool is_usage = entry.topic == Topic::usage;
  const Id16 key = is_usage && entry.root != nullptr ? machine::root_identity(raw.root) : identity;
  const std::uint64_t partition = is_usage ? read_u64(view_of(key)) % context.partitions : 0;
  if (entry.topic != machine::inbox_of(context.machine) || partition != context.shard) {
    GRANARY_PROBE("a raw event is in another inbox than its own");
    return Outcome::refuse("wrong_partition", "",
                           fmt::format("its key belongs to {}/{}; post it to a door, which appends it there",
                                       machine::topic_name(entry.topic), partition));
  }
  if (form > context.rules) {
    GRANARY_PROBE("a raw event has a form whose rules are not in force");
    return Outcome::refuse(
        "rules_not_in_force", "",
        fmt::format("its form came with rules version {}, but version {} is in force", form, context.rules));
  }
  if (auto trouble = events::check_form(event)) {
    GRANARY_PROBE("a raw event breaks a rule of form that doors hold");
    return Outcome::refuse(machine::interned(trouble->reason), std::move(trouble->field), std::move(trouble->hint));
  }
  return std::nullopt;
}

std::string why_no_rule(const events::Event& event, std::uint16_t form, const machine::Machine& machine,
                        std::uint64_t& rules) {
  if (std::holds_alternative<events::LaneCompleted>(event)) return {};
  if (const auto* activated = std::get_if<events::RulesActivated>(&event)) {
    if (activated->version <= rules) return {};
    if (activated->version > events::kRulesNewest) return unknown_version(activated->version);
    if (activated->version != rules + 1)
      return fmt::format("rules version {} after version {}", activated->version, rules);
    rules = activated->version;
    return {};
  }
  if (form > rules) return fmt::format("an event in a form of rules version {}, which is not in force here", form);
  if (!machine.has_rule(machine::Way::lane, event, rules))
    return fmt::format("an event of a lane that this build has no rule for, {}",
                       events::type_name(events::type_of(event)));
  return {};
}

events::RecordRefused refusal_of_record(BytesView record, std::string_view reason, std::string_view hint,
                                        const machine::Context& context) {
  events::RecordRefused refused = refusal_at(context);
  refused.reason = reason;
  refused.hint = hint;
  refused.substance_sha256 = to_hex(view_of(proof::sha256(record)));
  return refused;
}

events::RecordRefused refusal_of_raw(const events::Raw& raw, const events::Event& event, const Outcome& outcome,
                                     const machine::Context& context) {
  events::RecordRefused refused = refusal_at(context);
  refused.reason = outcome.reason;
  refused.field = outcome.field;
  refused.hint = outcome.hint;
  refused.type = events::type_name(events::type_of(event));
  // If no door wrote the record, these may be as long as a record; the refusal has to fit one too.
  if (raw.source.size() <= codec::kTextBytesMax) refused.source = raw.source;
  if (raw.id.size() <= codec::kTextBytesMax) refused.id = raw.id;
  refused.substance_sha256 = to_hex(view_of(machine::substance_hash(raw)));
  refused.recorded_at = raw.recorded_at;
  if (raw.collector.size() <= events::kCollectorBytesMax) refused.collector = raw.collector;
  return refused;
}

}  // namespace granary::runtime
