// Interim figures of running jobs, and the end of what projects hold for them: with the final report, whatever project
// it names, and with a figure that names another project.
#include "services/metering/core/machine.h"
#include "shared/base/probe.h"

namespace granary::metering {

using machine::Context;
using machine::Judgement;
using machine::Out;
using machine::Outcome;
using machine::Topic;

Outcome MeteringMachine::take_interim(const events::UsageInterim& usage, const machine::RawInput& input,
                                      const Context& context, Out& out) {
  SourceRow& source = sources_.edit(usage.root.source);
  ++source.interim;
  // What says nothing new is a repeat. A figure is known by its job and its time; which id it has does not matter. So
  // the newest one stands for all of a job's figures, and they take no place among the identities.
  const Id16 root = machine::root_identity(usage.root);
  if (ids_.find(root)) {
    GRANARY_PROBE("a figure comes after the final report");
    return {Judgement::repeat};
  }
  const HeldRow* held = held_.find(view_of(root));
  if (held != nullptr && usage.measured_at <= held->measured_at) {
    if (usage.measured_at < held->measured_at) GRANARY_PROBE("a figure comes after a newer one");
    return {Judgement::repeat};
  }
  if (input.raw.substance.size() > kSubstanceBytesMax) return too_large();
  if (auto old = too_old(usage.measured_at, context)) return *std::move(old);
  events::UsageHeld figure;
  if (auto too = too_long(usage.start, usage.measured_at, context)) return *std::move(too);
  if (auto refused = measure(usage.resources, usage.start, usage.measured_at, figure.amounts, figure.classes_version))
    return *std::move(refused);
  const std::string& project =
      usage.project.empty() ? facts_.project_of(usage.cluster, usage.account, usage.start) : usage.project;
  if (held != nullptr && held->project != project) {
    GRANARY_PROBE("a figure names another project than the one before");
    send_settled(*held, usage.root.source, usage.root.id, usage.measured_at, context, out);
  }
  held_.edit(view_of(root)) = {project, usage.measured_at};
  held_roots_.insert(root);
  if (project.empty()) {
    GRANARY_PROBE("a figure is of an account that is not bound");
    return {Judgement::accepted};
  }
  figure.source = usage.root.source;
  figure.id = usage.root.id;
  figure.project = project;
  figure.start = usage.start;
  figure.measured_at = usage.measured_at;
  figure.advance_reservation = usage.advance_reservation;
  figure.job = usage.job;
  figure.reservation = usage.reservation;
  out.emit(Topic::allocations, context.router->shard_of(project), figure);
  return {Judgement::accepted};
}

void MeteringMachine::settle(const machine::RawInput& report, Instant end, const std::string& project,
                             const Context& context, Out& out) {
  // A report's identity is that of its root.
  const auto found = held_roots_.find(report.identity);
  if (found == held_roots_.end()) return;
  // Its own project releases the hold as it folds the usage.
  if (const HeldRow* held = held_.find(view_of(report.identity)); held->project != project) {
    GRANARY_PROBE("a final report names another project than the hold");
    send_settled(*held, report.raw.source, report.raw.id, end, context, out);
  }
  held_.erase(view_of(report.identity));
  held_roots_.erase(found);
}

void MeteringMachine::send_settled(const HeldRow& held, const std::string& source, const std::string& id, Instant at,
                                   const Context& context, Out& out) {
  if (held.project.empty()) return;  // nobody holds anything
  out.emit(Topic::allocations, context.router->shard_of(held.project),
           events::HoldSettled{source, id, held.project, at});
}

// A job that was never reported again: its hold has lapsed where it was held.
void MeteringMachine::drop_held_before(std::int64_t day) {
  std::vector<Id16> gone;
  held_.scan("", [&](BytesView root, const HeldRow& held) {
    if (units::day_number(held.measured_at) < day) gone.push_back(*id_from(root));
    return true;
  });
  for (const Id16& root : gone) {
    GRANARY_PROBE("a running job that was never reported again is forgotten");
    held_.erase(view_of(root));
    held_roots_.erase(root);
  }
}

}  // namespace granary::metering
