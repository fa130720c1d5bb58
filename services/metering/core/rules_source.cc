// A source states up to when its usage is complete.
#include "services/metering/core/machine.h"
#include "shared/base/probe.h"

namespace granary::metering {

using machine::Context;
using machine::Out;
using machine::Topic;

void MeteringMachine::state_source(const events::SourceStated& stated, const machine::LaneInput&,
                                   const Context& context, Out& out) {
  SourceRow& source = sources_.edit(stated.source);
  if (stated.complete_through < source.complete_through) GRANARY_PROBE("a source states less than before");
  source.complete_through = std::max(source.complete_through, stated.complete_through);
  source.records = stated.records;
  out.broadcast(Topic::allocations, context.partitions,
                events::SourceCompleted{stated.source, stated.complete_through, stated.records});
}

}  // namespace granary::metering
