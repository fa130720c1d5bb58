#include "tests/support/toy_machine.h"

#include "shared/proof/hash.h"

namespace granary::test {

using machine::Context;
using machine::Judgement;
using machine::MachineKind;
using machine::Out;
using machine::Outcome;
using machine::Topic;
using units::Amount;
using units::Instant;

namespace {

constexpr Instant kStart{1'790'000'000'000};
constexpr std::string_view kVia = "via:";

events::ChargePart part_of(Amount amount) {
  events::ChargePart part;
  part.class_name = "toy";
  part.unit = units::UnitKind::item;
  part.amount = amount;
  part.from_account = events::Account::outside;
  part.to_account = events::Account::uncovered;
  part.funding = events::PartFunding::uncovered_bill;
  return part;
}

}  // namespace

std::string organisation_of(std::string_view project) {
  return "o-" + std::string(project.substr(project.size() - 1));
}

bool ToyMachine::has_rule(machine::Way way, const events::Event& event, std::uint64_t) const {
  if (way == machine::Way::lane)
    return std::holds_alternative<events::SourceCompleted>(event) ||
           std::holds_alternative<events::UsageMetered>(event) || std::holds_alternative<events::UsageCharged>(event);
  return std::holds_alternative<events::SourceStated>(event) || std::holds_alternative<events::UsageReported>(event) ||
         std::holds_alternative<events::RulesActivated>(event);
}

ToySum& ToyMachine::add(BytesView key, Amount amount) {
  ToySum& sum = sums_.edit(key);
  ++sum.events;
  sum.amount += amount;
  return sum;
}

Outcome ToyMachine::apply_raw(const machine::RawInput& input, const Context& context, Out& out) {
  if (const ToyId* known = ids_.find(view_of(input.identity))) {
    if (known->substance == view_of(machine::substance_hash(input.raw))) return {Judgement::repeat};
    return Outcome::refuse("conflicting_duplicate", "", "send another id");
  }
  const auto* stated = std::get_if<events::SourceStated>(&input.event);
  const auto* usage = std::get_if<events::UsageReported>(&input.event);
  if ((kind_ == MachineKind::intake && stated == nullptr) || (kind_ == MachineKind::metering && usage == nullptr))
    return Outcome::refuse("toy_refuses", "", "send it elsewhere");
  if (usage != nullptr && usage->project == "nobody") return Outcome::refuse("toy_refuses", "/project", "name one");
  GRANARY_CHECK(usage == nullptr || usage->project != "lawless", "a law of the toy is broken");
  ids_.edit(view_of(input.identity)).substance = view_of(machine::substance_hash(input.raw));
  if (usage != nullptr) {
    meter(input, context, out);
  } else {
    add(stated->source, Amount(static_cast<std::int64_t>(stated->records)));
    for (const Topic topic : {Topic::usage, Topic::allocations, Topic::ledger})
      out.broadcast(topic, context.partitions,
                    events::SourceCompleted{stated->source, stated->complete_through, stated->records});
  }
  return {};
}

void ToyMachine::meter(const machine::RawInput& input, const Context& context, Out& out) {
  const auto& usage = std::get<events::UsageReported>(input.event);
  const Amount amount = usage.resources.front().amount + Amount(added_);
  add(usage.project, amount);
  events::UsageMetered metered;
  metered.source = input.raw.source;
  metered.id = input.raw.id;
  metered.project = usage.project;
  metered.start = usage.start;
  metered.end = usage.end;
  metered.amounts = {{"toy", units::UnitKind::item, amount, amount}};
  metered.recorded_at = input.raw.recorded_at;
  out.emit(Topic::allocations, context.router->shard_of(usage.project), metered);
}

void ToyMachine::apply_lane(const machine::LaneInput& input, const Context& context, Out& out) {
  if (const auto* fact = std::get_if<events::SourceCompleted>(&input.event)) {
    add(fact->source, Amount(static_cast<std::int64_t>(fact->records)));
  } else if (const auto* metered = std::get_if<events::UsageMetered>(&input.event)) {
    if (metered->project.starts_with(kVia)) {
      events::UsageMetered passed = *metered;
      passed.project = metered->project.substr(kVia.size());
      out.emit(Topic::allocations, context.router->shard_of(passed.project), passed);
      return;
    }
    const Amount amount = metered->amounts.front().charged + Amount(kind_ == MachineKind::allocation ? added_ : 0);
    const std::uint64_t count = add(metered->project, amount).events;
    events::UsageCharged charged;
    charged.source = metered->source;
    charged.id = metered->id;
    charged.project = metered->project;
    charged.organisation = organisation_of(metered->project);
    charged.recorded_at = metered->recorded_at;
    charged.metering_shard = input.shard;
    charged.metering_number = input.number;
    charged.parts = {part_of(amount)};
    out.emit(Topic::ledger, context.router->shard_of(charged.organisation), charged);
    if (count % 5 != 0) return;
    events::LotExhausted notice;
    notice.project = charged.project;
    notice.organisation = charged.organisation;
    notice.lot = count;
    notice.class_name = "toy";
    notice.unit = units::UnitKind::item;
    notice.amount = amount;
    notice.at = context.now;
    out.publish(context.shard, notice);
  } else if (const auto* charged = std::get_if<events::UsageCharged>(&input.event)) {
    const Amount amount = charged->parts.front().amount + Amount(added_);
    add(charged->organisation, amount);
    events::ChargeRated line;
    char id[machine::kOutwardIdMax];
    const std::uint64_t number = out.next_number(Topic::billing, context.shard);
    line.line.assign(id, machine::write_outward_id(id, context.shard, number));
    line.organisation = charged->organisation;
    line.project = charged->project;
    line.resource = "toy";
    line.period = line.booked = "2026-10";
    line.unit = units::UnitKind::item;
    line.amount = amount;
    line.funding = events::PartFunding::uncovered_bill;
    line.root = {charged->source, charged->id};
    line.currency = "EUR";
    out.publish(context.shard, line);
  }
}

void ToyMachine::apply_tick(Instant, const Context& context, Out&) {
  ToyClock& clock = clock_.edit("");
  ++clock.ticks;
  clock.now = context.now;
  clock.complete = context.complete;
}

ToySum ToyMachine::sum(BytesView key) {
  const ToySum* found = sums_.find(key);
  return found == nullptr ? ToySum{} : *found;
}

ToyClock ToyMachine::clock() {
  const ToyClock* found = clock_.find("");
  return found == nullptr ? ToyClock{} : *found;
}

Bytes toy_raw(const std::string& id, Bytes substance) {
  events::Raw raw;
  raw.source = "toy";
  raw.id = id;
  raw.time = raw.recorded_at = kStart;
  raw.caller.kind = events::CallerKind::open;
  raw.substance = std::move(substance);
  return events::encode_record(kTestLedger, raw);
}

Bytes toy_usage(const std::string& id, const std::string& project, std::int64_t amount) {
  events::UsageReported usage;
  usage.project = project;
  usage.resources = {{"toy", {}, Amount(amount), "item"}};
  usage.start = kStart;
  usage.end = kStart.plus_ms(1);
  Bytes substance;
  events::encode_event(usage, substance);
  return toy_raw(id, std::move(substance));
}

Bytes toy_stated(const std::string& id, const std::string& key, std::uint64_t records) {
  Bytes substance;
  events::encode_event(events::SourceStated{key, kStart, records}, substance);
  return toy_raw(id, std::move(substance));
}

Bytes toy_tick(std::int64_t ms) {
  return events::encode_record(kTestLedger, events::Tick{Instant(ms)});
}

std::uint16_t toy_shard(const std::string& id, std::uint16_t partitions) {
  return proof::shard_of({"toy", id}, partitions);
}

std::string id_in(std::uint16_t shard, const std::string& stem) {
  for (int n = 0;; ++n)
    if (std::string id = stem + std::to_string(n); toy_shard(id, 2) == shard) return id;
}

Bytes toy_newer(std::uint8_t kind_and_version) {
  Bytes record = toy_tick(5);
  record[events::kFrontBytes - 1] = static_cast<char>(kind_and_version);
  return record;
}

}  // namespace granary::test
