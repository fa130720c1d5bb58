// A source states up to when its usage is complete.
#include "services/intake/core/machine.h"

namespace granary::intake {

using machine::Outcome;
using machine::Topic;

Outcome IntakeMachine::state_source(const events::SourceStated& event, const Input& input, const Context& context,
                                    Out& out) {
  sources_.edit(event.source) = {event, input.raw.recorded_at};
  out.broadcast(Topic::usage, context.partitions, event);
  return {};
}

}  // namespace granary::intake
