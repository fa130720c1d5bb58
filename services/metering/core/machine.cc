#include "services/metering/core/machine.h"

#include "shared/base/check.h"
#include "shared/base/probe.h"

namespace granary::metering {
namespace {

using events::UnitKind;
using machine::Context;
using machine::Judgement;
using machine::Out;
using machine::Outcome;
using machine::RawInput;
using machine::Topic;

constexpr std::size_t kSourcesCached = 4096;
constexpr std::size_t kWaitingCached = 4096;

std::uint8_t prefix(Table table) {
  return static_cast<std::uint8_t>(table);
}

Outcome refuse(Refusal refusal, std::string field, std::string hint) {
  return Outcome::refuse(refusal_name(refusal), std::move(field), std::move(hint));
}

Bytes account_key(BytesView cluster, BytesView account) {
  Bytes key;
  append_part(key, cluster);
  append_part(key, account);
  return key;
}

Bytes waiting_key(const Bytes& account, std::uint64_t number) {
  Bytes key = account;
  append_u64(key, number);
  return key;
}

// Whose usage this is: the root's, which for a report is itself.
const std::string& root_source(const events::Raw& raw) {
  return raw.root.source.empty() ? raw.source : raw.root.source;
}

}  // namespace

MeteringMachine::MeteringMachine()
    : ids_(prefix(Table::ids)),
      shard_(prefix(Table::shard), 1),
      sources_(prefix(Table::sources), kSourcesCached),
      waiting_heads_(prefix(Table::waiting_heads), kWaitingCached),
      waiting_(prefix(Table::waiting), kWaitingCached),
      held_(prefix(Table::held), kWaitingCached) {}

void MeteringMachine::open(const store::View& rows) {
  show(rows);
  facts_.open(rows);
  ids_.open(rows);
  if (const ShardRow* row = shard_.find("")) ids_kept_from_ = row->ids_kept_from;
  held_.scan("", [this](BytesView root, const HeldRow&) { return held_roots_.insert(*id_from(root)), true; });
  each_waiting([this](std::string_view, std::string_view, std::uint64_t count) { unbound_ += count; });
}

void MeteringMachine::show(const store::View& rows) {
  shard_.open(rows);
  sources_.open(rows);
  waiting_heads_.open(rows);
  waiting_.open(rows);
  held_.open(rows);
}

ShardRow& MeteringMachine::shard() {
  return shard_.edit("");
}

const MeteringMachine::Rules& MeteringMachine::rules() {
  static const Rules kRules = Rules()
                                  .raw<events::UsageReported, &MeteringMachine::take_report>()
                                  .raw<events::UsageInterim, &MeteringMachine::take_interim>()
                                  .lane<events::PolicyPublished, &MeteringMachine::learn_policy>()
                                  .lane<events::AccountBound, &MeteringMachine::bind_account>()
                                  .lane<events::SourceStated, &MeteringMachine::state_source>();
  return kRules;
}

bool MeteringMachine::has_rule(machine::Way way, const events::Event& event, std::uint64_t version) const {
  return rules().has(way, event, version);
}

Outcome MeteringMachine::apply_raw(const RawInput& input, const Context& context, Out& out) {
  return rules().apply(*this, input, context, out);
}

void MeteringMachine::apply_lane(const machine::LaneInput& input, const Context& context, Out& out) {
  rules().apply(*this, input, context, out);
}

Outcome MeteringMachine::take_report(const events::UsageReported& usage, const RawInput& input, const Context& context,
                                     Out& out) {
  SourceRow& source = sources_.edit(root_source(input.raw));
  ++source.received;
  const Outcome outcome = take(input, usage, context, out);
  switch (outcome.judgement) {
    case Judgement::accepted:
      ++source.metered;
      break;
    case Judgement::repeat:
      ++source.repeated;
      break;
    case Judgement::waiting:
      ++source.pending;
      break;
    case Judgement::refused:
      ++source.rejected;
      break;
  }
  return outcome;
}

Outcome MeteringMachine::take(const RawInput& input, const events::UsageReported& usage, const Context& context,
                              Out& out) {
  const Hash32 basis = basis_.of(usage);
  if (const auto known = ids_.find(input.identity)) return judge_again(known->substance, basis, usage.project, kReport);
  if (input.raw.substance.size() > kSubstanceBytesMax) return too_large();
  if (auto old = too_old(usage.end, context)) return *std::move(old);
  if (auto refused = measure(usage.resources, usage.start, usage.end, metered_.amounts, metered_.classes_version))
    return *std::move(refused);
  const std::int64_t day = units::day_number(std::max(context.now, usage.end));
  const std::string& project =
      usage.project.empty() ? facts_.project_of(usage.cluster, usage.account, usage.start) : usage.project;
  settle(input, usage.end, project, context, out);
  if (!project.empty()) {
    const auto [partition, number] =
        send(input.raw.source, input.raw.id, project, usage, input.raw.notes, input.raw.recorded_at, context, out);
    ids_.add(input.identity, basis, day, partition, number);
    return {Judgement::accepted};
  }
  const Bytes account = account_key(usage.cluster, usage.account);
  WaitingHead& head = waiting_heads_.edit(account);
  WaitingUsage& waiting = waiting_.edit(waiting_key(account, head.next++));
  waiting = {input.raw.source, input.raw.id, input.identity, input.raw.recorded_at, usage, input.raw.notes};
  ++head.count;
  ++unbound_;
  ids_.add(input.identity, basis, day, 0, 0);
  return {Judgement::waiting, "unbound", "/account", "bind the account to a project: granary.account.bound.v1"};
}

Outcome MeteringMachine::judge_again(const Hash32& first, const Hash32& again, const std::string& project,
                                     const Told& told) {
  using machine::BasisDifference;
  const auto other = [&told](const char* field, const char* what) {
    return refuse(Refusal::conflicting_duplicate, field,
                  "what was taken first with this source and id has " + std::string(what) +
                      ", and a report does not change it; give " + told.instead);
  };
  switch (machine::ChargeBasis::compare(first, again)) {
    case BasisDifference::payer:
      return other(project.empty() ? "/account" : "/project", "another project or account");
    case BasisDifference::resources:
      return other("/resources", "other resources");
    case BasisDifference::start:
      return other("/start", "another start");
    case BasisDifference::end:
      return other(told.end_field, "another end");
    case BasisDifference::none:
      break;
  }
  return {Judgement::repeat};
}

Outcome MeteringMachine::too_large() {
  return refuse(Refusal::event_too_large, "",
                "send at most " + std::to_string(kSubstanceBytesMax) + " bytes in one usage: shorter texts or lists");
}

std::optional<Outcome> MeteringMachine::too_old(Instant end, const Context& context) const {
  const auto days = facts_.window_days_at(context.now);
  const bool outside = days && end.ms() < context.now.ms() - *days * units::kDayMs;
  // Where identities were dropped, nothing can be taken any more, however large the window has become since.
  if (!outside && units::day_number(end) >= ids_kept_from_) return std::nullopt;
  if (!outside) GRANARY_PROBE("usage is within a window that grew, and older than the ids that are kept");
  return refuse(Refusal::usage_too_old, "/end",
                "usage is taken for " + std::to_string(days.value_or(0)) +
                    " days after its end; this ledger's time is " + units::format_time(context.now));
}

std::optional<Outcome> MeteringMachine::measure(const std::vector<events::ResourceUsed>& resources, Instant start,
                                                Instant end, std::vector<events::MeteredAmount>& amounts,
                                                std::string& version) const {
  const ClassBook* classes = facts_.classes_at(start);
  amounts.resize(resources.size());
  for (std::size_t i = 0; i < resources.size(); ++i) {
    const events::ResourceUsed& used = resources[i];
    const auto at = [i](const char* name) { return "/resources/" + std::to_string(i) + name; };
    const events::ResourceClass* published = classes == nullptr ? nullptr : classes->find(used.class_name);
    if (published == nullptr) {
      return refuse(Refusal::unknown_resource_class, at("/class"),
                    "`" + used.class_name +
                        "` is not among the classes in force at the usage's start; publish it by "
                        "granary.policy.published.v1 (resource_classes), then send the usage again");
    }
    units::Amount raw = used.amount;
    if (!used.unit.empty()) {
      if (used.unit != units::unit_name(published->unit))
        return refuse(Refusal::unit_differs, at("/unit"),
                      "the class counts " + std::string(units::unit_name(published->unit)));
    } else {
      const units::Held held = units::hold(used.quantity, end.ms() - start.ms(), published->unit);
      if (held.trouble == units::HoldTrouble::not_whole)
        return refuse(Refusal::quantity_too_precise, at("/quantity"), "bytes and items are whole numbers");
      if (held.trouble == units::HoldTrouble::overflow)
        return refuse(Refusal::quantity_overflow, at("/quantity"), "one usage is less than 2^96 base units");
      raw = held.amount;
    }
    events::MeteredAmount& amount = amounts[i];
    amount.class_name = used.class_name;
    amount.unit = published->unit;
    amount.raw = raw;
    amount.charged = published->charging == events::Charging::lots ? raw : units::Amount();
  }
  version = classes == nullptr ? std::string() : classes->version();
  return std::nullopt;
}

std::pair<std::uint16_t, std::uint64_t> MeteringMachine::send(const std::string& source, const std::string& id,
                                                              const std::string& project,
                                                              const events::UsageReported& usage,
                                                              const events::UsageNotes& notes, Instant recorded_at,
                                                              const Context& context, Out& out) {
  metered_.source = source;
  metered_.id = id;
  metered_.project = project;
  metered_.start = usage.start;
  metered_.end = usage.end;
  metered_.bucket_day = units::day_number(std::max(context.now, usage.end));
  metered_.state = usage.state;
  metered_.advance_reservation = usage.advance_reservation;
  metered_.job = usage.job;
  metered_.reservation = usage.reservation;
  metered_.member = notes.member;
  metered_.activity = notes.activity;
  metered_.model = notes.model;
  metered_.recorded_at = recorded_at;
  const std::uint16_t partition = context.router->shard_of(project);
  return {partition, out.emit(Topic::allocations, partition, metered_)};
}

void MeteringMachine::learn_policy(const events::PolicyPublished& policy, const machine::LaneInput&, const Context&,
                                   Out&) {
  facts_.publish(policy, shard());
}

void MeteringMachine::bind_account(const events::AccountBound& binding, const machine::LaneInput&,
                                   const Context& context, Out& out) {
  facts_.bind(binding, shard());
  release(binding, context, out);
}

// Usage that waited for this account goes its way, in the order in which it came, by the facts of now.
void MeteringMachine::release(const events::AccountBound& binding, const Context& context, Out& out) {
  const Bytes account = account_key(binding.cluster, binding.account);
  if (waiting_heads_.find(account) == nullptr) return;
  WaitingHead& head = waiting_heads_.edit(account);
  bool at_front = true;
  for (std::uint64_t number = head.first; number < head.next; ++number) {
    const Bytes key = waiting_key(account, number);
    const WaitingUsage* waiting = waiting_.find(key);
    if (waiting == nullptr) {
      GRANARY_PROBE("usage that waits stands behind a hole of its queue");
    } else {
      const std::string& project = facts_.project_of(binding.cluster, binding.account, waiting->usage.start);
      if (project.empty() || measure(waiting->usage.resources, waiting->usage.start, waiting->usage.end,
                                     metered_.amounts, metered_.classes_version)) {
        GRANARY_PROBE("usage waits on after its account was bound");
        at_front = false;
        continue;
      }
      const auto [partition, sent] = send(waiting->source, waiting->id, project, waiting->usage, waiting->notes,
                                          waiting->recorded_at, context, out);
      // Its bucket may have gone while it waited; then nobody asks for it any more.
      if (ids_.find(waiting->identity))
        ids_.set_lane(waiting->identity, partition, sent);
      else
        GRANARY_PROBE("the id of a usage has gone while the usage waited");
      SourceRow& source = sources_.edit(waiting->source);
      --source.pending;
      ++source.metered;
      waiting_.erase(key);
      --head.count;
      --unbound_;
    }
    if (at_front) head.first = number + 1;
  }
  if (head.count == 0) waiting_heads_.erase(account);
}

void MeteringMachine::state_source(const events::SourceStated& stated, const machine::LaneInput&,
                                   const Context& context, Out& out) {
  SourceRow& source = sources_.edit(stated.source);
  if (stated.complete_through < source.complete_through) GRANARY_PROBE("a source states less than before");
  source.complete_through = std::max(source.complete_through, stated.complete_through);
  source.records = stated.records;
  out.broadcast(Topic::allocations, context.partitions,
                events::SourceCompleted{stated.source, stated.complete_through, stated.records});
}

void MeteringMachine::apply_tick(Instant before, const Context& context, Out&) {
  if (units::day_number(before) == units::day_number(context.now)) return;
  const auto days = facts_.window_days_at(context.now);
  if (!days) return;
  const std::int64_t keep_from = units::day_number(context.now) - *days - 1;
  if (keep_from <= ids_kept_from_) {
    GRANARY_PROBE("a day brings no ids to drop, as the window grew");
    return;
  }
  ids_kept_from_ = keep_from;
  shard().ids_kept_from = keep_from;
  ids_.drop_before(keep_from);
  drop_held_before(keep_from);
}

void MeteringMachine::flush(store::WriteSet& rows) {
  facts_.flush(rows);
  ids_.flush(rows);
  shard_.flush(rows);
  sources_.flush(rows, [](const Bytes&, const SourceRow* row) {
    GRANARY_CHECK(row != nullptr && row->received == row->metered + row->repeated + row->rejected + row->pending,
                  "a usage was lost from sight: received is not metered + repeated + rejected + pending");
  });
  waiting_heads_.flush(rows);
  waiting_.flush(rows);
  held_.flush(rows);
}

void MeteringMachine::committed() {
  facts_.committed();
  shard_.shrink();
  sources_.shrink();
  waiting_heads_.shrink();
  waiting_.shrink();
  held_.shrink();
}

std::vector<machine::Figure> MeteringMachine::figures() {
  return {{"unbound", "unbound_usage", "Usage that waits for its account to be bound to a project", unbound_}};
}

void MeteringMachine::each_source(const std::function<void(std::string_view, const SourceRow&)>& visit) const {
  sources_.scan("", [&visit](BytesView source, const SourceRow& row) { return visit(source, row), true; });
}

void MeteringMachine::each_waiting(
    const std::function<void(std::string_view, std::string_view, std::uint64_t)>& visit) const {
  waiting_heads_.scan("", [&visit](BytesView key, const WaitingHead& head) {
    const auto cluster = take_part(key);
    const auto account = take_part(key);
    GRANARY_CHECK(cluster && account, "a key of waiting usage is malformed");
    visit(*cluster, *account, head.count);
    return true;
  });
}

}  // namespace granary::metering
