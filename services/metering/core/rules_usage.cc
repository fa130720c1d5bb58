// A usage is reported: taken once, measured by the classes in force at its start, sent to its project, or it waits.
#include "services/metering/core/machine.h"

#include <fmt/format.h>
#include "shared/base/probe.h"

namespace granary::metering {

using machine::Context;
using machine::Judgement;
using machine::Out;
using machine::Outcome;
using machine::RawInput;
using machine::Topic;

namespace {

// Whose usage this is: the root's, which for a report is itself.
const std::string& root_source(const events::Raw& raw) {
  return raw.root.source.empty() ? raw.source : raw.root.source;
}

}  // namespace

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
  if (const auto known = ids_.find(input.identity)) return judge_again(known->substance, basis, usage.project);
  if (input.raw.substance.size() > kSubstanceBytesMax) return too_large();
  if (auto old = too_old(usage.end, context)) return *std::move(old);
  if (auto too = too_long(usage.start, usage.end, context)) return *std::move(too);
  if (auto refused = measure(usage.resources, usage.start, usage.end, metered_.amounts, metered_.classes_version))
    return *std::move(refused);
  const std::int64_t day = units::day_number(std::max(context.now, usage.end));
  const std::string& project =
      usage.project.empty() ? facts_.project_of(usage.cluster, usage.account, usage.start) : usage.project;
  const bool is_queued =
      usage.project.empty() && !project.empty() && sweeps_.any() && is_swept(account_key(usage.cluster, usage.account));
  // If it is queued, another binding may still move it to another project: nobody holds anything for it meanwhile.
  settle(input, usage.end, is_queued ? std::string() : project, context, out);
  if (!project.empty() && !is_queued) {
    const auto [partition, number] =
        send(input.raw.source, input.raw.id, project, usage, input.raw.notes, input.raw.recorded_at, context, out);
    ids_.add(input.identity, basis, day, partition, number);
    return {Judgement::accepted};
  }
  wait(input, usage, is_queued ? Waits::for_its_turn : Waits::for_a_binding);
  ids_.add(input.identity, basis, day, 0, 0);
  if (is_queued) {
    GRANARY_PROBE("usage waits behind what its account was bound for");
    return {Judgement::waiting, "queued", "/account", "nothing is to be done: earlier usage of the account goes first"};
  }
  return {Judgement::waiting, "unbound", "/account", "bind the account to a project: granary.account.bound.v1"};
}

Outcome MeteringMachine::judge_again(const Hash32& first, const Hash32& again, const std::string& project) {
  using machine::BasisDifference;
  const auto other = [](const char* field, const char* what) {
    return refuse(
        Refusal::conflicting_duplicate, field,
        fmt::format("what was taken first with this source and id has {}, and a report does not change it; give "
                    "another run of the job its own start in the id",
                    what));
  };
  switch (machine::ChargeBasis::compare(first, again)) {
    case BasisDifference::payer:
      return other(project.empty() ? "/account" : "/project", "another project or account");
    case BasisDifference::resources:
      return other("/resources", "other resources");
    case BasisDifference::start:
      return other("/start", "another start");
    case BasisDifference::end:
      return other("/end", "another end");
    case BasisDifference::none:
      break;
  }
  return {Judgement::repeat};
}

Outcome MeteringMachine::too_large() {
  return refuse(Refusal::event_too_large, "",
                fmt::format("send at most {} bytes in one usage: shorter texts or lists", kSubstanceBytesMax));
}

std::optional<Outcome> MeteringMachine::too_old(Instant end, const Context& context) const {
  const auto days = facts_.window_days_at(context.now);
  const bool outside = days && end.ms() < context.now.ms() - *days * units::kDayMs;
  // If the identities of that day were dropped, nothing of it can be taken, even if the window has grown since.
  if (!outside && units::day_number(end) >= ids_kept_from_) return std::nullopt;
  if (!outside) GRANARY_PROBE("usage is within a window that grew, and older than the ids that are kept");
  return refuse(Refusal::usage_too_old, "/end",
                fmt::format("usage is taken for {} days after its end; this ledger's time is {}", days.value_or(0),
                            units::format_time(context.now)));
}

// A usage is cut at the edges of months and lots, and each piece is charged: its length bounds the work on it.
std::optional<Outcome> MeteringMachine::too_long(Instant start, Instant end, const Context& context) const {
  const std::int64_t days = facts_.usage_days_max_at(context.now);
  if (end.ms() - start.ms() <= days * units::kDayMs) return std::nullopt;
  return refuse(
      Refusal::usage_too_long, "/start",
      fmt::format("one usage lasts at most {} days here (policy acceptance_window, usage_days_max), from {} on for "
                  "this end; is the start unset?",
                  days, units::format_time(Instant(end.ms() - days * units::kDayMs))));
}

std::optional<Outcome> MeteringMachine::measure(const std::vector<events::ResourceUsed>& resources, Instant start,
                                                Instant end, std::vector<events::MeteredAmount>& amounts,
                                                std::string& version) const {
  const ClassBook* classes = facts_.classes_at(start);
  amounts.resize(resources.size());
  for (std::size_t i = 0; i < resources.size(); ++i) {
    const events::ResourceUsed& used = resources[i];
    const auto at = [i](const char* name) { return fmt::format("/resources/{}{}", i, name); };
    const events::ResourceClass* published = classes == nullptr ? nullptr : classes->find(used.class_name);
    if (published == nullptr) {
      return refuse(Refusal::unknown_resource_class, at("/class"),
                    fmt::format("`{}` is not among the classes in force at the usage's start; publish it by "
                                "granary.policy.published.v1 (resource_classes), then send the usage again",
                                used.class_name));
    }
    units::Amount raw = used.amount;
    if (!used.unit.empty()) {
      if (used.unit != units::unit_name(published->unit))
        return refuse(Refusal::unit_differs, at("/unit"),
                      "the class counts " + std::string(units::unit_name(published->unit)));
    } else {
      const units::OverTime held = units::over_time(used.quantity, end.ms() - start.ms(), published->unit);
      if (held.trouble == units::OverTimeTrouble::not_whole)
        return refuse(Refusal::quantity_too_precise, at("/quantity"), "bytes and items are whole numbers");
      if (held.trouble == units::OverTimeTrouble::overflow)
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

}  // namespace granary::metering
