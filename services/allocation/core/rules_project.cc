// A project is opened: usage that waited for it is charged.
#include "services/allocation/core/machine.h"

namespace granary::allocation {

void AllocationMachine::open_project(const events::ProjectOpened& opened, const Input& input, const Context& context,
                                     Out& out) {
  GRANARY_CHECK(find_project(opened.project) == nullptr, "a project was opened twice");
  ProjectRow& row = projects_.edit(keys_.project(opened.project));
  row.organisation = opened.organisation;
  row.customer_kind = opened.customer_kind;
  row.purpose = opened.purpose;
  row.from = opened.from;
  row.refs = opened.refs;
  for (const events::Ref& ref : opened.refs) refs_.edit(ref_key(ref)).project = opened.project;
  out.publish(context.shard, opened);
  if (waiting_.find(keys_.project(opened.project)) == nullptr) return;
  machine::SweepRow sweep;
  sweep.kind = static_cast<std::uint64_t>(Sweep::project);
  sweep.name = opened.project;
  std::size_t rows = machine::kSweepRows;
  sweeps_.begin(std::move(sweep), input, context.now, rows, sweep_step(context, out));
}

}  // namespace granary::allocation
