// A project is opened: usage that waited for it is charged.
#include "services/allocation/core/machine.h"

namespace granary::allocation {

void AllocationMachine::open_project(const events::ProjectOpened& opened, const Input&, const Context& context,
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
  release_waiting(opened.project, context, out);
}

}  // namespace granary::allocation
